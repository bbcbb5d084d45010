import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import { inWorld, run } from "./support/World.ts"

const Double = Agent.make("double", { description: "Doubles", input: Schema.Finite, output: Schema.Finite })
const DoubleLive = Double.toLayer((n) => Effect.succeed(n * 2))
const Twice = Agent.make("twice", { description: "Doubles twice", input: Schema.Finite, output: Schema.Finite })
const TwiceLive = Twice.toLayer((n) => Effect.flatMap(Double.call(n), Double.call))

describe("call", () => {
  it.effect("hands typed values over and back", () =>
    inWorld({ agents: [DoubleLive, TwiceLive] }, Effect.gen(function*() {
      const ending = yield* run("twice", 3)
      assert.deepStrictEqual(ending, { _tag: "Completed", result: 12 })
    })))
})
