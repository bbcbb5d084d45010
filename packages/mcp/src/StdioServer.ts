/**
 * An MCP server as a child process: started from an argument vector, never through a shell, and always stopped.
 *
 * The child gets a clean environment (`PATH`, `HOME` and a few more, plus what is configured), its own process group,
 * and bounds on what it may say: one line of standard output, and the last part of standard error, which is kept for
 * error messages. It is stopped as MCP asks: its input is closed, then SIGTERM, then SIGKILL, each to the whole group. The
 * same happens when this process is killed, except on Windows: a warden sees to it.
 *
 * A child that ends is started again when it is needed next, with growing pauses; one that keeps ending is left alone
 * for a while, and whoever needs it meanwhile hears why.
 */
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { Lines } from "./internal/client/lines.ts"
import { Warden } from "./internal/client/Warden.ts"

/** How to start a server, and when to give up on it. */
export interface StdioServerOptions {
  readonly command: string
  readonly args?: ReadonlyArray<string> | undefined
  /** Added to the clean environment; nothing else of ours is passed on. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  /** How long the child may take to go after its input is closed, and again after SIGTERM. [2 seconds] */
  readonly shutdown?: Duration.Input | undefined
  /** The longest line it may write, bytes. [16 MiB] */
  readonly line?: number | undefined
}

/** What a child inherits of our environment: enough to find programs and to write in the right language. */
const inherited = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TZ", "TMPDIR"]
const windows = ["APPDATA", "LOCALAPPDATA", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "USERPROFILE"]

/** The environment of a child; what looks like an exported shell function stays out. */
export const cleanEnvironment = (
  own: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {}
): Record<string, string> => {
  const names = process.platform === "win32" ? [...inherited, ...windows] : inherited
  const kept = names.flatMap((name) => {
    const value = own[name]
    return value === undefined || value.startsWith("()") ? [] : [[name, value]]
  })
  return { ...Object.fromEntries(kept) as Record<string, string>, ...added }
}

const defaultShutdown = Duration.seconds(2)
const defaultLine = 16 * 1024 * 1024
const keptErrors = 8 * 1024
/** Bytes that may wait for a child that does not read. */
const unread = 16 * 1024 * 1024

/** A child that could not be started, or ended. */
export class ChildError extends Error {
  /** Whether the process never ran. */
  readonly isStart: boolean

  constructor(message: string, isStart: boolean) {
    super(message)
    this.isStart = isStart
  }
}

/** One life of a child, as the SDK's transport. */
export class StdioServer implements Transport {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport["onmessage"]
  private child: ChildProcess | undefined
  private warden: Warden | undefined
  private readonly options: StdioServerOptions
  private errors = ""
  private ended: string | undefined
  private readonly whenEnded: Array<() => void> = []

  constructor(options: StdioServerOptions) {
    this.options = options
  }

  /** How the child ended, with the last it wrote to standard error; `undefined` while it runs. */
  get end(): string | undefined {
    return this.ended
  }

  get processId(): number | undefined {
    return this.child?.pid
  }

  start(): Promise<void> {
    const { args = [], command, cwd, env } = this.options
    const child = spawn(command, [...args], {
      cwd,
      env: cleanEnvironment(process.env, env),
      shell: false,
      // a group of its own, so that what the child starts can be stopped with it
      detached: process.platform !== "win32",
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true
    })
    this.child = child
    this.listen(child)
    if (child.pid !== undefined && process.platform !== "win32") {
      this.warden = new Warden(child.pid, Duration.toMillis(this.options.shutdown ?? defaultShutdown))
    }
    return new Promise((resolve, reject) => {
      child.once("spawn", resolve)
      child.once("error", (error) => {
        this.finish(error.message)
        reject(new ChildError(`"${command}" does not start: ${error.message}`, true))
      })
    })
  }

  private listen(child: ChildProcess): void {
    const lines = new Lines(this.options.line ?? defaultLine, (line) => this.line(line))
    child.stdout!.on("data", (chunk: Buffer) => {
      if (lines.push(chunk)) return
      this.fail("it wrote a line that is too long")
    })
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.errors = (this.errors + text).slice(-keptErrors)
    })
    // a child that is gone breaks the pipe; its end is told by `close`
    child.stdin!.on("error", () => {})
    child.once("close", (status, signal) => this.finish(signal === null ? `exit code ${status}` : `signal ${signal}`))
  }

  private line(line: string): void {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      // servers print banners where only messages belong
      this.errors = `${this.errors}${line}\n`.slice(-keptErrors)
      return
    }
    this.onmessage?.(message as JSONRPCMessage)
  }

  /** Ends a child that broke the rules. */
  private fail(reason: string): void {
    this.errors = `${this.errors}\n${reason}`.slice(-keptErrors)
    this.onerror?.(new ChildError(reason, false))
    this.signal("SIGKILL")
  }

  private finish(how: string): void {
    if (this.ended !== undefined) return
    // what it started and left behind goes with it; later its number may be another group's
    this.signal("SIGKILL")
    this.warden?.dismiss()
    const said = this.errors.trim().split("\n").slice(-3).join(" / ")
    this.ended = said === "" ? how : `${how}; it wrote: ${said.slice(-300)}`
    for (const callback of this.whenEnded) callback()
    this.onclose?.()
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { child } = this
    if (child === undefined || this.ended !== undefined) {
      return Promise.reject(new ChildError(`the server ended (${this.ended ?? "not started"})`, false))
    }
    if (child.stdin!.writableLength > unread) {
      return Promise.reject(new ChildError("the server does not read what is sent to it", false))
    }
    child.stdin!.write(`${JSON.stringify(message)}\n`)
    return Promise.resolve()
  }

  /** Asks the child to go, and does not wait for it. */
  close(): Promise<void> {
    this.child?.stdin!.end()
    return Promise.resolve()
  }

  private signal(signal: NodeJS.Signals): void {
    const pid = this.child?.pid
    if (pid === undefined || this.ended !== undefined) return
    try {
      if (process.platform === "win32") this.child!.kill(signal)
      else process.kill(-pid, signal)
    } catch {
      // already gone
    }
  }

  private get whenGone(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.child === undefined || this.ended !== undefined) return resume(Effect.void)
      this.whenEnded.push(() => resume(Effect.void))
    })
  }

  /** Stops the child and its group, and waits until it is gone. */
  readonly stop: Effect.Effect<void> = Effect.suspend(() => {
    const patience = this.options.shutdown ?? defaultShutdown
    const gone = Effect.timeoutOption(this.whenGone, patience)
    const send = (signal: NodeJS.Signals) => Effect.sync(() => this.signal(signal))
    return Effect.gen({ self: this }, function*() {
      yield* Effect.sync(() => this.child?.stdin!.end())
      if ((yield* gone)._tag === "None") {
        yield* send("SIGTERM")
        if ((yield* gone)._tag === "None") yield* Effect.andThen(send("SIGKILL"), gone)
      }
      // what still holds its pipes
      yield* send("SIGKILL")
      this.warden?.dismiss()
    })
  })
}
