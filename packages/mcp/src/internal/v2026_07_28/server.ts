/**
 * One request of MCP 2026-07-28: stateless, with the peer's capabilities in its envelope.
 *
 * ```text
 *  tools/call ─► ended in time? ─► the result
 *             ─► asks the caller? ─► input_required, with a state that names the task
 *             ─► takes longer?  ─► a task, if the caller can have one; else it waits
 * ```
 */
import type { Contract } from "@coppice/task/Contract"
import type { Task } from "@coppice/task/Task"
import type { StoreError } from "@coppice/task/TaskStore"
import type { InvalidInput } from "@coppice/task/Worker"
import { ProtocolError, Server, type ServerContext } from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { JsonObject } from "effect/Schema"
import * as Meta from "../../Meta.ts"
import { canAnswer, isForClientOnly, neededFor, type Peer } from "../../Peer.ts"
import { capabilitiesOf, register } from "../server/Base.ts"
import { type Request, type Settled } from "../server/Calls.ts"
import { type Door, metaOf } from "../server/Door.ts"
import { toRequests, toWire } from "../server/inputs.ts"
import { relay } from "../server/relay.ts"
import { loose } from "../server/schema.ts"
import { failedResult, resultOf } from "../server/tool.ts"
import { invalid, methodNotFound, missingCapability, noTask, WireError } from "../server/wireError.ts"
import { created, detailed } from "./codec.ts"
import * as State from "./State.ts"

const needsTasks = { extensions: { [Meta.tasksExtension]: {} } }

const refusal = (requiredCapabilities: JsonObject) => ({
  code: missingCapability,
  message: "Missing required client capability",
  data: { requiredCapabilities }
})

const lacksCapability = (required: JsonObject): WireError => new WireError(refusal(required))

/** The refusal of what needs the tasks extension. */
export const lacksTasks: JsonObject = refusal(needsTasks)

/** The capabilities declared in a request's envelope: nothing is remembered from another. */
export const declaredIn = (envelope: unknown): JsonObject => {
  const declared = (envelope as JsonObject | undefined)?.[Meta.clientCapabilities]
  return Predicate.isObject(declared) ? declared as JsonObject : {}
}

const capabilitiesIn = (ctx: ServerContext): JsonObject => declaredIn(ctx.mcpReq.envelope)

export const declaresTasks = (capabilities: JsonObject): boolean =>
  Predicate.hasProperty(capabilities["extensions"], Meta.tasksExtension)

/** A request of a tool, and how its caller can be served. */
interface Call {
  readonly peer: Peer
  readonly contract: Contract
  readonly request: Request
  readonly ctx: ServerContext
  readonly answers: Readonly<Record<string, unknown>>
  readonly mayHaveTask: boolean
}

const roundOf = ({ contract, peer, request }: Call): State.Round => ({
  peer,
  name: contract.name,
  arguments: request.arguments
})

/** The task of a call: the one its state names, or a new one. */
const begin = (door: Door, call: Call): Effect.Effect<Task, WireError | InvalidInput | StoreError> => {
  const state: unknown = call.ctx.mcpReq.requestState()
  if (state === undefined) return door.calls.submit(call.peer, call.contract, call.request)
  const id = typeof state === "string" ? State.read(door.calls.seal, roundOf(call), state, door.now()) : undefined
  return id === undefined
    ? Effect.fail(invalid("Invalid or expired requestState"))
    : Effect.catchTag(door.calls.verbs.get(id), "TaskNotFound", () => Effect.fail(noTask()))
}

/** How long the call waits before it answers with a task; `undefined`: as long as it takes. */
const patienceOf = (door: Door, { contract, mayHaveTask }: Call): number | undefined => {
  if (!mayHaveTask || contract.policy === "never") return undefined
  return contract.policy === "slow" ? door.patience : 0
}

const inputRequired = (
  door: Door,
  call: Call,
  task: Task,
  inputs: Settled & { readonly _tag: "Asked" }
): JsonObject => ({
  resultType: "input_required",
  inputRequests: toRequests(inputs.inputs.map((input) => toWire(task.id, input))),
  requestState: State.mint(door.calls.seal, roundOf(call), task.id, door.now())
})

/** Asks the caller in another round, or says what it would have had to declare. */
const ask = Effect.fnUntraced(
  function*(door: Door, call: Call, task: Task, asked: Settled & { readonly _tag: "Asked" }) {
    const answerable = asked.inputs.filter(door.calls.wantedBy(call.peer))
    for (const input of answerable) door.calls.showings.shown(call.peer, input)
    if (answerable.length > 0) return inputRequired(door, call, task, { ...asked, inputs: answerable })
    yield* Effect.ignore(door.calls.cancel(call.peer, task.id, "The caller cannot be asked what the agent needs"))
    return yield* lacksCapability(neededFor(asked.inputs[0]!.request))
  }
)

/** Waits for what comes first; answers that came with the call are given to the questions they name. */
const settle = Effect.fnUntraced(function*(door: Door, call: Call, task: Task) {
  const { calls } = door
  const wanted = calls.wantedBy(call.peer)
  const given = new Set(Object.keys(call.answers))
  const isWanted = (input: Parameters<typeof wanted>[0]) => {
    // the waiting call is this caller's way to be asked: one that cannot be has not been
    if (!canAnswer(call.peer, input.request)) calls.showings.shown(call.peer, input)
    return wanted(input) || isForClientOnly(input.request)
  }
  yield* calls.answer(call.peer, task, call.answers)
  const patience = patienceOf(door, call)
  while (true) {
    const settled: Settled = yield* calls.settle(task, { patience, wanted: isWanted })
    if (settled._tag !== "Asked" || given.size === 0) return settled
    // asked only now, and answered with the call: once each
    const unanswered = settled.inputs.filter((input) => !calls.showings.wasUnread(call.peer, input))
    const early = unanswered.map((input) => toWire(task.id, input).key).filter((key) => given.delete(key))
    if (early.length === 0) return settled
    yield* calls.answer(call.peer, task, Object.fromEntries(early.map((key) => [key, call.answers[key]])))
  }
})

/** Whether the call is answered with its task whatever the task does. */
const isTaskAtOnce = ({ contract, mayHaveTask }: Call): boolean =>
  mayHaveTask && (contract.policy === "always" || contract.policy === "required")

const answerOf = Effect.fnUntraced(function*(door: Door, call: Call, task: Task) {
  const settled = isTaskAtOnce(call) ? { _tag: "Under" } as const : yield* settle(door, call, task)
  switch (settled._tag) {
    case "Ended": {
      const result = resultOf(call.contract, settled, "2026-07-28")
      return result instanceof WireError ? yield* result : result
    }
    case "Asked":
      return yield* ask(door, call, task, settled)
    case "Under":
      return created(door.calls.seal.handle(task.id), yield* door.calls.view(task))
  }
})

const waited = (door: Door, call: Call, task: Task) =>
  Effect.flatMap(relay(door, task, call.ctx), (stop) => Effect.ensuring(answerOf(door, call, task), stop))

/**
 * Serves a call. A caller that goes away while it waits has its task cancelled, at any time, unless it is a Coppice
 * that comes back; a call that is a task at once goes on, and the idempotency key finds it again.
 */
const serve = (door: Door, call: Call): Effect.Effect<JsonObject, WireError | StoreError> => {
  return Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const task = yield* begin(door, call)
      const answer = restore(waited(door, call, task))
      return yield* isTaskAtOnce(call) ? answer : Effect.onInterrupt(answer, () => door.calls.left(call.peer, task))
    })
  ).pipe(
    Effect.catchTag("InvalidInput", (error) => Effect.succeed(failedResult(`Invalid arguments: ${error.message}`)))
  )
}

/**
 * A server of the SDK for one request, or one connection. The SDK itself answers methods nobody knows, so what is served
 * by the fallback is only there for a request that needs it.
 */
export const make = (door: Door, method: string | undefined): Server => {
  const { calls, offer } = door
  const server = new Server(door.info, {
    capabilities: {
      ...capabilitiesOf(offer, "2026-07-28"),
      extensions: { [Meta.tasksExtension]: {} }
    },
    ...offer.instructions === undefined ? {} : { instructions: offer.instructions }
  })
  const peerOf = (ctx: ServerContext): Peer => ({ ...door.caller, capabilities: capabilitiesIn(ctx) })
  const toolsFor = (ctx: ServerContext) => door.tools(declaresTasks(capabilitiesIn(ctx)))
  const callOf = (contract: Contract, params: JsonObject, ctx: ServerContext): Call => {
    const peer = peerOf(ctx)
    return {
      peer,
      contract,
      request: { name: contract.name, arguments: (params["arguments"] ?? {}) as JsonObject, meta: metaOf(ctx) },
      ctx,
      answers: ctx.mcpReq.inputResponses ?? {},
      mayHaveTask: declaresTasks(peer.capabilities)
    }
  }

  const callTool = (params: JsonObject, ctx: ServerContext) =>
    Effect.gen(function*() {
      const name = typeof params["name"] === "string" ? params["name"] : ""
      const own = toolsFor(ctx).find(name)
      if (own !== undefined) return yield* own((params["arguments"] ?? {}) as JsonObject, peerOf(ctx))
      const contract = yield* calls.tool(name)
      const call = callOf(contract, params, ctx)
      if (Meta.isWithdrawn(call.request.meta)) return yield* calls.withdraw(call.peer, contract, call.request)
      if (contract.policy === "required" && !call.mayHaveTask) return yield* lacksCapability(needsTasks)
      return yield* serve(door, call)
    })

  const write = (agent: string, args: JsonObject, ctx: ServerContext) => {
    const contract = calls.contract(agent)
    if (contract === undefined) throw invalid(`Unknown agent: ${agent}`)
    const call = callOf(contract, { arguments: args }, ctx)
    return door.run(
      Effect.map(
        serve(door, { ...call, mayHaveTask: false }),
        (result) => result["structuredContent"] === undefined ? result : result["structuredContent"]
      ),
      ctx.mcpReq.signal
    )
  }

  if (!isTaskMethod(method)) register(server, { ...door, revision: "2026-07-28", write, tools: toolsFor })
  if (method === undefined || method === "tools/call") {
    server.fallbackRequestHandler = (request, ctx) => {
      if (request.method !== "tools/call") throw new ProtocolError(methodNotFound, "Method not found")
      return door.run(callTool((request.params ?? {}) as JsonObject, ctx), ctx.mcpReq.signal) as never
    }
  }
  if (method === undefined || isTaskMethod(method)) registerTasks(server, door, peerOf)
  return server
}

/** A request about tasks needs nothing of the base registered: servers are made for one request each. */
const isTaskMethod = (method: string | undefined): boolean => method?.startsWith("tasks/") === true

type Handle = (task: Task, peer: Peer, ctx: ServerContext) => Effect.Effect<JsonObject, unknown>

const registerTasks = (server: Server, door: Door, peerOf: (ctx: ServerContext) => Peer): void => {
  const { calls } = door
  const on = (method: string, handle: Handle) =>
    server.setRequestHandler(
      method as never,
      { params: loose, result: loose } as never,
      ((params: JsonObject, ctx: ServerContext) => {
        const peer = peerOf(ctx)
        return door.run(
          Effect.suspend(() =>
            declaresTasks(peer.capabilities)
              ? Effect.flatMap(calls.find(peer, params["taskId"]), (task) => handle(task, peer, ctx))
              : lacksCapability(needsTasks)
          ),
          ctx.mcpReq.signal
        )
      }) as never
    )

  on(
    "tasks/get",
    (task, peer, ctx) =>
      Effect.flatMap(
        calls.beside(peer, task.id, metaOf(ctx)),
        (beside) =>
          Effect.map(calls.shownTo(peer, task), (view) => ({
            ...detailed(calls.seal.handle(task.id), calls.contract(task.agent), view),
            ...beside
          }))
      )
  )
  on("tasks/update", (task, peer, ctx) => Effect.as(calls.answer(peer, task, ctx.mcpReq.inputResponses ?? {}), {}))
  on(
    "tasks/cancel",
    (task, peer, ctx) =>
      calls.cancel(peer, task.id).pipe(
        Effect.catchTag("Refused", () => Effect.void),
        Effect.andThen(Effect.suspend(() => calls.report(peer, task.id, metaOf(ctx))))
      )
  )
}
