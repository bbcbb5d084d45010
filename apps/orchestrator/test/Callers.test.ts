import { assert, describe, it } from "@effect/vitest"
import type { People } from "coppice/People"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Callers, layer } from "../src/Callers.ts"
import { Token } from "../src/Security.ts"

const secret = Layer.succeed(Token, Redacted.make("the-service-s-own-token"))
const built = (people: People, environment: Record<string, string> = {}) =>
  Effect.scoped(Layer.build(Layer.provide(layer(people, environment), secret)))
const of = (token: string, people: People, environment?: Record<string, string>) =>
  Effect.map(built(people, environment), (context) => context.mapUnsafe.get(Callers.key).of(token))
const problem = (people: People, environment?: Record<string, string>) =>
  Effect.map(Effect.flip(built(people, environment)), ({ message }) => message)

const given = (token: string) => Redacted.make(token)

describe("whoever comes", () => {
  it.effect("is the owner, one of the people, or nobody", () =>
    Effect.gen(function*() {
      const people = {
        ann: { token: "ANN_TOKEN" },
        bob: { token: given("bob-s-secret-token"), may: ["view"] as const }
      }
      const environment = { ANN_TOKEN: "ann-s-secret-token" }
      const who = (token: string) => of(token, people, environment)
      assert.deepInclude(yield* who("the-service-s-own-token"), { by: "local", isOwner: true })
      assert.deepStrictEqual(yield* who("ann-s-secret-token"), { by: "ann", isOwner: false, may: ["view", "approve"] })
      assert.deepStrictEqual(yield* who("bob-s-secret-token"), { by: "bob", isOwner: false, may: ["view"] })
      for (const token of ["", "ann", "ann-s-secret-toke", "ANN_TOKEN"]) assert.isUndefined(yield* who(token))
    }))

  it.effect("needs a token of their own, which is there and long enough", () =>
    Effect.gen(function*() {
      assert.match(yield* problem({ ann: { token: "ANN_TOKEN" } }), /people.ann.token: .* ANN_TOKEN is not set/)
      assert.match(yield* problem({ ann: { token: given("short") } }), /people.ann.token is shorter than 16/)
      const token = given("one-token-for-two-people")
      assert.match(yield* problem({ ann: { token }, bob: { token } }), /people.bob.token is the token of "ann", too/)
      assert.match(
        yield* problem({ ann: { token: given("the-service-s-own-token") } }),
        /people.ann.token is the token of "local", too/
      )
    }))
})
