/**
 * Somebody with a principal of its own at every node, who has come by the names of others' tasks and sessions and tries
 * all that MCP offers with them, over both revisions.
 */
import * as Seal from "@coppice/mcp/Seal"
import { TaskId } from "@coppice/task/Task"
import * as Effect from "effect/Effect"
import type { Dice } from "./dice.ts"
import { dice } from "./dice.ts"
import type { Fact, History } from "./history.ts"
import type { Machine } from "./machine.ts"
import type { Sender } from "./wires.ts"
import type { World } from "./world.ts"

type Revision = "2025-11-25" | "2026-07-28"

type Body = Readonly<Record<string, unknown>>

/** One thing to try: a method, and what it is told about the task. */
interface Attempt {
  readonly method: string
  readonly params: (name: Names) => Body
  /** For a session that was overheard. */
  readonly session?: string | undefined
}

interface Request extends Attempt {
  readonly request: string
}

/** What a task is called: in logs and on wires. */
interface Names {
  readonly id: TaskId
  readonly handle: string
}

/** No task is made at the beginning of time. */
const nobody = TaskId.make("00000000000000000001")

/** How long a reply is listened to, milliseconds: some go on for ever. */
const patience = 2_000

const ofTasks = ["tasks/get", "tasks/cancel"]

const methods: Record<Revision, ReadonlyArray<string>> = {
  "2025-11-25": [...ofTasks, "tasks/result", "tasks/list", "resources/read", "session"],
  "2026-07-28": [...ofTasks, "tasks/update", "subscriptions/listen", "resources/read"]
}

const operating = ["inspect", "why", "cancel", "cancel_report", "cancel_preview", "steer", "fork", "retry", "list"]

const paramsOf = (method: string) => ({ handle, id }: Names): Body => {
  switch (method) {
    case "tasks/list":
      return {}
    case "subscriptions/listen":
      return { notifications: { taskIds: [handle] } }
    case "resources/read":
      return { uri: `coppice://runs/${id}/transcript` }
    case "tasks/update":
      return { taskId: handle, inputResponses: { any: { action: "accept", content: { ok: true } } } }
    default:
      return { taskId: handle }
  }
}

const operate = (verb: string): Attempt => ({
  method: "tools/call",
  params: ({ id }) => ({
    name: `coppice_${verb}`,
    arguments: verb === "list"
      ? {}
      : { id, ...verb === "steer" ? { message: "psst" } : verb === "fork" ? { at: "0" } : {} }
  })
})

export interface Surroundings {
  readonly world: World
  readonly history: History
  readonly machines: ReadonlyMap<string, Machine>
  readonly legacy: ReadonlySet<string>
  readonly sessions: ReadonlyMap<string, string>
  readonly fetch: (from: Sender) => typeof globalThis.fetch
}

export class Stranger implements Sender {
  readonly name = "stranger"
  readonly principal = "stranger"
  readonly process
  readonly mourners = new Set<() => void>()
  private readonly parts: Surroundings
  private readonly dice: Dice
  private readonly fetch: typeof globalThis.fetch
  /** Its own sessions, by node. */
  private readonly own = new Map<string, string>()
  private triesLeft: number
  private tried = 0

  constructor(parts: Surroundings, tries: number) {
    this.parts = parts
    this.triesLeft = tries
    this.process = parts.world.process(this.name)
    this.dice = dice(parts.world.seed, this.name)
    this.fetch = parts.fetch(this)
  }

  /** A task has come into being: it may be worth a try. */
  hear({ envelope: { event, task }, node }: Fact): void {
    if (event._tag !== "Created" || this.triesLeft === 0 || this.dice.chance(0.3)) return
    this.triesLeft--
    const machine = this.parts.machines.get(node)!
    this.parts.world.after(this.process, this.dice.next() ** 3 * 5_000, () => {
      Effect.runFork(Effect.ignore(Effect.tryPromise(() => this.pry(machine, task))))
    })
  }

  private attempt({ name, orchestrator: { options } }: Machine, revision: Revision): Attempt {
    const { sessions } = this.parts
    if (options.mcp?.operateTools === true && this.dice.chance(0.4)) return operate(this.dice.pick(operating))
    const method = this.dice.pick(methods[revision])
    if (method !== "session") return { method, params: paramsOf(method) }
    return { method: "tasks/list", params: () => ({}), session: sessions.get(name) ?? "none" }
  }

  private async pry(machine: Machine, task: TaskId): Promise<void> {
    const { history, legacy, world } = this.parts
    const { name: node } = machine
    const revision = legacy.has(node) || this.dice.chance(0.5) ? "2025-11-25" : "2026-07-28"
    const attempt = this.attempt(machine, revision)
    const seal = machine.service(Seal.Seal)
    if (seal === undefined) return
    const request = `try-${++this.tried}`
    const asks = async (id: TaskId): Promise<string | null> => {
      const names = { id, handle: seal.handle(id) }
      const session = attempt.session === undefined || id === task ? attempt.session : "none"
      const reply = await this.send(machine, revision, { ...attempt, session, request }, names).catch(() => null)
      // that it was asked for is no news
      return reply?.replaceAll(names.handle, "NAME").replaceAll(id, "NAME").replaceAll(request, "ID") ?? null
    }
    const reply = await asks(task)
    const nobodys = await asks(nobody)
    const { method, params } = attempt
    const tool = params({ id: nobody, handle: "" })["name"]
    history.add({
      _tag: "Pried",
      at: world.elapsed,
      node,
      revision,
      method: typeof tool === "string" ? tool : attempt.session === undefined ? method : "another's session",
      principal: this.principal,
      task,
      reply,
      nobodys
    })
  }

  private async send(
    { name }: Machine,
    revision: Revision,
    { method, params, request, session }: Request,
    names: Names
  ): Promise<string> {
    const given = params(names)
    if (revision === "2026-07-28") {
      const about = given["taskId"] ?? given["name"] ?? given["uri"]
      const headers = {
        "mcp-protocol-version": revision,
        "mcp-method": method,
        ...typeof about === "string" ? { "mcp-name": about } : {}
      }
      const _meta = {
        "io.modelcontextprotocol/protocolVersion": revision,
        "io.modelcontextprotocol/clientInfo": { name: this.name, version: "1" },
        "io.modelcontextprotocol/clientCapabilities": { extensions: { "io.modelcontextprotocol/tasks": {} } }
      }
      return this.textOf(await this.post(name, { id: request, method, params: { ...given, _meta } }, headers))
    }
    const headers = { "mcp-session-id": session ?? await this.session(name), "mcp-protocol-version": revision }
    return this.textOf(await this.post(name, { id: request, method, params: given }, headers))
  }

  private async session(node: string): Promise<string> {
    const known = this.own.get(node)
    if (known !== undefined) return known
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: { tasks: { list: {}, cancel: {} } },
      clientInfo: { name: this.name, version: "1" }
    }
    const response = await this.post(node, { id: "initialize", method: "initialize", params }, {})
    await this.textOf(response)
    const session = response.headers.get("mcp-session-id")
    if (session === null) throw new Error("No session")
    this.own.set(node, session)
    return session
  }

  private post(node: string, message: Body, headers: Readonly<Record<string, string>>): Promise<Response> {
    return this.fetch(`http://${node}/mcp`, {
      method: "POST",
      headers: { accept: "application/json, text/event-stream", "content-type": "application/json", ...headers },
      body: JSON.stringify({ jsonrpc: "2.0", ...message })
    })
  }

  private async textOf({ body }: Response): Promise<string> {
    const reader = body?.getReader()
    if (reader === undefined) return ""
    const timer = this.parts.world.after(this.process, patience, () => void reader.cancel().catch(() => {}))
    const decoder = new TextDecoder()
    let text = ""
    for (let read = await reader.read(); !read.done; read = await reader.read()) text += decoder.decode(read.value)
    timer.cancelled = true
    return text
  }
}
