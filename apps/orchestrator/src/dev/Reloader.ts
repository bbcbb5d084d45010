/**
 * Keeps the running agents what the code on disk says, edit by edit. Code that cannot be loaded or built changes nothing.
 */
import type { DevProblem, Reload } from "@coppice/api/DevApi"
import type { OrchestratorOptions } from "coppice/Orchestrator"
import { Roster } from "coppice/Roster"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { inspect } from "node:util"
import * as Definition from "../Definition.ts"
import type { Edit, Modules } from "./Modules.ts"

/** What only a new start takes up. */
const fixed = [
  "auditRetention",
  "budget",
  "code",
  "executor",
  "limits",
  "mcp",
  "people",
  "service",
  "supervision"
] as const

type Fixed = Readonly<Record<string, unknown>>

/** Functions count by their names: one that was written anew looks the same. */
const look = (value: unknown): string => inspect(value, { depth: 8, sorted: true })

const changedOf = (started: OrchestratorOptions, now: OrchestratorOptions): ReadonlyArray<string> =>
  fixed.filter((key) => look((started as unknown as Fixed)[key]) !== look((now as unknown as Fixed)[key]))

/** How the last edit went. */
type Outcome =
  | { readonly _tag: "Reloaded"; readonly reload: Reload }
  | { readonly _tag: "Broken"; readonly problem: DevProblem }

export interface Reloader {
  readonly reloads: () => number
  readonly last: () => Reload | null
  readonly problem: () => DevProblem | null
  /** The options in force. */
  readonly options: () => OrchestratorOptions
  /** Waits for an edit and does what it says. */
  readonly next: Effect.Effect<Outcome>
}

/** What the configuration's module exports, checked. */
export const loadWith = (modules: Modules, file: string): Effect.Effect<Definition.Definition, DevProblem> =>
  Effect.gen(function*() {
    const at = yield* Clock.currentTimeMillis
    const exported = yield* Effect.mapError(modules.load, ({ problem }): DevProblem => ({ ...problem, at }))
    return yield* Effect.mapError(
      Definition.check(file, exported),
      (error): DevProblem => ({ ...modules.problemOf(error), at })
    )
  })

/** Puts the agents of `started` in their places, then follows edits. */
export const make = Effect.fnUntraced(function*(
  modules: Modules,
  file: string,
  started: Definition.Definition
) {
  const roster = yield* Roster
  let options = started.orchestrator.options
  let reloads = 0
  let last: Reload | null = null
  let problem: DevProblem | null = null

  const exchange = Effect.fnUntraced(function*(next: OrchestratorOptions) {
    const at = yield* Clock.currentTimeMillis
    return yield* Effect.mapError(
      roster.replace(next),
      ({ reason }): DevProblem => ({ ...modules.problemOf(reason), at })
    )
  })

  const first = yield* Effect.result(exchange(options))
  if (Result.isFailure(first)) problem = first.failure

  const take = Effect.fnUntraced(function*({ files, since }: Edit) {
    const { orchestrator } = yield* loadWith(modules, file)
    const difference = yield* exchange(orchestrator.options)
    options = orchestrator.options
    const millis = Math.round(performance.now() - since)
    const at = yield* Clock.currentTimeMillis
    return { at, millis, files, ...difference, restart: changedOf(started.orchestrator.options, options) }
  })

  const next: Reloader["next"] = Effect.gen(function*() {
    const done = yield* Effect.result(take(yield* modules.changed))
    if (Result.isFailure(done)) {
      problem = done.failure
      return { _tag: "Broken", problem } as const
    }
    problem = null
    last = done.success
    reloads++
    return { _tag: "Reloaded", reload: last } as const
  })

  const reloader: Reloader = {
    reloads: () => reloads,
    last: () => last,
    problem: () => problem,
    options: () => options,
    next
  }
  return reloader
})
