/**
 * What a case runs on: the real orchestrator over a store of its own, opened and closed as often as the case likes.
 */
import { type TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { AgentLayer, Services } from "coppice/Orchestrator"
import * as Orchestrator from "coppice/Orchestrator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Json } from "effect/Schema"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { now } from "./Meter.ts"
import type { Durability } from "./Row.ts"

/** What every case is told. */
export interface Settings {
  readonly durability: Durability
  readonly runs: number
  /** Multiplies the size of everything; 1 for the sizes the table names. */
  readonly scale: number
  /** How many short tasks a soak has at scale 1. */
  readonly tasks: number
  /** Where files may be made. */
  readonly folder: string
}

/** At least one, `scale` times as many as the table says. */
export const scaled = ({ scale }: Settings, size: number): number => Math.max(1, Math.round(size * scale))

/** A path for a store nobody else uses, removed with its folder afterwards. */
export const withPath = <A, E, R>(
  { folder }: Settings,
  use: (path: string) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(folder, "store-"))),
    (own) => use(join(own, "coppice.db")),
    (own) => Effect.sync(() => rmSync(own, { recursive: true, force: true }))
  )

/** A store and who works on it; in memory the path means nothing. */
export interface Place {
  readonly path: string
  readonly durability: Durability
  readonly agents: ReadonlyArray<AgentLayer>
}

/** Runs an effect on an orchestrator over the store at a place. */
export const at = <A, E>(
  { agents, durability, path }: Place,
  use: Effect.Effect<A, E, Services>
): Effect.Effect<A, E> => {
  const layer = Orchestrator.layer(
    Orchestrator.make({ agents }),
    durability === "memory" ? "memory:" : `sqlite:${path}`
  )
  return Effect.scoped(Effect.provide(use, Layer.fresh(Layer.orDie(layer))))
}

/** The same over a new store. */
export const fresh = <A, E>(
  settings: Settings,
  agents: ReadonlyArray<AgentLayer>,
  use: Effect.Effect<A, E, Services>
): Effect.Effect<A, E> => withPath(settings, (path) => at({ path, durability: settings.durability, agents }, use))

/** Makes a benchmark that did not do its work fail instead of being fast. */
export const expect = (what: string, found: unknown, wanted: unknown): Effect.Effect<void> =>
  found === wanted ? Effect.void : Effect.die(new Error(`${what}: expected ${String(wanted)}, found ${String(found)}`))

/** Waits for a task and returns its result; anything but completion is a defect. */
export const resultOf = (id: TaskId): Effect.Effect<Json, never, Tasks> =>
  Effect.gen(function*() {
    const { ending } = yield* Effect.orDie(Effect.flatMap(Tasks, (tasks) => tasks.result(id)))
    return ending._tag === "Completed"
      ? ending.result
      : yield* Effect.die(new Error(`task ${id} ended so: ${JSON.stringify(ending)}`))
  })

/** Submits a run, without waiting for its end. */
export const submit = (agent: string, input: Json): Effect.Effect<TaskId, never, Tasks> =>
  Effect.orDie(Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.submit({ agent, input }), ({ id }) => id)))

/** Submits a run and waits for its result. */
export const run = (agent: string, input: Json): Effect.Effect<Json, never, Tasks> =>
  Effect.flatMap(submit(agent, input), resultOf)

/** How long to warm up at least, milliseconds. */
const warmUp = 2_000

/** Repeats that nobody sees, to warm up: one, or as many as fit; then as many as asked for. */
export const repeatedly = <A, E, R>(
  { runs, scale }: Settings,
  once: Effect.Effect<A, E, R>
): Effect.Effect<Array<A>, E, R> =>
  Effect.gen(function*() {
    const until = now() + warmUp * Math.min(1, scale)
    do yield* once
    while (now() < until)
    return yield* Effect.replicateEffect(once, runs)
  })
