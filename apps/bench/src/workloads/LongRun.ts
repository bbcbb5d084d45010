/**
 * One run of 100,000 steps: every step costs the same, and the run can be resumed.
 */
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import { DatabaseSync } from "node:sqlite"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { heap, now, timed, written } from "../Meter.ts"
import * as Row from "../Row.ts"
import { beforeStep, bodies, StepperLive, sumOf } from "./Agents.ts"
import { factsOf } from "./Facts.ts"

/** What the process had done when a step began. */
interface Mark {
  readonly at: number
  readonly written: number
}

/** Marks the first and the last tenth of the run. */
const marksOf = (steps: number): ReadonlyArray<Mark> => {
  const marks: Array<Mark> = []
  const tenth = Math.floor(steps / 10)
  const wanted = new Set([0, tenth, steps - tenth, steps - 1])
  beforeStep.call = (index) => {
    if (wanted.has(index)) marks.push({ at: now(), written: written() })
  }
  return marks
}

const perStep = (marks: ReadonlyArray<Mark>, from: number, steps: number, field: keyof Mark): number =>
  (marks[from + 1]![field] - marks[from]![field]) / Math.floor(steps / 10)

const place = (path: string): Bed.Place => ({ path, durability: "FULL", agents: [StepperLive] })

const record = (path: string, steps: number) =>
  Bed.at(
    place(path),
    Effect.gen(function*() {
      const marks = marksOf(steps)
      bodies.count = 0
      const asked = yield* factsOf("InputRequested", 1)
      const before = heap()
      const [id, took] = yield* timed(Effect.tap(Bed.submit("stepper", { steps, ask: true }), asked))
      yield* Bed.expect("bodies that ran", bodies.count, steps)
      return { id, took, marks, held: (heap() - before) / steps }
    })
  )

const resume = (path: string, id: TaskId, steps: number) =>
  Bed.at(
    place(path),
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const response = { action: "accept", content: { ok: true }, by: "bench" } as const
      const [result, took] = yield* timed(
        Effect.andThen(Effect.orDie(tasks.respond({ id, response })), Bed.resultOf(id))
      )
      yield* Bed.expect("the sum of all steps", result, sumOf(steps))
      yield* Bed.expect("bodies that ran, the resumed run included", bodies.count, steps)
      return took
    })
  )

/** Milliseconds to read every fact of the run as SQLite and `JSON.parse` alone can. */
const rawRead = (path: string, id: TaskId): number => {
  const started = now()
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database.prepare("SELECT data FROM events WHERE task = ? ORDER BY seq").all(id)
  for (const row of rows) JSON.parse(String(row["data"]))
  database.close()
  return now() - started
}

const once = (settings: Bed.Settings, steps: number) =>
  Bed.withPath(settings, (path) =>
    Effect.gen(function*() {
      const baseline = yield* Baseline.rawCommit(settings)
      const recorded = yield* record(path, steps)
      const readBaseline = rawRead(path, recorded.id)
      const resumed = yield* resume(path, recorded.id, steps)
      return { baseline, recorded, readBaseline, resumed }
    }))

const constant = { text: "last tenth ≤ 1.1 times the first", limit: 1.1, direction: "most" } as const

export const longRun = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    if (settings.durability === "memory") return []
    const steps = Bed.scaled(settings, 100_000)
    const repeats = yield* Bed.repeatedly(settings, once(settings, steps))
    const heading = { case: "steps100k", durability: settings.durability }
    return [
      Row.make(
        { ...heading, what: `${steps} steps of one run recorded`, unit: "steps/s", baseline: "raw commits/s" },
        repeats.map(({ baseline, recorded }) => ({
          value: 1000 * steps / recorded.took.wall,
          baseline: 1 / baseline * 1000,
          notes: {
            "µs each, first tenth": 1000 * perStep(recorded.marks, 0, steps, "at"),
            "µs each, last tenth": 1000 * perStep(recorded.marks, 2, steps, "at"),
            "heap bytes each": recorded.held
          }
        }))
      ),
      Row.make(
        {
          ...heading,
          what: `bytes written per step, last tenth of ${steps}`,
          unit: "bytes",
          baseline: "first tenth, bytes",
          target: constant
        },
        repeats.map(({ recorded }) => {
          const first = perStep(recorded.marks, 0, steps, "written")
          const last = perStep(recorded.marks, 2, steps, "written")
          return { value: last, baseline: first, judged: last / first }
        })
      ),
      Row.make(
        {
          ...heading,
          what: `${steps} steps replayed until the run ends`,
          unit: "µs each",
          baseline: "raw read, µs each"
        },
        repeats.map(({ readBaseline, resumed }) => ({
          value: 1000 * resumed.wall / steps,
          baseline: 1000 * readBaseline / steps,
          notes: { "ms in all": resumed.wall }
        }))
      )
    ]
  })
