/**
 * The bridge's way to the service: the one that runs, the one that comes back, or else one that is started.
 *
 * A service that has just gone is waited for: whoever supervises it starts it again. Only a service this machine can find
 * by its file is ever started; one that was named by its address is somebody else's.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { spawn } from "node:child_process"
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { exitCodes, Failure } from "../Failure.ts"
import { findFile, findService, type Search } from "../Service.ts"
import { main } from "../verbs/serve.ts"

/** Where the service is, as it was last found. */
export interface Place {
  readonly url: string
  readonly token: string | undefined
}

/** How long a service may be away before another is started, milliseconds; and how long until that is tried again. */
const grace = 5_000
const pauseAfterFailure = 15_000

/** How long a start may take, and how long a service that is starting elsewhere is waited for. */
const startLimit = 60_000
const othersLimit = 10_000

/** How a service ended that could not start. */
interface Ending {
  readonly code: number | null
  readonly line: string
}

const lastLine = (file: string): string =>
  readFileSync(file, "utf8").trimEnd().split("\n").at(-1)!.replace(/^coppice: /, "")

export class Way {
  private readonly search: Search
  private readonly flags: ReadonlyArray<string>
  private starting: Promise<void> | undefined
  private failedAt = -Infinity
  /** The data folder of the service that was there last. */
  private folder: string | undefined

  /** `flags` are those of a service that has to be started. */
  constructor(search: Search, flags: ReadonlyArray<string>) {
    this.search = search
    this.flags = flags
  }

  /** Where the service should be; undefined when nothing tells. Fails when what was said is wrong. */
  look(): Place | undefined {
    const found = findService(this.search)
    if (Result.isFailure(found)) {
      if (found.failure.exit === exitCodes.badInput) throw found.failure
      return undefined
    }
    const { file, token, url } = found.success
    if (file !== undefined) this.folder = dirname(file.path)
    return { url, token: token === undefined ? undefined : Redacted.value(token) }
  }

  /** The same, but a service that has been away for long, or was never there, is started. Undefined: look again. */
  async find(away: number): Promise<Place | undefined> {
    const place = this.look()
    const isKnown = this.folder !== undefined
    if (!this.mayStart || (away < grace && (place !== undefined || isKnown))) return place
    this.starting ??= this.start().finally(() => {
      this.starting = undefined
    })
    try {
      await this.starting
    } catch (error) {
      if (!isKnown) throw error
      // it was there before: whoever started it then may do so again
      this.failedAt = performance.now()
    }
    return this.look()
  }

  private get mayStart(): boolean {
    const { env, url } = this.search
    const isOurs = url === undefined && (env["COPPICE_URL"] ?? "") === ""
    return isOurs && performance.now() - this.failedAt > pauseAfterFailure
  }

  /** The folder of the service that was there last, else this one. */
  private folders(): { readonly cwd: string; readonly data: string } {
    const { cwd, data, env } = this.search
    const named = data ?? env["COPPICE_DATA"]
    if (named !== undefined && named !== "") return { cwd, data: resolve(cwd, named) }
    const own = this.folder ?? join(cwd, ".coppice")
    return { cwd: basename(own) === ".coppice" ? dirname(own) : cwd, data: own }
  }

  private async start(): Promise<void> {
    const first = await this.launch([])
    if (first === undefined) return
    // another project's service has the port: this one is found by its file, whatever its port
    const second = first.line.includes(" is in use") ? await this.launch(["--port", "0"]) : first
    if (second === undefined || (second.code === exitCodes.cannotStart && await this.othersCome())) return
    throw new Failure({
      exit: exitCodes.cannotStart,
      message: `No service runs and none can be started: ${second.line}`,
      fix: "start one with `coppice serve`"
    })
  }

  /** Starts a service that outlives this process; succeeds with how it ended when it could not start. */
  private async launch(more: ReadonlyArray<string>): Promise<Ending | undefined> {
    if (!existsSync(main)) return { code: 1, line: "the service is not part of this installation" }
    const { cwd, data } = this.folders()
    mkdirSync(data, { recursive: true, mode: 0o700 })
    const log = join(data, "service.log")
    const file = openSync(log, "w", 0o600)
    const child = spawn(process.execPath, [main, "--data", data, ...this.flags, ...more], {
      cwd,
      detached: true,
      stdio: ["ignore", "ignore", file]
    })
    child.unref()
    closeSync(file)
    let ending: Ending | undefined
    child.once("error", ({ message }) => ending = { code: 1, line: message })
    child.once("exit", (code) => ending = { code, line: lastLine(log) })
    const until = performance.now() + startLimit
    while (performance.now() < until) {
      if (findFile({ ...this.search, data })?.content.pid === child.pid) return undefined
      if (ending !== undefined) return ending
      await pause(50)
    }
    return { code: 1, line: `it is not ready after ${startLimit / 1_000} s; see ${log}` }
  }

  /** Somebody else may be starting the same service. */
  private async othersCome(): Promise<boolean> {
    const before = this.look()
    const until = performance.now() + othersLimit
    while (performance.now() < until) {
      const now = this.look()
      if (now !== undefined && (now.url !== before?.url || await answers(now))) return true
      await pause(200)
    }
    return false
  }
}

const answers = async ({ url }: Place): Promise<boolean> => {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1_000) })).ok
  } catch {
    return false
  }
}
