/**
 * The orchestrator as a process somebody looks after: started, found by the file it writes, started again when it is
 * killed, stopped in the end.
 */
import * as ApiClient from "@coppice/api/ApiClient"
import * as Hosts from "@coppice/api/Hosts"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))

/** An end with a message for a person and an exit code. */
export class Stop extends Error {
  readonly code: number
  constructor(message: string, code: number) {
    super(message)
    this.code = code
  }
}

interface Running {
  readonly process: ChildProcess
  readonly url: string
  readonly token: string
}

/** More deaths than this within a minute mean that starting again does not help. */
const intensity = 10

export class Service {
  private readonly args: ReadonlyArray<string>
  private readonly data: string
  private running: Running | undefined
  private isStopping = false
  private deaths: Array<number> = []
  /** Succeeds when it was stopped; fails when it cannot be kept alive. */
  readonly end: Promise<void>
  private readonly settle: { readonly done: () => void; readonly failed: (error: unknown) => void }

  private constructor(args: ReadonlyArray<string>, data: string) {
    this.args = args
    this.data = data
    const { promise, reject, resolve } = Promise.withResolvers<void>()
    this.end = promise
    this.settle = { done: resolve, failed: reject }
    this.end.catch(() => {})
  }

  /** Starts it; fails with what it said when it cannot start. */
  static async start(args: ReadonlyArray<string>, data: string): Promise<Service> {
    const service = new Service(args, resolve(root, data))
    await service.run()
    return service
  }

  get url(): string {
    return this.running!.url
  }

  /** The link that signs a browser in. */
  get console(): string {
    return Hosts.console(this.running!.url, this.running!.token)
  }

  /** A client of the process that runs now. */
  readonly client: Effect.Effect<ApiClient.ApiClient> = Effect.suspend(() =>
    ApiClient.make({ url: this.running!.url, token: this.running!.token })
  )

  /** In a process group of its own: a Ctrl-C in the terminal is for whoever owns the screen. */
  private async run(): Promise<void> {
    const args = [join(root, "apps/orchestrator/src/main.ts"), ...this.args]
    const child = spawn(process.execPath, args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    const said: Array<string> = []
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(String(chunk)))
    process.once("exit", () => child.kill("SIGTERM"))
    const exit = once(child, "exit") as Promise<[number | null]>
    const file = join(this.data, "service.json")
    while (child.exitCode === null && child.signalCode === null) {
      const found = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined
      if (found?.pid === child.pid) {
        this.running = { process: child, url: found.url, token: found.token }
        exit.then(([code]) => this.ended(code), this.settle.failed)
        return
      }
      await new Promise((done) => setTimeout(done, 25))
    }
    throw new Stop(said.join("").trim() || "the service ended at once", child.exitCode || 1)
  }

  private ended(code: number | null): void {
    const now = Date.now()
    this.deaths = [...this.deaths.filter((death) => death > now - 60_000), now]
    if (this.isStopping || code === 0) return this.settle.done()
    if (this.deaths.length > intensity) {
      return this.settle.failed(new Stop("the service ends again and again; look at it with `npx coppice serve`", 1))
    }
    this.run().catch(this.settle.failed)
  }

  async stop(): Promise<void> {
    this.isStopping = true
    const child = this.running?.process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, "exit")
    child.kill("SIGTERM")
    await exit
  }
}
