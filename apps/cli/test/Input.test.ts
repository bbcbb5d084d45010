import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { parseJson, readDuration } from "../src/Input.ts"

const refusal = (text: string) =>
  Result.match(parseJson(text, "--input"), {
    onFailure: ({ fix, message }) => `${message} → ${fix}`,
    onSuccess: () => ""
  })

describe("parseJson", () => {
  it("reads JSON", () => assert.deepStrictEqual(parseJson("{\"a\":[1]}", "--input"), Result.succeed({ a: [1] })))

  it("says where it stops being JSON", () => assert.match(refusal("{bad}"), /^--input is not JSON: .*position 1/))

  it("helps whoever forgot the quotes", () => assert.match(refusal("hello"), /'"hello"'$/))
})

describe("readDuration", () => {
  it.effect("reads spans of time", () =>
    Effect.map(readDuration("90s", "--deadline"), (ms) => assert.strictEqual(ms, 90_000)))

  it.effect("refuses anything else with 2", () =>
    Effect.map(Effect.flip(readDuration("soon", "--deadline")), ({ exit, message }) => {
      assert.strictEqual(exit, 2)
      assert.strictEqual(message, "--deadline is not a span of time: soon")
    }))
})
