/**
 * A disk that counts syncs and fails when told to, for one child process.
 *
 * A small C library, compiled on the spot and loaded before libc, stands between SQLite and the kernel. The parent
 * compiles it and starts a program under it (`run`); the program reads the count and sets the faults (`control`). As a
 * script it runs any program and prints how often that synced:
 *
 *     node DiskFaults.ts program.ts arguments…
 */
import { execFileSync, spawnSync } from "node:child_process"
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Why faults cannot be injected on this machine; nothing if they can. */
export const unavailable = (): string | undefined => {
  if (process.platform !== "linux") return "failing system calls needs Linux"
  return spawnSync("cc", ["--version"]).status === 0 ? undefined : "failing system calls needs a C compiler named cc"
}

/** What a program under faults did. */
export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
  readonly syncs: number
}

/** Runs a program of Node to its end under the library. */
export const run = (program: string, args: ReadonlyArray<string>): Ran => {
  const folder = mkdtempSync(join(tmpdir(), "disk-faults-"))
  try {
    const library = join(folder, "diskFaults.so")
    const source = fileURLToPath(new URL("diskFaults.c", import.meta.url))
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
    const words = join(folder, "control")
    writeFileSync(words, Buffer.alloc(WORDS * 4))
    const env = { ...process.env, LD_PRELOAD: library, DISK_FAULTS: words }
    const { status, stderr, stdout } = spawnSync(process.execPath, [program, ...args], { env, encoding: "utf8" })
    return { stdout, stderr, status, syncs: readFileSync(words).readUInt32LE(0) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The disk of a program that `run` started. */
export interface Control {
  /** How often this process has synced a file. */
  readonly syncs: () => number
  /** Makes every sync fail from now on, or work again. */
  readonly failSyncs: (error: Fault | undefined) => void
  /** Makes every positioned write fail from now on, or work again. */
  readonly failWrites: (error: Fault | undefined) => void
}

/** How a call can fail. */
export type Fault = "EIO" | "ENOSPC"

const WORDS = 3

/** Takes hold of the disk, inside a program that `run` started. */
export const control = (): Control => {
  const path = process.env["DISK_FAULTS"]
  if (path === undefined || !existsSync(path)) throw new Error("start this program with DiskFaults.run")
  const words = Buffer.alloc(WORDS * 4)
  // unpositioned writes, which never fail; between reading the count and writing it back this process does not sync
  const set = (word: number, error: Fault | undefined) => {
    const file = openSync(path, "r+")
    readFileSync(path).copy(words)
    words.writeInt32LE(error === undefined ? 0 : constants.errno[error], word * 4)
    writeSync(file, words)
    closeSync(file)
  }
  return {
    syncs: () => readFileSync(path).readUInt32LE(0),
    failSyncs: (error) => set(1, error),
    failWrites: (error) => set(2, error)
  }
}

if (import.meta.main) {
  const [program, ...args] = process.argv.slice(2)
  if (program === undefined) throw new Error("usage: node DiskFaults.ts program.ts arguments…")
  const why = unavailable()
  if (why !== undefined) throw new Error(why)
  const { status, stderr, stdout, syncs } = run(program, args)
  process.stderr.write(stderr)
  process.stdout.write(`${stdout}${syncs} syncs\n`)
  process.exitCode = status ?? 1
}
