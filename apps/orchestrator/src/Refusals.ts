/**
 * Requests that were refused for who made them, as the audit tells of them: a wrong token, not a missing one.
 */
import type { Right } from "@coppice/task/People"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"

/** One entry of a kind within this time, milliseconds: whoever guesses must not be able to fill the store. */
const pause = 10_000

export class Refusals extends Context.Service<Refusals, {
  /** Somebody came to the door with a token that is not one. */
  readonly wrongToken: (door: "http" | "mcp") => void
  /** A person asked for something they may not do. */
  readonly noRight: (by: string, right: Right) => void
}>()("@coppice/orchestrator/Refusals") {
  static readonly layer: Layer.Layer<Refusals, never, Tasks | TaskLog> = Layer.effect(
    Refusals,
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const log = yield* TaskLog
      const lines = new Map<string, { readonly next: number; missed: number }>()
      const refused = (line: string, by: string, detail: Schema.JsonObject): void => {
        const known = lines.get(line)
        if (known !== undefined && log.now() < known.next) {
          known.missed++
          return
        }
        lines.set(line, { next: log.now() + pause, missed: 0 })
        const before = known?.missed ? { before: known.missed } : {}
        tasks.note({ kind: "refused", by, task: null, run: null, agent: null, detail: { ...detail, ...before } })
      }
      return {
        wrongToken: (door) => refused(door, "unknown", { door, why: "wrong token" }),
        noRight: (by, right) => refused(`${by} ${right}`, by, { door: "http", why: `may not ${right}` })
      }
    })
  )
}
