/** Folders of small packages for the tests; each is gone when its test ends. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { onTestFinished } from "vitest"
import { type FileResult, migrateFile } from "../src/Migrate.ts"
import { scan, type ScanOptions } from "../src/Scan.ts"

export type Files = Readonly<Record<string, string>>

export const emptyFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "migration-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const folderOf = (files: Files): string => {
  const folder = emptyFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

export const scanFiles = (files: Files, options?: ScanOptions) => scan(folderOf(files), options)

/** Scans the folder and migrates every file of it, as the agents do. */
export const migrateAll = async (folder: string) => {
  const inventory = await scan(folder)
  const results = Object.keys(inventory.files).map((path) =>
    migrateFile(inventory, path, readFileSync(join(inventory.root, path), "utf8"))
  )
  return { inventory, results }
}

/** What becomes of `main.js`, in the company of the other files. */
export const migrateMain = async (main: string, others: Files = {}): Promise<FileResult> => {
  const inventory = await scanFiles({ ...others, "main.js": main })
  return migrateFile(inventory, "main.js", main)
}

/** The message of what went wrong. */
export const failureOf = (running: Promise<unknown>): Promise<string> =>
  running.then(() => "nothing went wrong", (cause: Error) => cause.message)
