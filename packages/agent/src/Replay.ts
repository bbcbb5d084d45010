/**
 * Runs a recorded task again with the code there is now, offline: no body of a step runs, no call leaves, nothing is written.
 *
 * What the code asks for is answered from the record. It is the same replay a crash causes, but for its end: where the code
 * wants more than was recorded, it is stopped and that is told.
 */
import { canonical } from "@coppice/task/Payload"
import type { TaskId } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import type { Entry } from "@coppice/task/TaskLog"
import { replay } from "@coppice/task/TaskMachine"
import type { Journal } from "@coppice/task/TaskStore"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { Scheduler } from "effect/Scheduler"
import type { Json } from "effect/Schema"
import { OutgrownInput, ReplayMismatch } from "./AgentError.ts"
import { CallCodec } from "./CallCodec.ts"
import { AgentServer, type Definition } from "./internal/AgentServer.ts"
import { misfitLines, phrase } from "./internal/diff.ts"
import { Execution } from "./internal/Execution.ts"
import type { Host } from "./internal/Host.ts"
import { read, type Recorded } from "./internal/Journal.ts"

/** Real time the code may take between two facts, and in the end. */
const patience = Duration.seconds(5)
const grace = Duration.seconds(1)

/** `undefined`: the code came to the recorded end. */
export type Drift = string | undefined

interface Case {
  readonly definition: Definition
  readonly journal: Journal
  readonly past: Recorded
  readonly ending: TaskEvent | undefined
}

const brief = (value: Json): string => {
  const text = JSON.stringify(value)
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`
}

/** What ended the task lay outside its code: it may have been about to do more than was recorded. */
const isFromOutside = (ending: TaskEvent | undefined): boolean =>
  ending === undefined || ending._tag === "Cancelled" || ending._tag === "Failed" && ending.reason !== "agent_error"

const endOf = (ending: TaskEvent | undefined): string => {
  switch (ending?._tag) {
    case "Completed":
      return `completed with ${brief(ending.result)}`
    case "Failed":
      return ending.reason === "agent_error" ? `failed with ${brief(ending.error)}` : `failed (${ending.reason})`
    case "Cancelled":
      return "cancelled"
    default:
      return "under way"
  }
}

const differs = (ending: TaskEvent | undefined, now: string): string =>
  `  - ${endOf(ending)}   (recorded)\n  + ${now}   (the code)`

/** How the code's end compares with the recorded one. */
const compare = ({ ending, past }: Case, exit: Exit.Exit<unknown, unknown>): Drift => {
  if (Exit.isSuccess(exit)) {
    const result = exit.value as Json
    const isSame = ending?._tag === "Completed" && canonical(ending.result) === canonical(result)
    return isSame ? undefined : differs(ending, `completed with ${brief(result)}`)
  }
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  if (failed !== undefined && !Cause.hasDies(exit.cause)) {
    const error = failed.error as Json
    const isSame = ending?._tag === "Failed" && ending.reason === "agent_error" &&
      canonical(ending.error) === canonical(error)
    return isSame ? undefined : differs(ending, `failed with ${brief(error)}`)
  }
  const defect = Cause.squash(exit.cause)
  if (defect instanceof ReplayMismatch || defect instanceof OutgrownInput) return misfitLines(defect, past.questions)
  if (!Cause.hasDies(exit.cause) || isFromOutside(ending)) return undefined
  return differs(ending, `died: ${String(defect).split("\n")[0]}`)
}

const ignored = (): Result.Result<ReadonlyArray<TaskEvent>> => Result.succeed([])

/** A process in which nothing happens. */
const makeHost = (outside: Context.Context<never>, more: Pick<Host, "beyond" | "ready" | "ended">): Host =>
  ({
    ...more,
    log: { now: () => 0, dispatch: ignored, isDurable: () => true, afterCommit: () => {}, clearTimer: () => {} },
    codec: Context.get(outside, CallCodec),
    limits: { depth: Infinity, calls: Infinity },
    code: undefined,
    grace,
    clock: Context.get(outside, Clock.Clock),
    outside,
    fork: Effect.runForkWith(outside),
    watch: (_: Execution, run: () => unknown) => run(),
    leaving: () => {}
  }) as unknown as Host

const run = (task: Case, entry: Entry, outside: Context.Context<never>): Effect.Effect<Drift> =>
  Effect.callback<Drift>((resume) => {
    const end = (drift: Drift): void => resume(Effect.succeed(drift))
    /** The code wants something the record has no answer to. */
    const stopped = (how: string, key: string): void =>
      end(isFromOutside(task.ending) ? undefined : differs(task.ending, `${how} ${phrase(key, task.past.questions)}`))
    const turn = (execution: Execution): void => {
      if (execution.turn(Infinity) !== "idle" || execution.isReplaying) return
      const [key] = execution.waitingFor
      if (key !== undefined) stopped("waits for", key)
    }
    const host = makeHost(outside, {
      beyond: (execution, key) => {
        if (key.startsWith("steer:")) return
        stopped("goes on with", key)
        execution.suspend()
      },
      ready: (execution) => setImmediate(() => turn(execution)),
      ended: (_, __, exit) => end(compare(task, exit))
    })
    const server = new AgentServer(task.definition, host)
    const execution = new Execution(server, entry, task.past.input, task.past)
    host.ready(execution)
    return Effect.sync(() => execution.abandon())
  })

/** The journal up to the end, and the end. */
const split = ({ children, events }: Journal): Pick<Case, "journal" | "ending"> => {
  const at = events.findIndex(({ event }) =>
    event._tag === "Completed" || event._tag === "Failed" || event._tag === "Cancelled"
  )
  const seq = at < 0 ? Infinity : events[at]!.seq
  // what settled after the end reached nobody
  const earlier = children.map((child) =>
    (child.settledSeq ?? Infinity) < seq ? child : { ...child, settledSeq: null, settledAt: null, ending: null }
  )
  return {
    journal: { events: at < 0 ? events : events.slice(0, at), children: earlier },
    ending: at < 0 ? undefined : events[at]!.event
  }
}

/**
 * Runs one recorded task again. Succeeds with what differs, as lines for people.
 *
 * **Gotchas**
 *
 * Code outside steps runs as in any replay, and may reach the world. Code that was only lost to a crash, a cancellation or a
 * deadline is compared up to there.
 */
export const task = (definition: Definition, id: TaskId, recorded: Journal): Effect.Effect<Drift> =>
  Effect.gen(function*() {
    const { ending, journal } = split(recorded)
    const state = replay(id, journal.events)
    if (state === undefined || state.attempt === 0) return undefined
    const outside = Context.mergeAll(
      Context.make(Clock.Clock, yield* Clock.Clock),
      Context.make(Random.Random, yield* Random.Random),
      Context.make(Scheduler, yield* Scheduler),
      Context.make(CallCodec, yield* CallCodec)
    )
    const entry: Entry = { state, pins: 1, held: true, parked: false, createdSeq: 0, endedSeq: null, settledSeq: null }
    const told = { definition, journal, ending, past: read(journal, false) }
    const drift = yield* Effect.timeoutOption(run(told, entry, outside), patience)
    return drift._tag === "Some" ? drift.value : differs(ending, "waits for something outside the log")
  })
