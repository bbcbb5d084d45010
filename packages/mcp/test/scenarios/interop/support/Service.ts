/**
 * The service as a process, with the conformance agents: started, killed, started again on the same port and data.
 *
 * Clients that are not ours talk to it over HTTP, or over a pipe through `coppice mcp`.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, onTestFinished } from "vitest"

const at = (path: string) => fileURLToPath(new URL(`../../../../../../${path}`, import.meta.url))

const main = at("apps/orchestrator/src/main.ts")
const bin = at("apps/cli/bin/coppice.mjs")
const config = at("docs/examples/conformance-agents/coppice.config.ts")

const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" }

/** What a service adds to the conformance agents: further options, as code, and variables of its environment. */
export interface More {
  readonly options: string
  readonly environment: Record<string, string>
}

/** A configuration of its own, in the data folder. */
const configure = (data: string, { options }: More): string => {
  const file = join(data, "more.config.ts")
  const imports = `import agents from "${config}"\nimport { Orchestrator } from "${
    at("packages/coppice/src/index.ts")
  }"\n`
  writeFileSync(file, `${imports}export default Orchestrator.make({ ...agents.options, ${options} })\n`)
  return file
}

/** Starts the process and waits until it is ready. */
const launch = async (data: string, port: number, more?: More): Promise<ChildProcess> => {
  const file = more === undefined ? config : configure(data, more)
  const args = [main, "--config", file, "--mcp-auth", "token", "--data", data, "--port", String(port)]
  const child = spawn(process.execPath, args, {
    env: { ...env, ...more?.environment },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const said: Array<string> = []
  const { promise, reject, resolve } = Promise.withResolvers<void>()
  child.stderr.on("data", (chunk) => {
    said.push(String(chunk))
    if (said.join("").includes("Ready at")) resolve()
  })
  child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${said.join("")}`)))
  await promise
  return child
}

export class Service {
  private child: ChildProcess
  readonly data: string
  readonly url: string
  readonly token: string
  /** Fulfilled while it runs. */
  private running = Promise.withResolvers<void>()

  private constructor(child: ChildProcess, data: string) {
    this.child = child
    this.data = data
    const { token, url } = JSON.parse(readFileSync(join(data, "service.json"), "utf8")) as {
      readonly url: string
      readonly token: string
    }
    this.url = url
    this.token = token
    this.running.resolve()
  }

  /** A service for one test, which may kill it. */
  static async start(more?: More): Promise<Service> {
    const service = await Service.make(more)
    onTestFinished(() => service.remove())
    return service
  }

  /** A service for the tests of a file, started by the first one. */
  static shared(): () => Promise<Service> {
    let made: Promise<Service> | undefined
    afterAll(async () => (await made)?.remove())
    return () => made ??= Service.make()
  }

  private static async make(more?: More): Promise<Service> {
    const data = mkdtempSync(join(tmpdir(), "coppice-interop-"))
    return new Service(await launch(data, 0, more), data)
  }

  private async remove(): Promise<void> {
    await this.kill()
    rmSync(this.data, { recursive: true, force: true })
  }

  /** What the HTTP API says: to a `GET`, or with a body to a `POST`. */
  async api<A>(path: string, body?: object): Promise<A> {
    const headers = { ...this.headers, "content-type": "application/json" }
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) }
    return (await fetch(`${this.url}/api/v1/${path}`, init)).json() as Promise<A>
  }

  /** How the newest task of an agent has ended; waits for it. */
  async ending(agent: string): Promise<string> {
    type Tasks = { readonly tasks: ReadonlyArray<{ readonly id: string; readonly status: string }> }
    const newest = async () => (await this.api<Tasks>(`tasks?agent=${agent}&limit=1`)).tasks[0]!
    await this.api(`tasks/${(await newest()).id}/result?wait=10`)
    return (await newest()).status
  }

  /** Ends it as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.running = Promise.withResolvers()
    const gone = once(this.child, "exit")
    this.child.kill("SIGKILL")
    await gone
  }

  /** Starts it again, where it was. */
  async again(): Promise<void> {
    this.child = await launch(this.data, Number(new URL(this.url).port))
    this.running.resolve()
  }

  get mcp(): URL {
    return new URL(`${this.url}/mcp`)
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` }
  }

  /** `fetch` as a patient host has it: while the port is down, it waits and tries again. */
  readonly fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    for (let attempt = 0; attempt < 10; attempt++) {
      await this.running.promise
      try {
        return await fetch(url, init)
      } catch (error) {
        if (init?.signal?.aborted === true) throw error
      }
    }
    throw new Error(`${String(url)} does not answer`)
  }

  /** Runs the command line against it; its exit code and what it said. */
  async coppice(...args: ReadonlyArray<string>): Promise<{ readonly code: number | null; readonly said: string }> {
    const child = spawn(process.execPath, [bin, ...args, "--data", this.data], {
      env,
      stdio: ["ignore", "pipe", "pipe"]
    })
    const said: Array<string> = []
    for (const pipe of [child.stdout, child.stderr]) pipe.on("data", (chunk) => said.push(String(chunk)))
    const [code] = await once(child, "close") as [number | null]
    return { code, said: said.join("") }
  }

  /** The command of `coppice mcp` for this service. */
  get pipe() {
    return { command: process.execPath, args: [bin, "mcp", "--data", this.data], env, stderr: "inherit" as const }
  }
}
