import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { titleOf } from "../suites/Case.ts"
import { cases } from "../suites/Tasks2025.ts"
import * as Bench from "../support/Bench.ts"

describe.each(Bench.wires)("tasks of 2025-11-25 over %s", (wire) => {
  const here = cases.filter(({ only }) => only === undefined || only === wire)
  it.effect.each(here.map((one) => [titleOf(one), one] as const))("2025-11-25 %s", ([, one]) =>
    Effect.gen(function*() {
      const bench = yield* Bench.make(wire)
      yield* Effect.promise(() => one.run(bench))
    }).pipe(Effect.provide(Bench.layer)))
})
