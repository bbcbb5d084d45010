/**
 * A tool of somebody else's MCP server, as an agent of this tree.
 *
 * `make` is pure data: which server, which tool, and what this side knows better than the server does. `serve` gives a
 * server's agents their workers: each task of such an agent is one `tools/call` there, a task where the server has tasks
 * and a plain call where it has none. Its questions come to our inbox, cancelling it cancels there, and after a crash
 * the same remote task is followed again.
 *
 * A server tells a broken tool (`isError`) from a broken server; the first is the declared error `RemoteFailure`, the
 * second a defect. A server that keeps failing is left alone for a while.
 */
import { type Contract, isToolName, jsonSchemaOf, versionOf } from "@coppice/task/Contract"
import { describe } from "@coppice/task/Form"
import { makeLineage } from "@coppice/task/Lineage"
import { RemoteFailure } from "@coppice/task/RemoteFailure"
import { problemOf as verifyProblem, type RemoteVerify } from "@coppice/task/RemoteVerify"
import { Settler } from "@coppice/task/Settler"
import { TaskLog } from "@coppice/task/TaskLog"
import { TaskStore } from "@coppice/task/TaskStore"
import { type Breaker, InvalidInput, type Worker, Workers } from "@coppice/task/Worker"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type * as Scope from "effect/Scope"
import { messageOf } from "./internal/client/errors.ts"
import type { Rejected, Remote } from "./internal/client/RemoteRun.ts"
import { RemoteWorker } from "./internal/client/RemoteWorker.ts"
import { isObject } from "./internal/client/rpc.ts"
import { plainOutput, readings, wholeOutput } from "./internal/client/verdict.ts"
import type { McpClient, McpError, Tool } from "./McpClient.ts"

type Pure = Schema.Codec<any, any>

/** What is said about a remote agent. Limits have defaults in brackets. */
export interface RemoteAgentOptions {
  /** The name its callers use. */
  readonly name: string
  /** The server's name in the configuration. */
  readonly server: string
  /** The tool's name there. [`name`] */
  readonly tool?: string | undefined
  readonly description?: string | undefined
  /** Checked before anything is sent. [the tool's own schema, unchecked] */
  readonly input?: Pure | undefined
  /** Read from the tool's structured content. [the tool's own schema, unchecked] */
  readonly output?: Pure | undefined
  /** Its results are passed on as they are: content blocks, and what is structured. [false] */
  readonly passthrough?: boolean | undefined
  /** MCP hosts of this service are offered it. [false] */
  readonly listed?: boolean | undefined
  /** Calling it twice does no harm: a call whose fate is unknown is repeated. [false] */
  readonly idempotent?: boolean | undefined
  /** Otherwise, how to ask the server whether it happened before a person is asked. */
  readonly verify?: RemoteVerify | undefined
  /** `forbid`: never as a task, even where the server could. [prefer] */
  readonly task?: "prefer" | "forbid" | undefined
  /** How long the first reply may take. [no limit] */
  readonly timeout?: Duration.Input | undefined
  /** How long the server may be out of reach before an attempt is given up. [1 minute] */
  readonly patience?: Duration.Input | undefined
  /** Calls at once. [64] */
  readonly concurrency?: number | undefined
  /** Tasks that may wait for a place. [20,000] */
  readonly queue?: number | undefined
  /** Executions a task may lose to a server out of reach. [5] */
  readonly attempts?: number | undefined
}

export interface RemoteAgent extends RemoteAgentOptions {
  readonly tool: string
}

/** A mistake in the program, not a runtime failure. */
const refuse = (name: string, problem: string): never => {
  throw new TypeError(`Remote agent "${name}": ${problem}`)
}

export const make = (options: RemoteAgentOptions): RemoteAgent => {
  const { attempts, concurrency, name, queue } = options
  if (!isToolName(name)) refuse(name, "a name has 1 to 128 characters of A–Z, a–z, 0–9, underscore, hyphen and dot")
  for (const [field, value] of Object.entries({ attempts, concurrency, queue })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      refuse(name, `${field} must be a whole number of at least 1, not ${value}`)
    }
  }
  const problem = options.verify === undefined ? undefined : verifyProblem(options.verify)
  if (problem !== undefined) refuse(name, problem)
  return { ...options, tool: options.tool ?? name }
}

/** An agent for each tool of a server, named `prefix` and the tool's name. */
export const discover = (client: McpClient, prefix = ""): Effect.Effect<ReadonlyArray<RemoteAgent>, McpError> =>
  Effect.map(
    client.tools,
    (tools) =>
      tools.map(({ description, name }) => make({ name: prefix + name, tool: name, server: client.name, description }))
  )

// ---------------------------------------------------------------- contract

const anyObject: Schema.JsonObject = { type: "object" }
const plainResult: Schema.JsonObject = {
  type: "object",
  properties: { content: { type: "array" } },
  required: ["content"]
}

/** What the agent promises, as far as this side and the server know. */
export const contractOf = (agent: RemoteAgent, tool: Tool | undefined): Contract => {
  const input = agent.input === undefined ? tool?.inputSchema ?? anyObject : jsonSchemaOf(agent.input)
  const output = agent.output === undefined ? tool?.outputSchema ?? plainResult : jsonSchemaOf(agent.output)
  const error = jsonSchemaOf(RemoteFailure)
  return {
    name: agent.name,
    description: agent.description ?? tool?.description ?? "",
    version: versionOf(input, output, error),
    kind: "agent",
    input,
    output,
    error,
    policy: "slow",
    content: agent.passthrough === true,
    listed: agent.listed === true,
    concurrency: agent.concurrency ?? 64,
    queue: agent.queue ?? 20_000,
    attempts: agent.attempts ?? 5
  }
}

/** A value as its schema writes it, or why it does not fit. */
const normal = (schema: Pure) => {
  const codec = Schema.toCodecJson(schema)
  const decode = SchemaParser.decodeUnknownExit(codec)
  const encode = SchemaParser.encodeUnknownExit(codec)
  return (json: unknown): { readonly value: Schema.Json } | { readonly problem: string } => {
    const decoded = decode(json)
    const encoded = Exit.isSuccess(decoded) ? encode(decoded.value) : decoded
    return Exit.isSuccess(encoded) ? { value: encoded.value } : { problem: problemOf(causeOf(encoded)) }
  }
}

const problemOf = (error: unknown): string => SchemaIssue.isIssue(error) ? describe(error) : messageOf(error)

const acceptor = ({ input, name }: RemoteAgent): Worker["accept"] => {
  const refused = (message: string) => Effect.fail(new InvalidInput({ agent: name, path: "", message }))
  if (input === undefined) {
    return (json) => isObject(json) ? Effect.succeed(json) : refused("a tool's input is an object")
  }
  const read = normal(input)
  return (json) => {
    const found = read(json)
    if ("problem" in found) return refused(found.problem)
    return isObject(found.value) ? Effect.succeed(found.value) : refused("a tool's input is an object")
  }
}

const causeOf = (exit: Exit.Failure<unknown, unknown>): unknown => {
  const failed = exit.cause.reasons[0]
  return failed !== undefined && "error" in failed ? failed.error : exit.cause
}

const outputOf = ({ output, passthrough }: RemoteAgent): Remote["output"] => {
  if (passthrough === true) return wholeOutput
  if (output === undefined) return plainOutput
  const read = normal(output)
  return (result) => {
    const found = readings(result).map(read)
    return found.find((one) => "value" in one) ?? found[0] ?? { problem: "it is neither structured nor one text" }
  }
}

// ---------------------------------------------------------------- serving

/** When a server is left alone: so many failures in a row, for so long at first. */
const tripAfter = 5
const openFor = "5 seconds"
const openAtMost = "1 minute"

const breaker = (server: string) =>
  Effect.gen(function*() {
    const circuit = yield* CircuitBreaker.make({
      tripPolicy: CircuitBreaker.consecutive(tripAfter),
      openDuration: openFor,
      maxOpenDuration: openAtMost
    })
    const guarded: Remote["guarded"] = (call) =>
      circuit.execute(call, {
        key: server,
        classify: (exit) => {
          if (Exit.isSuccess(exit)) return CircuitBreaker.success
          const error = causeOf(exit) as McpError | undefined
          return error?.isTransient === true
            ? CircuitBreaker.failure({ retryAfter: error.retryAfter })
            : CircuitBreaker.ignored
        }
      }).pipe(
        Effect.mapError((error): McpError | Rejected =>
          error._tag === "CircuitBreakerError" ? rejected(server, error) : error
        )
      )
    const state = Effect.zipWith(
      Effect.orElseSucceed(circuit.state(server), (): CircuitBreaker.State => ({ _tag: "Closed", key: server })),
      Clock.currentTimeMillis,
      breakerAt
    )
    return { guarded, state }
  }).pipe(Effect.provide(CircuitBreaker.layerStoreMemory()))

const breakerAt = (state: CircuitBreaker.State, now: number): Breaker => {
  switch (state._tag) {
    case "Closed":
      return { state: "closed", until: null, openings: 0 }
    case "Open":
      return { state: "open", until: now + Duration.toMillis(state.retryAfter), openings: state.consecutiveOpenings }
    case "HalfOpen":
      return { state: "half_open", until: null, openings: state.consecutiveOpenings }
  }
}

const rejected = (server: string, { reason }: CircuitBreaker.CircuitBreakerError): Rejected => ({
  _tag: "Rejected",
  message: `Server "${server}" has failed ${tripAfter} times in a row and is left alone for a while`,
  retryAfter: reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : 1_000
})

/** What the server says about the tool; an unreachable server leaves the schemas open. */
const described = (client: McpClient): Effect.Effect<ReadonlyMap<string, Tool>> =>
  client.tools.pipe(
    Effect.timeout("10 seconds"),
    Effect.map((tools) => new Map(tools.map((tool) => [tool.name, tool]))),
    Effect.catch((error) =>
      Effect.as(
        Effect.logWarning(`The tools of server "${client.name}" are not known yet`, messageOf(error)),
        new Map<string, Tool>()
      )
    )
  )

/** Serves a server's agents until the scope closes; then their tasks stay in the log, to be resumed. */
export const serve = (
  client: McpClient,
  agents: ReadonlyArray<RemoteAgent>
): Effect.Effect<void, never, Scope.Scope | TaskLog | TaskStore | Settler | Workers> =>
  Effect.gen(function*() {
    const log = yield* TaskLog
    const store = yield* TaskStore
    const settler = yield* Settler
    const workers = yield* Workers
    const lineage = makeLineage(store)
    const tools = yield* described(client)
    const { guarded, state } = yield* breaker(client.name)
    const fork = yield* FiberSet.makeRuntime<never, any, never>()
    for (const agent of agents) {
      const contract = contractOf(agent, tools.get(agent.tool))
      const remote: Remote = {
        agent: agent.name,
        server: client.name,
        tool: agent.tool,
        output: outputOf(agent),
        isTyped: agent.output !== undefined && agent.passthrough !== true,
        verify: agent.verify,
        isCoppice: client.isCoppice,
        client,
        log,
        attempts: contract.attempts,
        mayRepeat: agent.idempotent === true || client.isCoppice,
        task: agent.task ?? "prefer",
        timeout: agent.timeout === undefined ? undefined : Duration.toMillis(agent.timeout),
        patience: agent.patience === undefined ? undefined : Duration.toMillis(agent.patience),
        lineage,
        guarded
      }
      const worker = new RemoteWorker({
        contract,
        remote,
        store,
        settler,
        breaker: state,
        accept: acceptor(agent),
        fork
      })
      const stop = log.onCommit(worker.committed)
      yield* Effect.addFinalizer(() => Effect.andThen(Effect.sync(stop), worker.close))
      yield* workers.register(worker)
    }
  })

/** `serve` as a layer. */
export const layer = (
  client: McpClient,
  agents: ReadonlyArray<RemoteAgent>
): Layer.Layer<never, never, TaskLog | TaskStore | Settler | Workers> => Layer.effectDiscard(serve(client, agents))
