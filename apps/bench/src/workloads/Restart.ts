/**
 * W4, second half: a process is killed with all its tasks parked, and another one takes over its file.
 *
 * Both are processes of their own. `park` fills the store and kills itself; `ready` reports how long it took from the
 * start of its process until the service answers, and is killed too, so that every repeat finds the same file.
 */
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import { DatabaseSync } from "node:sqlite"
import * as Bed from "../Bed.ts"
import { helper } from "../Helper.ts"
import { now, resident } from "../Meter.ts"
import * as Row from "../Row.ts"
import { AskerLive } from "./Agents.ts"
import { askAll, evictAll } from "./Waiting.ts"

interface Ready {
  /** Milliseconds since the process began, the reading of the baseline left out. */
  readonly sinceStart: number
  readonly opened: number
  readonly baseline: number
  readonly resident: number
}

/** Says something to the parent process and stays as it is until it is killed. */
export type Tell = (message: unknown) => Effect.Effect<never>

const place = (path: string): Bed.Place => ({ path, durability: "FULL", agents: [AskerLive] })

/** Parks `count` tasks in the store at `path`. */
export const park = (path: string, count: number, tell: Tell): Effect.Effect<never> =>
  Bed.at(place(path), Effect.andThen(Effect.andThen(askAll(count), evictAll), tell(count)))

/** Reads every active task as SQLite alone can, and keeps none. */
const rawRead = (path: string): number => {
  const started = now()
  const database = new DatabaseSync(path)
  let count = 0
  for (const _ of database.prepare("SELECT * FROM tasks WHERE ended_at IS NULL").iterate()) count++
  database.close()
  return count === 0 ? Number.NaN : now() - started
}

export const ready = (path: string, tell: Tell): Effect.Effect<never> =>
  Effect.suspend(() => {
    const baseline = rawRead(path)
    const started = now()
    const answers = Effect.gen(function*() {
      const inputs = yield* Effect.orDie(Effect.flatMap(Tasks, (tasks) => tasks.inbox({ limit: 1 })))
      const report: Ready = {
        sinceStart: now() - baseline,
        opened: now() - started,
        baseline,
        resident: resident()
      }
      yield* Bed.expect("questions in the inbox", inputs.length, 1)
      return yield* tell(report)
    })
    return Bed.at(place(path), answers)
  })

const target = { text: "< 1 s from process start", limit: 1_000, direction: "most" } as const

const rows = (settings: Bed.Settings, count: number, isJudged: boolean) =>
  Bed.withPath(settings, (path) =>
    Effect.gen(function*() {
      yield* helper<number>("park", [path, String(count)])
      const repeats = yield* Bed.repeatedly(settings, helper<Ready>("ready", [path]))
      return Row.make(
        {
          case: "W4",
          what: `restart with ${count} parked tasks, until ready`,
          durability: "FULL",
          unit: "ms",
          baseline: "raw read of their rows, ms",
          target: isJudged ? target : undefined
        },
        repeats.map(({ baseline, opened, resident, sinceStart }) => ({
          value: sinceStart,
          baseline,
          notes: { "of it opening ms": opened, "resident MiB": resident / 2 ** 20 }
        }))
      )
    }))

export const restart = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  settings.durability === "memory"
    ? Effect.succeed([])
    : Effect.all([
      rows(settings, Bed.scaled(settings, 10_000), true),
      rows(settings, Bed.scaled(settings, 100_000), false)
    ])
