/**
 * Recorded runs as regression tests: the code there is now, run again over what was recorded, offline.
 *
 * A recording is a run's facts: `coppice export <run>` writes one, `record` takes one in a test. Keep it beside the code,
 * and `check` says with every change whether that run would still come to the same end.
 */
import * as Agents from "@coppice/agent/Replay"
import { isTerminal, type TaskId } from "@coppice/task/Task"
import { Envelope, isEnding } from "@coppice/task/TaskEvent"
import { evolve, type TaskState } from "@coppice/task/TaskMachine"
import { type AmbiguousId, TaskNotFound, Tasks } from "@coppice/task/Tasks"
import type { ChildRecord, Journal, StoreError } from "@coppice/task/TaskStore"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { copyOf } from "./internal/copyOf.ts"
import { type Definition, definitionsOf } from "./internal/definitions.ts"
import type { Orchestrator } from "./Orchestrator.ts"

/** The facts of one run, in the order of the log. */
export interface Recording {
  readonly run: TaskId
  readonly events: ReadonlyArray<Envelope>
}

/** What became of one task of the recording. */
export interface Verdict {
  readonly task: TaskId
  readonly agent: string
  /** `skipped`: no agent of that name runs here; it is a remote one, or it is gone. */
  readonly outcome: "same" | "drift" | "skipped"
  /** Where it differs first, as lines; empty when it does not. */
  readonly diff: string
}

/** What became of all of it; `same` when no task drifted and the run itself was looked at. */
export interface Report {
  readonly run: TaskId
  readonly same: boolean
  readonly tasks: ReadonlyArray<Verdict>
}

/** A text that is no recording. */
export class InvalidRecording extends Data.TaggedError("InvalidRecording")<{
  readonly line: number
  readonly message: string
}> {}

const journalsOf = (events: ReadonlyArray<Envelope>): ReadonlyMap<TaskId, Journal> => {
  const byTask = Map.groupBy(events, ({ task }) => task)
  const children = new Map<TaskId, Array<ChildRecord>>()
  for (const [id, facts] of byTask) {
    const child = childOf(id, facts)
    if (child === undefined) continue
    const siblings = children.get(child.parent) ?? []
    children.set(child.parent, [...siblings, child.record])
  }
  return new Map([...byTask].map(([id, events]) => [id, { events, children: children.get(id) ?? [] }]))
}

/** What its parent is told of a task. */
const childOf = (id: TaskId, facts: ReadonlyArray<Envelope>) => {
  let state: TaskState | undefined
  let settled: Envelope | undefined
  for (const fact of facts) {
    state = evolve(state, id, fact.at, fact.event)
    if (state.settlement !== null && settled === undefined) settled = fact
  }
  if (state === undefined || state.parent === null || state.key === null) return undefined
  const ending = facts.find(({ event }) => isEnding(event._tag))?.event ?? null
  const { agent, key, parent, status } = state
  const record: ChildRecord = {
    id,
    key,
    agent,
    status,
    settledSeq: settled?.seq ?? null,
    settledAt: settled?.at ?? null,
    ending: isTerminal(status) ? ending : null
  }
  return { parent, record }
}

/**
 * Runs a recorded run again with the orchestrator's agents: every task of its tree, each against its own record.
 *
 * **Details**
 *
 * No body of a step runs, no call leaves, nothing is written and no time passes. A task is the same when its code asks for
 * what was recorded, in that order, for nothing more, and comes to the recorded end.
 *
 * **Gotchas**
 *
 * The agents' layers are built, and so is what they need: give those of a test. What handlers do outside steps is done.
 */
export const check = Effect.fn("Replay.check")(function*(
  orchestrator: Orchestrator,
  recording: Recording
): Effect.fn.Return<Report> {
  const found = new Map<string, Definition>()
  const verdicts = Effect.forEach(
    journalsOf(recording.events),
    ([task, journal]) =>
      Effect.gen(function*(): Effect.fn.Return<Verdict> {
        const created = journal.events[0]?.event
        const agent = created?._tag === "Created" ? created.agent : "?"
        const definition = found.get(agent)
        if (definition === undefined) return { task, agent, outcome: "skipped", diff: "" }
        const drift = yield* Agents.task(definition, task, journal)
        return { task, agent, outcome: drift === undefined ? "same" : "drift", diff: drift ?? "" }
      })
  )
  const tasks = yield* Effect.scoped(Effect.andThen(Layer.build(definitionsOf(orchestrator, found)), verdicts))
  const root = tasks.find(({ task }) => task === recording.run)
  const same = root?.outcome === "same" && tasks.every(({ outcome }) => outcome !== "drift")
  return { run: recording.run, same, tasks }
})

const page = 1_000

/** Takes the facts of a run from the running orchestrator. */
export const record = Effect.fn("Replay.record")(function*(
  run: TaskId
): Effect.fn.Return<Recording, TaskNotFound | StoreError, Tasks> {
  const tasks = yield* Tasks
  const events: Array<Envelope> = []
  while (true) {
    const next = yield* tasks.events({ run, since: events.at(-1)?.seq ?? 0, limit: page })
    events.push(...next)
    if (next.length < page) break
  }
  return events.length === 0 ? yield* new TaskNotFound({ id: run }) : { run, events }
})

/** Takes the facts of a run out of a SQLite file, which may be in use: a copy of it is read. */
export const fromStore = (
  url: string,
  run: string
): Effect.Effect<Recording, TaskNotFound | AmbiguousId | StoreError> =>
  Effect.scoped(Effect.gen(function*() {
    const found = Effect.gen(function*() {
      const tasks = yield* Tasks
      return yield* record((yield* tasks.get(yield* tasks.resolve(run))).run)
    })
    return yield* Effect.provide(found, yield* copyOf(url), { local: true })
  }))

/** The recording as a text: one fact a line. */
export const format = ({ events }: Recording): string =>
  events.map((envelope) => `${JSON.stringify(envelope)}\n`).join("")

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.toCodecJson(Envelope)))

/** Reads what `format`, or `coppice export`, has written. */
export const parse = (text: string): Result.Result<Recording, InvalidRecording> => {
  const events: Array<Envelope> = []
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue
    const decoded = decode(line)
    if (Result.isFailure(decoded)) {
      const message = `Line ${index + 1} is no fact of a run: ${String(decoded.failure).split("\n")[0]}`
      return Result.fail(new InvalidRecording({ line: index + 1, message }))
    }
    events.push(decoded.success)
  }
  const run = events[0]?.run
  if (run === undefined) return Result.fail(new InvalidRecording({ line: 1, message: "The recording is empty" }))
  return Result.succeed({ run, events })
}
