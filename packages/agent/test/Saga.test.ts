import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Executor } from "../src/Executor.ts"
import * as Saga from "../src/Saga.ts"
import * as Step from "../src/Step.ts"
import { eventsIn, recording, restored } from "./support/Recording.ts"
import { root } from "./support/Twice.ts"
import { inWorld, pause, result, run, submit } from "./support/World.ts"

/** What was done and undone, in order, and under which keys. */
class Trip {
  readonly log: Array<string> = []
  readonly keys: Array<string> = []
  /** Compensations that fail before one succeeds. */
  failing = 0

  private readonly note = (text: string) =>
    Effect.map(Step.idempotencyKey, (key) => {
      this.log.push(text)
      this.keys.push(key)
      return text
    })

  readonly book = (what: string) =>
    Saga.step("book", { what }, this.note(`book ${what}`), {
      compensate: (result) =>
        Effect.suspend(() => this.failing-- > 0 ? Effect.fail("no line") : Effect.asVoid(this.note(`undo ${result}`)))
    })

  readonly whole = Saga.run(Effect.gen({ self: this }, function*() {
    yield* this.book("flight")
    yield* this.book("hotel")
    return yield* Effect.fail("sold out")
  }))
}

const undone = ["book flight", "book hotel", "undo book hotel", "undo book flight"]

describe("a saga", () => {
  it.effect("leaves alone what it has done when it succeeds", () =>
    Effect.gen(function*() {
      const trip = new Trip()
      const ending = yield* inWorld({ agents: [root(Saga.run(trip.book("car")))] }, run("root", null))
      assert.deepStrictEqual([ending._tag, trip.log], ["Completed", ["book car"]])
    }))

  it.effect("undoes in reverse when it fails, and fails as it had", () =>
    Effect.gen(function*() {
      const trip = new Trip()
      const ending = yield* inWorld({ agents: [root(trip.whole)] }, run("root", null))
      assert.deepInclude(ending, { _tag: "Failed", error: "sold out" })
      assert.deepStrictEqual(trip.log, undone)
      assert.strictEqual(trip.keys[2], `${trip.keys[1]}/undo`)
    }))

  it.effect("goes on after a kill at every commit; what is recorded is undone once", () =>
    Effect.gen(function*() {
      const batches: Array<Batch> = []
      yield* inWorld({ agents: [root(new Trip().whole)], store: recording(batches) }, run("root", null))
      assert.isAtLeast(batches.length, 5)
      for (let kept = 1; kept < batches.length; kept++) {
        const before = batches.slice(0, kept)
        const recorded = eventsIn(before).filter(({ event }) => event._tag === "StepRecorded").length
        const trip = new Trip()
        yield* inWorld({ agents: [root(trip.whole)], store: restored(before) }, result(before[0]!.events[0]!.task))
        assert.deepStrictEqual(trip.log, undone.slice(recorded), `killed after commit ${kept}`)
      }
    }))

  it.effect("tries a compensation again under one key, and asks a person in the end", () =>
    Effect.gen(function*() {
      const trip = new Trip()
      trip.failing = 12
      yield* inWorld(
        { agents: [root(trip.whole)] },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const id = yield* submit("root", null)
          yield* Effect.sleep("30 minutes")
          const [open] = yield* tasks.inbox({})
          assert.match(open!.request.message, /Step "book" \({"what":"hotel"}\) cannot be undone: no line/)
          yield* tasks.respond({ id, response: { action: "accept", content: { what: "try_again" }, by: "ann" } })
          yield* result(id)
        })
      )
      assert.deepStrictEqual(trip.log, undone)
      assert.strictEqual(trip.keys[2], `${trip.keys[1]}/undo`)
    }))

  it.effect("undoes after a cancel, before the task is at rest", () =>
    Effect.gen(function*() {
      const trip = new Trip()
      const work = Saga.run(Effect.andThen(trip.book("flight"), Effect.never))
      yield* inWorld(
        { agents: [root(work)] },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const id = yield* submit("root", null)
          yield* pause
          yield* tasks.cancel({ id, by: "ann" })
          yield* Effect.sleep("1 second")
          assert.strictEqual((yield* tasks.get(id)).settlement, "stopped")
        })
      )
      assert.deepStrictEqual(trip.log, ["book flight", "undo book flight"])
    }))

  it.effect("is done anew by a retry where it was undone, whether that was recorded or not", () =>
    Effect.gen(function*() {
      const trip = new Trip()
      const work = Saga.run(Effect.gen(function*() {
        yield* trip.book("flight")
        return yield* trip.log.length === 1 ? Effect.fail("sold out") : Effect.never
      }))
      yield* inWorld(
        { agents: [root(work)] },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const failed = yield* submit("root", null)
          yield* result(failed)
          const second = (yield* tasks.retry(failed)).id
          yield* pause
          yield* tasks.cancel({ id: second, by: "ann" })
          yield* tasks.cancelSettled(second)
          const third = (yield* tasks.retry(second)).id
          yield* pause
          yield* tasks.cancel({ id: third, by: "ann" })
          yield* tasks.cancelSettled(third)
        })
      )
      const once = ["book flight", "undo book flight"]
      assert.deepStrictEqual(trip.log, [...once, ...once, ...once])
      assert.strictEqual(new Set(trip.keys).size, 6)
    }))

  it.effect("is kept by a retry where a person left it, and done anew where they undid it by hand", () =>
    Effect.gen(function*() {
      const answers = { flight: "leave_it", hotel: "undone_by_hand" }
      const trip = new Trip()
      trip.failing = Infinity
      yield* inWorld(
        { agents: [root(trip.whole)], patience: 1e8 },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const failed = yield* submit("root", null)
          for (const what of ["hotel", "flight"] as const) {
            yield* Effect.sleep("30 minutes")
            const response = { action: "accept", content: { what: answers[what] }, by: "ann" } as const
            yield* tasks.respond({ id: failed, response })
          }
          yield* result(failed)
          yield* tasks.retry(failed)
          yield* pause
        })
      )
      assert.deepStrictEqual(trip.log, ["book flight", "book hotel", "book hotel"])
    }))

  it.effect("undoes after a cancel what a task had done that was not in memory any more", () =>
    Effect.gen(function*() {
      const trip = new Trip()
      const work = Saga.run(
        Effect.andThen(trip.book("flight"), Effect.andThen(trip.book("hotel"), Effect.sleep("1 hour")))
      )
      yield* inWorld(
        { agents: [root(work)], patience: 1e8 },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const id = yield* submit("root", null)
          yield* Effect.sleep("10 minutes")
          assert.strictEqual((yield* Executor).residentCount(), 0)
          yield* tasks.cancel({ id, by: "ann" })
          yield* tasks.cancelSettled(id)
        })
      )
      assert.deepStrictEqual(trip.log, undone)
    }))

  it.effect("undoes after a kill what a cancel had not undone, under the same keys", () =>
    Effect.gen(function*() {
      const batches: Array<Batch> = []
      const trip = new Trip()
      const work = (trip: Trip) => Saga.run(Effect.andThen(trip.book("flight"), Effect.never))
      const id = yield* inWorld(
        { agents: [root(work(trip))], store: recording(batches) },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const id = yield* submit("root", null)
          yield* pause
          yield* tasks.cancel({ id, by: "ann" })
          yield* tasks.cancelSettled(id)
          return id
        })
      )
      const cancelled = batches.findIndex(({ events }) => events.some(({ event }) => event._tag === "Cancelled"))
      const next = new Trip()
      yield* inWorld(
        { agents: [root(work(next))], store: restored(batches.slice(0, cancelled + 1)) },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          yield* tasks.cancelSettled(id)
          assert.strictEqual((yield* tasks.get(id)).settlement, "stopped")
        })
      )
      assert.deepStrictEqual([next.log, next.keys], [["undo book flight"], [trip.keys[1]]])
    }))

  it.effect("is not undone by a suspension", () =>
    Effect.gen(function*() {
      const trip = new Trip()
      const work = Saga.run(Effect.andThen(trip.book("flight"), Effect.sleep("1 hour")))
      const ending = yield* inWorld({ agents: [root(work)], patience: 1e8 }, run("root", null))
      assert.deepStrictEqual([ending._tag, trip.log], ["Completed", ["book flight"]])
    }))
})
