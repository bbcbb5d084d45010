/**
 * A named, typed, task-capable tool with a handler.
 *
 * `make` gives a constant: the contract and the way to call it. `toLayer` gives it code. Calling it looks the same
 * wherever that code runs; every call is a task of its own, whose result is read from the log.
 */
import { type Contract, isToolName, type TaskPolicy } from "@coppice/task/Contract"
import { RemoteFailure } from "@coppice/task/RemoteFailure"
import type { RemoteVerify } from "@coppice/task/RemoteVerify"
import type { ParentExit } from "@coppice/task/Task"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { BudgetExceeded, CallError, NotAccepted, OutcomeUnknown } from "./AgentError.ts"
import { AgentSupervisor, type ChildOptions } from "./AgentSupervisor.ts"
import type { Migration } from "./internal/AgentServer.ts"
import { call } from "./internal/call.ts"
import { type Codecs, codecs, contractOf } from "./internal/codecs.ts"
import { callEphemeral } from "./internal/ephemeral.ts"
import type { Limits } from "./Limits.ts"
import type { TaskContext } from "./TaskContext.ts"

export type { Migration } from "./internal/AgentServer.ts"

/** A schema whose encoded side can be JSON and that needs no services. */
export type Pure = Schema.Codec<any, any>

/** What a definition says. Durations and limits have defaults in brackets. */
export interface AgentOptions<I extends Pure, O extends Pure, E extends Pure> {
  readonly description: string
  readonly input: I
  readonly output: O
  /** Errors the agent declares; they reach the caller as themselves. [none] */
  readonly error?: E | undefined
  /** Changes when old tasks must not meet new code. [a digest of the schemas] */
  readonly version?: string | undefined
  /** How this version finds what older ones have recorded, should a person choose to migrate a task. [nothing] */
  readonly migrate?: Migration | undefined
  /** When a call from outside becomes a task its peer can see. ["slow"] */
  readonly task?: TaskPolicy | undefined
  /** `false`: MCP hosts are not offered this agent; other agents and people still call it. [true] */
  readonly listed?: boolean | undefined
  /** Executions running code at once; a waiting task holds no place. [1,000] */
  readonly concurrency?: number | undefined
  /** Tasks that may wait for a place. [20,000] */
  readonly queue?: number | undefined
  /** Executions a task may lose to defects before it fails. [3] */
  readonly attempts?: number | undefined
  /**
   * How long its code may run without a sign of life before the attempt is ended and another one begins. Signs are
   * whatever is recorded of the task or its calls, and `Durable.heartbeat`. Waiting is never silence. At least a second.
   * [for ever]
   */
  readonly stall?: Duration.Input | undefined
  /** How long a call takes at least: one that has less time until its deadline is refused. [nothing] */
  readonly takes?: Duration.Input | undefined
  /** `true`: a call has no log of its own; it is one recorded step of its caller. [false] */
  readonly ephemeral?: boolean | undefined
}

/** What one call may say. */
export interface CallOptions {
  /** The task fails when this much task time has passed; never later than the caller's own deadline. */
  readonly deadline?: number | undefined
  /**
   * What happens to the child when its caller ends, in whatever way, while it still runs. `stop`: it is cancelled.
   * `continue`: it goes on by itself, and only its own id cancels it. `adopt`: the nearest living task above the caller is
   * responsible for it from then on: the child is cancelled with it, and settles before it; without one it is cancelled. [stop]
   */
  readonly onParentExit?: ParentExit | undefined
  /**
   * What the call and all below it may use. It is reserved from the budget above, never more than what is left of that,
   * and what is unused comes back when the call has come to rest.
   */
  readonly budget?: Limits | undefined
  /**
   * Calls although the same agent is under way above with the same input: for handlers that decide otherwise the next
   * time, by the time of day or by a step. The depth of the tree is limited all the same. [false]
   */
  readonly allowCycle?: boolean | undefined
}

export interface Agent<Name extends string, I extends Pure, O extends Pure, E extends Pure> {
  readonly name: Name
  readonly contract: Contract
  readonly input: I
  readonly output: O
  readonly error: E
  readonly isEphemeral: boolean
  /**
   * Hands the input to the agent and waits for its output.
   *
   * **Details**
   *
   * The call is keyed by the agent's name, the input and how many times that input was called before in this task, so a
   * replay finds its result again. Interrupting the call, or losing a race, cancels the child task with its whole tree
   * and waits until it has settled.
   *
   * **Gotchas**
   *
   * Outside a handler there is no task to call from: submit a run instead.
   */
  readonly call: (
    input: I["Type"],
    options?: CallOptions
  ) => Effect.Effect<O["Type"], E["Type"] | CallError, TaskContext>
  /**
   * Gives the agent its code, as a supervised agent server.
   *
   * **Details**
   *
   * The handler may fail with the declared error. A `CallError`, `NotAccepted` or `OutcomeUnknown` it does not handle fails the task too,
   * as an error its contract does not know, and without another attempt: a replay would only read it again.
   *
   * **Gotchas**
   *
   * The handler is run again after a crash or an eviction, up to where the log ends. Whatever it does outside
   * `Step.run` happens again then, and its finalizers run at every suspension.
   *
   * What a dying handler does in its finalizers is recorded like all else. If it died of something that does not come
   * back, such as input or output outside a step, the next attempt does not ask for the steps its finalizers had run, and
   * the task asks how to go on, as if the code had changed: what may break belongs into steps.
   */
  readonly toLayer: <R>(
    handler: (
      input: I["Type"]
    ) => Effect.Effect<O["Type"], E["Type"] | CallError | NotAccepted | BudgetExceeded | OutcomeUnknown, R>,
    options?: ChildOptions
  ) => Layer.Layer<never, never, AgentSupervisor | Exclude<R, TaskContext>>
}

export type Any = Agent<string, Pure, Pure, Pure>

/** Thrown by `make` when a definition cannot work; a mistake in the program, not a runtime failure. */
const refuse = (name: string, problem: string): never => {
  throw new TypeError(`Agent "${name}": ${problem}`)
}

const positive = (name: string, field: string, value: number | undefined, fallback: number): number => {
  if (value === undefined) return fallback
  if (!Number.isSafeInteger(value) || value < 1) {
    refuse(name, `${field} must be a whole number of at least 1, not ${value}`)
  }
  return value
}

const shortestStall = 1_000

/** Milliseconds; silence is looked for once a second. */
const stallOf = (name: string, { ephemeral, stall }: AgentOptions<Pure, Pure, Pure>): number | undefined => {
  if (stall === undefined) return undefined
  if (ephemeral === true) {
    refuse(name, "stall: an ephemeral agent has no attempts of its own; give stall to the agents that call it")
  }
  const millis = Option.match(Duration.fromInput(stall), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  if (!(millis >= shortestStall && Number.isFinite(millis))) {
    refuse(name, `stall must be a duration of at least 1 second, such as "1 minute", not ${JSON.stringify(stall)}`)
  }
  return Math.ceil(millis)
}

/** @internal */
export const makeKind = <const Name extends string, I extends Pure, O extends Pure, E extends Pure>(
  kind: Contract["kind"],
  name: Name,
  options: AgentOptions<I, O, E>
): Agent<Name, I, O, E> => {
  if (!isToolName(name)) {
    refuse(name, "a name has 1 to 128 characters of A–Z, a–z, 0–9, underscore, hyphen and dot (MCP's tool names)")
  }
  const error = (options.error ?? Schema.Never) as E
  const all: Codecs = codecs(name, options.input, options.output, error)
  const stall = stallOf(name, options)
  const contract = contractOf({
    name,
    kind,
    description: options.description,
    version: options.version,
    policy: options.task ?? "slow",
    listed: options.listed ?? true,
    concurrency: positive(name, "concurrency", options.concurrency, 1_000),
    queue: positive(name, "queue", options.queue, 20_000),
    attempts: positive(name, "attempts", options.attempts, 3),
    ...options.takes === undefined ? {} : { takes: Duration.toMillis(options.takes) },
    ...stall === undefined ? {} : { stall },
    input: options.input,
    output: options.output,
    error: options.error
  })
  const isEphemeral = options.ephemeral === true
  return {
    name,
    contract,
    input: options.input,
    output: options.output,
    error,
    isEphemeral,
    call: (input, callOptions) =>
      isEphemeral ? callEphemeral(contract, all, input) : call(contract, all, input, callOptions),
    toLayer: (handler, childOptions) =>
      Layer.effectDiscard(
        Effect.gen(function*() {
          const supervisor = yield* AgentSupervisor
          const context = yield* Effect.context()
          const { migrate } = options
          yield* supervisor.add(
            { contract, context, migrate, ...all.implement(handler as never) },
            childOptions ?? {}
          )
        })
      ) as never
  }
}

/** Defines an agent. See `AgentOptions` for what can be said and what the defaults are. */
export const make = <const Name extends string, I extends Pure, O extends Pure, E extends Pure = typeof Schema.Never>(
  name: Name,
  options: AgentOptions<I, O, E>
): Agent<Name, I, O, E> => makeKind("agent", name, options)

/** What is said of a tool of a foreign MCP server. Limits have defaults in brackets. */
export interface RemoteOptions<I extends Pure, O extends Pure> {
  /** The tool's name there. [the agent's own] */
  readonly tool?: string | undefined
  readonly description?: string | undefined
  /** Checked before anything is sent. [any object] */
  readonly input?: I | undefined
  /** Read from the tool's structured content, or its one text. [what the tool returns, as JSON] */
  readonly output?: O | undefined
  /** Calling it twice does no harm: a call whose fate is unknown is repeated. [false] */
  readonly idempotent?: boolean | undefined
  /** Otherwise, another tool of the server that tells whether a call happened; a person is asked where it cannot. */
  readonly verify?: RemoteVerify | undefined
  /** `forbid`: never as a task, even where the server has them. ["prefer"] */
  readonly task?: "prefer" | "forbid" | undefined
  /** MCP hosts of this service are offered it as well. [false] */
  readonly listed?: boolean | undefined
  /** How long the first reply may take. [no limit] */
  readonly timeout?: Duration.Input | undefined
  /** Calls at once. [64] */
  readonly concurrency?: number | undefined
  /** Executions a task may lose to a server out of reach. [5] */
  readonly attempts?: number | undefined
}

/** A tool of a foreign MCP server, called like any agent. It is data: `servers` of an orchestrator says where it is. */
export interface Remote<Name extends string, I extends Pure, O extends Pure>
  extends Pick<Agent<Name, I, O, typeof RemoteFailure>, "name" | "contract" | "input" | "output" | "error" | "call">
{
  readonly remote: RemoteOptions<I, O>
}

/**
 * A tool of a foreign MCP server as an agent.
 *
 * **Details**
 *
 * Its task is one `tools/call` there: a task where the server has tasks, a plain call where it has none. Its questions
 * come to this service's inbox, cancelling it cancels there, and after a crash the same remote task is followed again.
 * A result that says `isError` fails the call with `RemoteFailure`.
 *
 * **Gotchas**
 *
 * A plain call that was under way when this service died, or when its connection broke, may have run. It is repeated only
 * if `idempotent` says that this does no harm. Otherwise `verify` looks; where it cannot tell, or there is none, a person is
 * asked what became of it.
 */
export const remote = <
  const Name extends string,
  I extends Pure = typeof Schema.JsonObject,
  O extends Pure = typeof Schema.Json
>(name: Name, options: RemoteOptions<I, O> = {}): Remote<Name, I, O> => {
  const made = makeKind("agent", name, {
    description: options.description ?? "",
    input: (options.input ?? Schema.JsonObject) as I,
    output: (options.output ?? Schema.Json) as O,
    error: RemoteFailure,
    listed: options.listed ?? false
  })
  const { call, contract, error, input, output } = made
  return { name, contract, input, output, error, call, remote: options }
}
