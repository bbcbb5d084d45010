import type { Batch } from "@coppice/task/TaskStore"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import type { TaskContext } from "../../src/TaskContext.ts"
import { recording, restored } from "./Recording.ts"
import { inWorld, submit } from "./World.ts"

export type Work<A = any, E = any> = Effect.Effect<A, E, TaskContext>

const Root = Agent.make("root", { description: "A root", input: Schema.Json, output: Schema.Json, error: Schema.Json })

/** A root whose handler does that work, whatever its input. */
export const root = (work: Work) => Root.toLayer(() => Effect.map(work, (value) => value ?? null))

/** How the work ends live, and how it ends in another process that has nothing but the log. */
export const twice = Effect.fnUntraced(function*<A, E>(work: Work<A, E>) {
  const batches: Array<Batch> = []
  const seen: Array<Exit.Exit<A, E>> = []
  const handler = root(Effect.andThen(Effect.map(Effect.exit(work), (exit) => void seen.push(exit)), Effect.never))
  const settled = Effect.sleep("10 minutes")
  yield* inWorld({ agents: [handler], store: recording(batches) }, Effect.andThen(submit("root", null), settled))
  const count = batches.length
  yield* inWorld({ agents: [handler], store: recording(batches, restored(batches)) }, settled)
  assert.strictEqual(seen.length, 2, "the work did not end twice")
  const added = batches.slice(count).flatMap(({ events }) => events.map(({ event }) => event._tag))
  return { live: seen[0]!, replayed: seen[1]!, added }
})
