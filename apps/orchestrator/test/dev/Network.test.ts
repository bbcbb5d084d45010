import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Hindrance, Network } from "../../src/dev/Network.ts"

/** A network in which these hindrances are met, and what reached the other side. */
const make = (hindrances: ReadonlyArray<Hindrance>) => {
  const reached: Array<string> = []
  const network = new Network()
  network.meet = (host, hasBody) => {
    reached.push(`${host}${hasBody ? " with a body" : ""}`)
    return hindrances
  }
  const sent: Array<string> = []
  const signals: Array<AbortSignal> = []
  const send = network.over((input, init) => {
    sent.push(String(input))
    signals.push(init!.signal!)
    return Promise.resolve(new Response("fine"))
  })
  return { network, reached, sent, signals, send }
}

const codeOf = (error: unknown) => (error as { readonly cause?: { readonly code?: string } }).cause?.code
const failure = (work: () => Promise<unknown>) => Effect.promise(() => work().then(() => undefined, (error) => error))

describe("a request", () => {
  it.live("goes through where nothing is in force, and its host is known then", () =>
    Effect.gen(function*() {
      const { network, reached, send, sent } = make([])
      const response = yield* Effect.promise(() => send("http://a.test:81/x", { method: "POST", body: "{}" }))
      assert.strictEqual(yield* Effect.promise(() => response.text()), "fine")
      assert.deepStrictEqual([reached, sent, [...network.hosts]], [
        ["a.test:81 with a body"],
        ["http://a.test:81/x"],
        ["a.test:81"]
      ])
    }))

  it.live("is answered 429 without reaching anybody", () =>
    Effect.gen(function*() {
      const { send, sent } = make([{ kind: "too-many-requests", retryAfter: 7 }])
      const { headers, status } = yield* Effect.promise(() => send("http://a.test/"))
      assert.deepStrictEqual([status, headers.get("retry-after"), sent], [429, "7", []])
    }))

  it.live("fails as one that never left", () =>
    Effect.gen(function*() {
      const { send, sent } = make([{ kind: "drop-network" }])
      assert.strictEqual(codeOf(yield* failure(() => send("http://a.test/"))), "ENETUNREACH")
      assert.deepStrictEqual(sent, [])
    }))

  it.live("is cut in the middle, and may have arrived", () =>
    Effect.gen(function*() {
      const { network, send, signals } = make([])
      yield* Effect.promise(() => send("http://a.test/"))
      yield* Effect.promise(() => send("http://b.test/"))
      network.cut("a.test")
      assert.deepStrictEqual(signals.map(({ aborted }) => aborted), [true, false])
      assert.strictEqual(codeOf(signals[0]!.reason), "ECONNRESET")
      yield* Effect.promise(() => send("http://a.test/"))
      assert.isFalse(signals[2]!.aborted)
    }))

  it.live("is heard twice", () =>
    Effect.gen(function*() {
      const { send, sent } = make([{ kind: "duplicate" }])
      yield* Effect.promise(() => send("http://a.test/", { method: "POST", body: "{}" }))
      assert.lengthOf(sent, 2)
    }))

  it.live("that is late can still be given up", () =>
    Effect.gen(function*() {
      const { send, sent } = make([{ kind: "delay", millis: 60_000 }])
      const own = new AbortController()
      const sending = send("http://a.test/", { signal: own.signal })
      own.abort()
      assert.strictEqual((yield* failure(() => sending)).name, "AbortError")
      assert.deepStrictEqual(sent, [])
    }))
})
