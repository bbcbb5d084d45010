/**
 * The real service in a process of its own, and what a program may ask it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const main = at("../../../orchestrator/src/main.ts")
const coppice = at("../../../cli/bin/coppice.mjs")

/** The agents of the tests. */
export const agents = at("../agents/coppice.config.ts")

/** The code migration of the documentation. */
export const showcase = at("../../../../docs/examples/code-migration/coppice.config.ts")

interface Options {
  readonly config?: string
  /** Further `host:port` a browser may use. */
  readonly allowHosts?: string
}

interface Task {
  readonly id: string
  readonly run: string
  readonly status: string
}

/** Resolves when the process has said the text; rejects when it ends first. */
const says = (child: ChildProcess, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = ""
    const read = (chunk: Buffer) => {
      said += String(chunk)
      if (said.includes(text)) resolve()
    }
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
    child.once("exit", (code) => reject(new Error(`the process ended with ${code}: ${said}`)))
  })

export class Service {
  /** Its own folder, with the store in it; a new start finds everything there again. */
  readonly folder = mkdtempSync(join(tmpdir(), "coppice-console-"))
  url = ""
  token = ""
  private readonly options: Options
  private readonly terminals: Array<Terminal> = []
  private child: ChildProcess | undefined

  constructor(options: Options = {}) {
    this.options = options
  }

  static async start(options?: Options): Promise<Service> {
    if (!existsSync(at("../../dist/site/index.html"))) throw new Error("The console is not built: npm run build")
    const service = new Service(options)
    await service.start()
    return service
  }

  /** Begins, on a port that is free. */
  async start(): Promise<void> {
    const { allowHosts, config = agents } = this.options
    const args = ["--port", "0", "--data", join(this.folder, ".coppice"), "--config", config]
    const hosts = allowHosts === undefined ? [] : ["--allow-hosts", allowHosts]
    const child = spawn(process.execPath, [main, ...args, ...hosts], { cwd: this.folder })
    this.child = child
    await says(child, "Ready at")
    Object.assign(this, JSON.parse(readFileSync(join(this.folder, ".coppice/service.json"), "utf8")))
  }

  /** Ends it and waits until it has. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child
    this.child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "exit")
    child.kill(signal)
    await ended
  }

  async close(): Promise<void> {
    for (const terminal of this.terminals) terminal.close()
    await this.end("SIGTERM")
    rmSync(this.folder, { recursive: true, force: true })
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** Where a browser comes in with a session. */
  get link(): string {
    return `${this.url}/#token=${this.token}`
  }

  /** One request of the API. */
  async ask<A = any>(method: string, path: string, body?: unknown): Promise<A> {
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" }
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      ...body === undefined ? {} : { body: JSON.stringify(body) }
    })
    const said = await response.json() as A
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(said)}`)
    return said
  }

  submit(agent: string, input: unknown): Promise<Task> {
    return this.ask<Task>("POST", "/tasks", { agent, input })
  }

  /** The command line at a terminal, in the service's folder. */
  terminal(...args: ReadonlyArray<string>): Terminal {
    const terminal = new Terminal(this.folder, args)
    this.terminals.push(terminal)
    return terminal
  }
}

/** A command that believes in a person before it: `script` gives it a terminal. */
export class Terminal {
  readonly ended: Promise<number>
  readonly close: () => void
  private said = ""
  private readonly waiting = new Set<() => void>()

  constructor(cwd: string, args: ReadonlyArray<string>) {
    const command = [process.execPath, coppice, ...args].map((word) => `'${word}'`).join(" ")
    const child = spawn("script", ["-qefc", command, "/dev/null"], { cwd, stdio: ["pipe", "pipe", "inherit"] })
    child.stdout.on("data", (chunk) => {
      this.said += String(chunk)
      for (const look of this.waiting) look()
    })
    this.ended = once(child, "exit").then(([code]) => Number(code))
    this.close = () => void child.kill("SIGKILL")
  }

  /** Waits until the screen has shown the text, once it was told to. */
  shows(text: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.said.includes(text)) return
        this.waiting.delete(look)
        resolve()
      }
      this.waiting.add(look)
      look()
    })
  }
}
