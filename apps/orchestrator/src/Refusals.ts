/**
 * Requests that were refused for who made them, as the audit tells of them: a wrong token, not a missing one.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** One entry a door within this time, milliseconds: whoever guesses must not be able to fill the store. */
const pause = 10_000

export class Refusals extends Context.Service<Refusals, {
  /** Somebody came to the door with a token that is not one. */
  readonly wrongToken: (door: "http" | "mcp") => void
}>()("@coppice/orchestrator/Refusals") {
  static readonly layer: Layer.Layer<Refusals, never, Tasks | TaskLog> = Layer.effect(
    Refusals,
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const log = yield* TaskLog
      const doors = new Map<string, { readonly next: number; missed: number }>()
      return {
        wrongToken: (door) => {
          const known = doors.get(door)
          if (known !== undefined && log.now() < known.next) {
            known.missed++
            return
          }
          const detail = { door, why: "wrong token", ...known?.missed ? { before: known.missed } : {} }
          doors.set(door, { next: log.now() + pause, missed: 0 })
          tasks.note({ kind: "refused", by: "unknown", task: null, run: null, agent: null, detail })
        }
      }
    })
  )
}
