/**
 * The requests of one session of MCP 2025-11-25.
 *
 * A call with `task` answers with the task at once. A call without waits on its own stream, with progress and questions;
 * a caller that goes away has its task cancelled.
 */
import type { Contract } from "@coppice/task/Contract"
import { isTerminal, type Task, type TaskId } from "@coppice/task/Task"
import { isTaskId } from "@coppice/task/TaskIds"
import { ProtocolError, Server, type ServerContext } from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { JsonObject } from "effect/Schema"
import { randomInt } from "node:crypto"
import * as Meta from "../../Meta.ts"
import { capabilitiesOf, register } from "../server/Base.ts"
import { type Door, metaOf } from "../server/Door.ts"
import { loose } from "../server/schema.ts"
import { failedResult, resultOf } from "../server/tool.ts"
import { invalid, methodNotFound, WireError } from "../server/wireError.ts"
import { related, task as toTask } from "./codec.ts"
import { Session } from "./Session.ts"
import type { Stream } from "./Stream.ts"

/** A question may wait for days; the SDK's timers take no more than this. */
const longest = 2 ** 31 - 1

/** How many tasks one page of `tasks/list` has. */
const pageSize = 100

/** The stream of a request. */
const streamOf = (ctx: ServerContext): Stream => ({
  ask: (method, params, signal) =>
    ctx.mcpReq.send({ method, params } as never, loose as never, { timeout: longest, signal }),
  tell: (method, params) => ctx.mcpReq.notify({ method, params })
})

/** The stream that belongs to no request. */
export const standingOf = (server: Server): Stream => ({
  ask: (method, params, signal) =>
    server.request({ method, params } as never, loose as never, { timeout: longest, signal }),
  tell: (method, params) => server.notification({ method, params })
})

/** Which support a tool has for being called as a task. */
const refusal = ({ name, policy }: Contract, isTask: boolean): WireError | undefined => {
  if (isTask && policy === "never") {
    return new WireError({ code: methodNotFound, message: `Tool "${name}" does not support task augmentation` })
  }
  return !isTask && policy === "required"
    ? new WireError({ code: methodNotFound, message: `Tool "${name}" requires task augmentation` })
    : undefined
}

const requestedTtl = (task: unknown): number | undefined => {
  const ttl = Predicate.hasProperty(task, "ttl") ? task.ttl : undefined
  return typeof ttl === "number" && Number.isFinite(ttl) && ttl >= 0 ? ttl : undefined
}

interface Call {
  readonly contract: Contract
  readonly arguments: JsonObject
  readonly ctx: ServerContext
  readonly ttl?: number | undefined
}

class Requests {
  private readonly door: Door
  private readonly session: Session

  constructor(door: Door, session: Session) {
    this.door = door
    this.session = session
  }

  private submit({ arguments: args, contract, ctx, ttl }: Call) {
    const meta = metaOf(ctx)
    return this.door.calls.submit(this.session.peer, contract, { name: contract.name, arguments: args, meta, ttl })
  }

  /** Answers with the task itself. */
  augmented = Effect.fnUntraced({ self: this }, function*(call: Call) {
    const { calls } = this.door
    const task = yield* Effect.catchTag(
      this.submit(call),
      "InvalidInput",
      (error) => Effect.fail(invalid(`Invalid arguments: ${error.message}`))
    )
    const token = Meta.readProgressToken(metaOf(call.ctx))
    yield* this.session.follow(task, { isTask: true, token })
    // as it was when it was made: a question it asked since is for whoever looks again
    const view = { ...yield* calls.view(task), status: task.status }
    return {
      task: toTask(calls.seal.handle(task.id), view),
      _meta: {
        [Meta.immediateResponse]: `"${call.contract.name}" has started as a task; its result comes when it has ended.`
      }
    }
  })

  /** Waits for the result on the call's own stream. A caller that goes away at any time has its task cancelled. */
  plain(call: Call): Effect.Effect<JsonObject, unknown> {
    const { calls } = this.door
    const { peer } = this.session
    const body = Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const task = yield* this.submit(call)
        return yield* restore(this.wait(call, task)).pipe(
          Effect.onInterrupt(() => calls.left(peer, task))
        )
      })
    )
    return Effect.catchTag(
      body,
      "InvalidInput",
      (error) => Effect.succeed(failedResult(`Invalid arguments: ${error.message}`))
    )
  }

  private wait = Effect.fnUntraced({ self: this }, function*({ contract, ctx }: Call, task: Task) {
    const token = Meta.readProgressToken(metaOf(ctx))
    // before anything is heard, so that nothing of it is told elsewhere
    const release = this.session.bind(task, streamOf(ctx), "call")
    const heard = this.session.follow(task, { isTask: false, token })
    const outcome = yield* Effect.ensuring(
      Effect.gen({ self: this }, function*() {
        const followed = yield* heard
        const outcome = yield* this.door.calls.result(task.id)
        yield* followed.hearing?.finish ?? Effect.void
        yield* followed.outgoing.flush
        return outcome
      }),
      Effect.sync(release)
    )
    const result = resultOf(contract, outcome, "2025-11-25")
    return result instanceof WireError ? yield* result : result
  })

  callTool(params: JsonObject, ctx: ServerContext): Effect.Effect<JsonObject, unknown> {
    return Effect.gen({ self: this }, function*() {
      const name = typeof params["name"] === "string" ? params["name"] : ""
      const args = (params["arguments"] ?? {}) as JsonObject
      const own = this.door.tools(this.session.hasTasks).find(name)
      if (own !== undefined) return yield* own(args, this.session.peer)
      const contract = yield* this.door.calls.tool(name)
      const meta = metaOf(ctx)
      if (Meta.isWithdrawn(meta)) {
        return yield* this.door.calls.withdraw(this.session.peer, contract, { name, arguments: args, meta })
      }
      const isTask = params["task"] !== undefined
      const refused = refusal(contract, isTask)
      if (refused !== undefined) return yield* refused
      const call = { contract, arguments: args, ctx, ttl: requestedTtl(params["task"]) }
      return yield* isTask ? this.augmented(call) : this.plain(call)
    })
  }

  /** A task some session of this principal knows; from now on this one follows it too. */
  private known(handle: unknown) {
    const { calls } = this.door
    return Effect.tap(
      calls.find(this.session.peer, handle),
      (task) => this.session.follow(task, { isTask: true })
    )
  }

  get(handle: unknown, ctx: ServerContext) {
    const { calls } = this.door
    return Effect.gen({ self: this }, function*() {
      const task = yield* this.known(handle)
      const beside = yield* calls.beside(this.session.peer, task.id, metaOf(ctx))
      return { ...toTask(calls.seal.handle(task.id), yield* calls.view(task)), ...beside }
    })
  }

  /** Blocks until the end; meanwhile its stream carries the task's questions. */
  result(handle: unknown, ctx: ServerContext) {
    const { calls } = this.door
    return Effect.gen({ self: this }, function*() {
      const task = yield* this.known(handle)
      const release = this.session.bind(task, streamOf(ctx), "result")
      const outcome = yield* Effect.ensuring(calls.result(task.id), Effect.sync(release))
      const result = resultOf(calls.contract(task.agent), outcome, "2025-11-25")
      if (result instanceof WireError) return yield* result
      return {
        ...result,
        _meta: { ...result["_meta"] as JsonObject | undefined, ...related(calls.seal.handle(task.id)) }
      }
    })
  }

  cancel(handle: unknown, ctx: ServerContext) {
    const { calls } = this.door
    const { peer } = this.session
    return Effect.gen({ self: this }, function*() {
      const task = yield* this.known(handle)
      const refused = (status: Task["status"]) => invalid(`Cannot cancel task: already in terminal status '${status}'`)
      if (isTerminal(task.status)) return yield* refused(task.status)
      yield* Effect.catchTag(
        calls.cancel(peer, task.id),
        "Refused",
        ({ reason }) => Effect.fail(refused(reason._tag === "AlreadyEnded" ? reason.status : task.status))
      )
      const report = yield* calls.report(peer, task.id, metaOf(ctx))
      const now = yield* Effect.orDie(calls.verbs.get(task.id))
      return { ...toTask(calls.seal.handle(task.id), yield* calls.view(now)), ...report }
    })
  }

  list(cursor: unknown) {
    const { calls } = this.door
    return Effect.gen({ self: this }, function*() {
      const after = typeof cursor === "string" ? calls.seal.open("tasks", cursor) : undefined
      if (cursor !== undefined && (after === undefined || !isTaskId(after))) {
        return yield* invalid("The cursor is not one of this server's")
      }
      const found = yield* calls.list(this.session.peer, after as TaskId | undefined, pageSize + 1)
      const tasks = found.slice(0, pageSize)
      const views = yield* Effect.forEach(tasks, (task) => calls.view(task))
      return {
        tasks: views.map((view) => toTask(calls.seal.handle(view.task.id), view)),
        ...found.length <= pageSize ? {} : { nextCursor: calls.seal.seal("tasks", tasks.at(-1)!.id) }
      }
    })
  }
}

/**
 * A session outlives its server: it is made again after a restart, while its client may still show what the one before
 * asked. So every server numbers its questions from another place on; from 0 on, as the SDK does, an answer to an old
 * question would be taken for the answer to a new one.
 */
const numberApart = (server: Server): void => {
  Object.assign(server, { _requestMessageId: randomInt(2 ** 47) })
}

const taskCapabilities = (door: Door): JsonObject => ({
  ...door.caller.isIdentified ? { list: {} } : {},
  cancel: {},
  requests: { tools: { call: {} } }
})

/** A server of the SDK for one session. */
export const make = (door: Door): { readonly server: Server; readonly session: Session } => {
  const { offer } = door
  const session = new Session(door)
  const requests = new Requests(door, session)
  const server = new Server(door.info, {
    capabilities: { ...capabilitiesOf(offer, "2025-11-25"), tasks: taskCapabilities(door) },
    ...offer.instructions === undefined ? {} : { instructions: offer.instructions }
  })
  numberApart(server)
  const write = (agent: string, args: JsonObject, ctx: ServerContext) => {
    const contract = door.calls.contract(agent)
    if (contract === undefined) throw invalid(`Unknown agent: ${agent}`)
    const written = requests.plain({ contract, arguments: args, ctx })
    return door.run(Effect.map(written, (result) => result["structuredContent"] ?? result), ctx.mcpReq.signal)
  }
  register(server, { ...door, revision: "2025-11-25", write, tools: () => door.tools(session.hasTasks) })
  server.fallbackRequestHandler = (request, ctx) => {
    const params = (request.params ?? {}) as JsonObject
    session.capabilities = (server.getClientCapabilities() ?? {}) as JsonObject
    const handled = handle(requests, door, { method: request.method, params, ctx })
    if (handled === undefined) throw new ProtocolError(methodNotFound, "Method not found")
    return door.run(handled, ctx.mcpReq.signal) as never
  }
  server.oninitialized = () => {
    session.capabilities = (server.getClientCapabilities() ?? {}) as JsonObject
  }
  registerLocal(server, session)
  registerTasks(server, door, requests)
  return { server, session }
}

interface Incoming {
  readonly method: string
  readonly params: JsonObject
  readonly ctx: ServerContext
}

const handle = (requests: Requests, door: Door, { ctx, method, params }: Incoming) => {
  switch (method) {
    case "tools/call":
      return requests.callTool(params, ctx)
    case "tasks/list":
      return door.caller.isIdentified ? requests.list(params["cursor"]) : undefined
  }
  return undefined
}

type Loose = (method: string, handler: (request: any, ctx: ServerContext) => Promise<unknown>) => void

/** What concerns the session alone. */
const registerLocal = (server: Server, session: Session): void => {
  const on = server.setRequestHandler.bind(server) as unknown as Loose
  on("logging/setLevel", async ({ params }) => {
    session.setLogLevel(params.level)
    return {}
  })
  // resources do not change while a service runs: there is nothing to tell a subscriber
  on("resources/subscribe", async () => ({}))
  on("resources/unsubscribe", async () => ({}))
}

const registerTasks = (server: Server, door: Door, requests: Requests): void => {
  const on = (method: string, handle: (params: JsonObject, ctx: ServerContext) => Effect.Effect<unknown, unknown>) =>
    server.setRequestHandler(
      method as never,
      { params: loose, result: loose } as never,
      ((params: JsonObject, ctx: ServerContext) => door.run(handle(params, ctx), ctx.mcpReq.signal)) as never
    )
  on("tasks/get", ({ taskId }, ctx) => requests.get(taskId, ctx))
  on("tasks/result", ({ taskId }, ctx) => requests.result(taskId, ctx))
  on("tasks/cancel", ({ taskId }, ctx) => requests.cancel(taskId, ctx))
}
