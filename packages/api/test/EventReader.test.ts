import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ApiError from "../src/ApiError.ts"
import { follow, type Request } from "../src/EventReader.ts"
import type { Frame } from "../src/EventsApi.ts"

const ready = (since: number): Frame => ({ id: String(since), event: "ready", data: { since } })
const fact = (seq: number): Frame => ({ id: String(seq), event: "message", data: { seq } as never })
const ids = (frames: ReadonlyArray<Frame>) => frames.map(({ event, id }) => event === "ready" ? `ready ${id}` : id)

/** A server that answers one request after the other with these streams. */
const server = <E>(answers: ReadonlyArray<Effect.Effect<Stream.Stream<Frame, E>, E>>) => {
  const requests: Array<Request> = []
  const connect = (request: Request) => {
    requests.push(request)
    return answers[requests.length - 1] ?? Effect.never
  }
  return { connect, requests }
}

class Broken extends Data.TaggedError("Broken")<{}> {}

describe("follow", () => {
  it.effect("goes on after the last frame when a connection ends, and is ready once", () =>
    Effect.gen(function*() {
      const { connect, requests } = server<never>([
        Effect.succeed(Stream.make(ready(4), fact(5), fact(6))),
        Effect.succeed(Stream.make(ready(6))),
        Effect.succeed(Stream.make(ready(6), fact(7)))
      ])
      const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(follow(connect, { run: "r" }), 4)))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(ids(yield* Fiber.join(reading)), ["ready 4", "5", "6", "7"])
      assert.deepStrictEqual(requests, [
        { query: { run: "r" }, headers: {} },
        { query: { run: "r" }, headers: { "last-event-id": "6" } },
        { query: { run: "r" }, headers: { "last-event-id": "6" } }
      ])
    }))

  it.effect("connects again when a connection breaks or the service is away", () =>
    Effect.gen(function*() {
      const away = ApiError.make("stopping", { message: "away" })
      const { connect } = server<unknown>([
        Effect.fail(new Broken()),
        Effect.succeed(Stream.concat(Stream.make(ready(0), fact(1)), Stream.fail(new Broken()))),
        Effect.fail(away),
        Effect.succeed(Stream.make(ready(1), fact(2)))
      ])
      const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(follow(connect, {}), 3)))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(ids(yield* Fiber.join(reading)), ["ready 0", "1", "2"])
    }))

  it.effect("passes a reset on and follows from there", () =>
    Effect.gen(function*() {
      const reset: Frame = { id: "90", event: "reset", data: { since: 90 } }
      const { connect, requests } = server<never>([
        Effect.succeed(Stream.make(ready(200), fact(201))),
        Effect.succeed(Stream.make(reset)),
        Effect.succeed(Stream.make(ready(90), fact(91)))
      ])
      const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(follow(connect, {}), 4)))
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(ids(yield* Fiber.join(reading)), ["ready 200", "201", "90", "91"])
      assert.strictEqual(requests[2]?.headers["last-event-id"], "90")
    }))

  it.effect("ends with what connecting again cannot cure", () =>
    Effect.gen(function*() {
      for (const code of ["task_not_found", "unauthorized", "ambiguous_id", "invalid_request"] as const) {
        const { connect, requests } = server([Effect.fail(ApiError.make(code, { message: code }))])
        const error = yield* Effect.flip(Stream.runDrain(follow(connect, { task: "x" })))
        assert.strictEqual(error.error.code, code)
        assert.strictEqual(requests.length, 1)
      }
    }))
})
