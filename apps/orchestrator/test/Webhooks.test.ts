import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, asking, life, pass, person, Receiver, store } from "./support/Hooks.ts"

const minute = 60_000
const day = 24 * 60 * minute

const yes = (id: string, by: string) =>
  Effect.flatMap(
    Tasks,
    (tasks) => tasks.respond({ id: id as never, key: "q", response: { action: "accept", content: {}, by } })
  )

const offers = (id: string) =>
  Effect.map(
    Effect.flatMap(Tasks, (tasks) => tasks.events({ task: id as never, since: 0, limit: 1_000 })),
    (events) =>
      events.flatMap(({ event }) =>
        event._tag === "InputOffered" ? [[event.door, event.to, event.how, event.detail].filter((one) => one)] : []
      )
  )

describe("a webhook", () => {
  it.effect("is told what becomes of a question, in order, and the door says so", () => {
    const receiver = new Receiver()
    const policy = { to: ["ann"], remind: [minute], escalate: [{ at: 2 * minute, to: ["@lead"], note: "Ann is away" }] }
    return life(
      {
        store: store(),
        receiver,
        people: [person("ann"), person("bob", "lead"), person("cy")],
        hooks: { ops: { to: ["ann", "@lead"] } }
      },
      Effect.gen(function*() {
        const id = yield* asking({ policy, deadline: 3 * minute })
        yield* pass()
        yield* pass(minute)
        yield* pass(minute)
        yield* pass(minute)
        assert.deepStrictEqual(receiver.types, [
          "question.asked",
          "question.reminded",
          "question.escalated",
          "question.expired"
        ])
        const [asked, , escalated, expired] = receiver.arrived.map(({ body }) => body.data)
        assert.deepStrictEqual([asked.text, asked.to, asked.task, asked.key], ["asker asks ann: Go?", ["ann"], id, "q"])
        assert.deepStrictEqual([escalated.text, escalated.to], ["Ann is away: asker asks ann, bob: Go?", [
          "ann",
          "bob"
        ]])
        assert.deepStrictEqual(escalated.links.map(({ person }: { readonly person: string }) => person), ["ann", "bob"])
        assert.deepStrictEqual([expired.text, expired.answer, expired.links], [
          "Nobody answered asker in time: Go?",
          { action: "expired", by: "policy" },
          undefined
        ])
        assert.deepStrictEqual(yield* offers(id), [
          ["webhook:ops", "ann", "delivered"],
          ["webhook:ops", "bob", "delivered"]
        ])
      })
    )
  })

  it.effect("hears who answered, what is withdrawn and how a run ended, if it wants to", () => {
    const receiver = new Receiver()
    return life(
      { store: store(), receiver, hooks: { ops: { events: ["answered", "withdrawn", "ended"] } } },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        yield* yes(yield* asking(), "ann")
        const second = yield* asking()
        yield* ask(second, { key: "other", message: "And this?" })
        yield* tasks.cancel({ id: second, by: "ann" })
        yield* pass()
        assert.deepStrictEqual(receiver.arrived.map(({ body: { data } }) => data.text), [
          "ann answered asker (accept): Go?",
          "asker no longer asks: Go?",
          "asker no longer asks: And this?",
          "asker has been cancelled"
        ])
        assert.lengthOf(new Set(receiver.arrived.map(({ id }) => id)), 4)
        assert.notInclude(JSON.stringify(receiver.arrived), "\"content\"")
      })
    )
  })

  it.effect("is tried again with growing pauses until it takes the message, which keeps its id", () => {
    const receiver = new Receiver(500, { status: 429, said: "HTTP 429", retryAfter: 10 * minute }, 302, 0)
    return life(
      { store: store(), receiver },
      Effect.gen(function*() {
        const id = yield* asking()
        for (let i = 0; i < 30; i++) yield* pass(minute)
        const times = receiver.arrived.map(({ at }) => at)
        const pauses = times.slice(1).map((at, index) => at - times[index]!)
        assert.lengthOf(pauses, 4)
        for (const [index, least] of [800, 10 * minute, 7_200, 21_600].entries()) {
          assert.isAtLeast(pauses[index]!, least)
        }
        assert.lengthOf(new Set(receiver.arrived.map(({ id }) => id)), 1)
        assert.deepStrictEqual(yield* offers(id), [
          ["webhook:ops", "undelivered", "HTTP 500; it is tried again"],
          ["webhook:ops", "delivered"]
        ])
      })
    )
  })

  it.effect("gives a message up after three days, or at once when the message itself is refused, and goes on", () => {
    const receiver = new Receiver(400)
    const away = new Receiver(...Array.from({ length: 500 }, () => 503))
    const program = Effect.gen(function*() {
      const first = yield* asking()
      yield* pass()
      yield* asking()
      yield* pass()
      return first
    })
    return Effect.gen(function*() {
      const said = yield* life({ store: store(), receiver }, Effect.flatMap(program, offers))
      assert.deepStrictEqual(said, [["webhook:ops", "undelivered", "HTTP 400; it is given up"]])
      assert.lengthOf(receiver.arrived, 2)
      yield* life(
        { store: store(), receiver: away },
        Effect.gen(function*() {
          const id = yield* program
          for (let i = 0; i < 3 * 24 + 2; i++) yield* pass(60 * minute)
          assert.deepStrictEqual((yield* offers(id)).at(-1), ["webhook:ops", "undelivered", "HTTP 503; it is given up"])
          assert.isAtLeast(away.arrived.at(-1)!.at - away.arrived[0]!.at, 3 * day)
          assert.lengthOf(new Set(away.arrived.map(({ id }) => id)), 2)
        })
      )
    })
  })

  it.effect("that says 410 is told nothing more, also after a restart, until it has another address", () => {
    const receiver = new Receiver(410)
    const shared = store()
    const again = Effect.andThen(asking(), pass())
    return Effect.gen(function*() {
      yield* life({ store: shared, receiver }, Effect.andThen(again, again))
      yield* life({ store: shared, receiver }, again)
      assert.lengthOf(receiver.arrived, 1)
      yield* life({ store: shared, receiver, hooks: { ops: { url: "https://hook.test/other" } } }, again)
      yield* life({ store: shared, receiver, hooks: { ops: { url: "https://hook.test/other" } } }, again)
      assert.lengthOf(receiver.arrived, 3)
    })
  })

  it.effect("goes on after a restart where it was: nothing is lost, nothing told twice, nothing from before its time", () => {
    const receiver = new Receiver()
    const shared = store()
    return Effect.gen(function*() {
      yield* life({ store: shared, receiver, hooks: {} }, Effect.andThen(asking({ message: "Before" }), pass()))
      yield* life({ store: shared, receiver }, Effect.andThen(asking({ message: "One" }), pass()))
      yield* life({ store: shared, receiver, hooks: {} }, asking({ message: "Two" }))
      yield* life({ store: shared, receiver }, pass())
      const messages = receiver.arrived.map(({ body }) => body.data.question.message)
      assert.deepStrictEqual(messages, ["One", "Two"])
    })
  })

  it.effect("is not told of a question that has been answered meanwhile", () => {
    const receiver = new Receiver(503)
    return life(
      { store: store(), receiver, hooks: { ops: { events: ["asked"] } } },
      Effect.gen(function*() {
        const id = yield* asking()
        yield* pass()
        yield* yes(id, "ann")
        yield* asking({ message: "Next?" })
        yield* pass(minute)
        assert.deepStrictEqual(receiver.arrived.map(({ body }) => body.data.question.message), ["Go?", "Next?"])
      })
    )
  })

  it.effect("that reaches nobody who may answer hears nothing, and gets links for nobody it does not name", () => {
    const receiver = new Receiver()
    const hooks = { bobs: { to: ["bob"] }, all: {} }
    return life(
      { store: store(), receiver, people: [person("ann"), person("bob")], hooks },
      Effect.gen(function*() {
        yield* asking({ policy: { to: ["ann"] } })
        yield* pass()
        assert.deepStrictEqual(receiver.arrived.map(({ body: { data }, to }) => [to, data.to, data.links]), [
          ["all", ["ann"], []]
        ])
      })
    )
  })

  it.effect("does not keep others waiting", () => {
    const receiver = new Receiver(503)
    return life(
      { store: store(), receiver, hooks: { one: {}, two: {} } },
      Effect.gen(function*() {
        yield* asking()
        yield* pass()
        assert.deepStrictEqual(receiver.arrived.map(({ to }) => to), ["one", "two"])
      })
    )
  })

  it.effect("passes over what is no news, and keeps its place there", () => {
    const receiver = new Receiver()
    return life(
      { store: store(), receiver },
      Effect.gen(function*() {
        const log = yield* TaskLog
        const id = yield* asking()
        yield* pass()
        for (let i = 0; i < 6_000; i++) {
          log.dispatch(log.resident(id)!, {
            _tag: "Log",
            attempt: 1,
            level: "info",
            logger: null,
            data: i
          })
        }
        yield* pass()
        assert.isAbove(yield* (yield* TaskStore).cursor("webhook:ops"), 5_000)
        yield* asking({ message: "Next?" })
        yield* pass()
        assert.lengthOf(receiver.arrived, 2)
      })
    )
  })
})
