/**
 * Tokens and registrations of one server: in memory, or in a file only its owner can read.
 *
 * A file holds every server's entry; it is written whole, beside the old one, and then takes its place, so that a crash
 * leaves one or the other.
 */
import type { StoredOAuthClientInformation, StoredOAuthTokens } from "@modelcontextprotocol/client"
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { isObject } from "./rpc.ts"

export interface Kept {
  readonly client?: StoredOAuthClientInformation | undefined
  readonly tokens?: StoredOAuthTokens | undefined
}

/** Writers of one file in this process take turns. */
const turns = new Map<string, Promise<void>>()

export class Credentials {
  private kept: Kept | undefined
  private readonly server: string
  private readonly file: string | undefined

  constructor(server: string, file: string | undefined) {
    this.server = server
    this.file = file
  }

  async read(): Promise<Kept> {
    if (this.kept === undefined) {
      const entry = this.file === undefined ? undefined : (await readAll(this.file))[this.server]
      this.kept = isObject(entry) ? entry : {}
    }
    return this.kept
  }

  async write(change: Kept): Promise<void> {
    this.kept = { ...await this.read(), ...change }
    const { file, kept, server } = this
    if (file === undefined) return
    const mine = (turns.get(file) ?? Promise.resolve()).then(async () => {
      const all = await readAll(file)
      await writeAll(file, { ...all, [server]: kept })
    })
    turns.set(file, mine.catch(() => {}))
    await mine
  }
}

const readAll = async (file: string): Promise<Record<string, unknown>> => {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}"
    throw error
  })
  const all: unknown = JSON.parse(text)
  return isObject(all) ? all : {}
}

const writeAll = async (file: string, all: Record<string, unknown>): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const next = `${file}.${process.pid}`
  await writeFile(next, JSON.stringify(all), { mode: 0o600 })
  await chmod(next, 0o600)
  await rename(next, file)
}
