import type { Person } from "@coppice/task/People"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import * as Human from "../src/Human.ts"
import * as Step from "../src/Step.ts"
import type { eventsIn } from "./support/Recording.ts"
import { recording, restored } from "./support/Recording.ts"
import { root } from "./support/Twice.ts"
import { eventsOf, inWorld, pause, result, submit } from "./support/World.ts"

const action = { tool: "transfer", arguments: { to: "acme", amount: 100 }, policy: "2026-11" } as const
const people = new Map<string, Person>(
  ["ann", "bob"].map((name) => [name, { name, roles: [], may: ["approve"] }])
)

const paid: Array<Json> = []
const pay = (amount: number) => Step.run("pay", { amount }, Effect.sync(() => void paid.push(amount)))

/** Runs the work, and answers what it asks one after the other. */
const answering = <A>(
  work: Effect.Effect<A, any, any>,
  ...answers: ReadonlyArray<readonly [string, "accept" | "decline"]>
) =>
  inWorld(
    { agents: [root(work)], people },
    Effect.gen(function*() {
      paid.length = 0
      const tasks = yield* Tasks
      const id = yield* submit("root", null)
      const messages: Array<string> = []
      for (const [by, action] of answers) {
        yield* pause
        const [open] = yield* tasks.inbox({})
        messages.push(open!.request.message)
        yield* tasks.respond({ id, key: open!.request.key, response: { action, content: {}, by } })
      }
      const { ending } = yield* result(id)
      return { ending, messages, events: (yield* eventsOf(id)).map(({ event }) => event) }
    })
  )

describe("an approval", () => {
  it.effect("shows the exact action, and lets it happen", () =>
    Effect.gen(function*() {
      const work = Effect.flatMap(Human.approve(action), (approval) => approval.use(action, pay(100)))
      const { ending, events, messages } = yield* answering(work, ["ann", "accept"])
      assert.strictEqual(ending._tag, "Completed")
      assert.deepStrictEqual(messages, [
        "Allow transfer?\n\ntool: \"transfer\"\narguments: {\n  \"to\": \"acme\",\n  \"amount\": 100\n}\npolicy: \"2026-11\""
      ])
      const asked = events.flatMap((event) => event._tag === "InputRequested" ? [event.request.approval!] : [])
      assert.deepInclude(asked[0], { ...action, expires: null })
      const received = events.flatMap((event) => event._tag === "InputReceived" ? [event.response] : [])
      assert.deepStrictEqual(received[0]!.approval, { digest: asked[0]!.digest, expires: null })
      const used = events.flatMap((event) => event._tag === "StepRecorded" ? [[event.name, event.exit]] : [])
      assert.strictEqual(used[0]![0], "approval used")
      assert.deepInclude((used[0]![1] as { readonly value: Json }).value, { holds: true, by: ["ann"] })
      assert.deepStrictEqual(paid, [100])
    }))

  it.effect("is no approval of anything else: what was changed is asked again", () =>
    Effect.gen(function*() {
      for (
        const changed of [
          { ...action, arguments: { to: "acme", amount: 101 } },
          { ...action, tool: "transfer2" },
          { ...action, policy: "2026-12" }
        ]
      ) {
        const work = Effect.flatMap(Human.approve(action), (approval) => approval.use(changed, pay(101)))
        const no = yield* answering(work, ["ann", "accept"], ["bob", "decline"])
        assert.deepInclude(no.ending, { _tag: "Failed" })
        assert.deepStrictEqual(paid, [])
        const yes = yield* answering(work, ["ann", "accept"], ["bob", "accept"])
        assert.strictEqual(yes.ending._tag, "Completed")
        assert.deepStrictEqual(paid, [101])
        assert.notStrictEqual(yes.messages[0], yes.messages[1])
      }
    }))

  it.effect("is the same whatever the order of its arguments", () =>
    Effect.gen(function*() {
      const same = { ...action, arguments: { amount: 100, to: "acme" } }
      const work = Effect.flatMap(Human.approve(action), (approval) => approval.use(same, pay(100)))
      assert.strictEqual((yield* answering(work, ["ann", "accept"])).ending._tag, "Completed")
    }))

  it.effect("is good for one use", () =>
    Effect.gen(function*() {
      const work = Effect.flatMap(Human.approve(action), (approval) =>
        Effect.all([approval.use(action, pay(1)), approval.use(action, pay(2))], { concurrency: 2 }))
      const { ending, messages } = yield* answering(work, ["ann", "accept"], ["bob", "accept"])
      assert.strictEqual(ending._tag, "Completed")
      assert.lengthOf(messages, 2)
    }))

  it.effect("holds no longer than was said, and is asked again after that", () =>
    Effect.gen(function*() {
      const work = Effect.gen(function*() {
        const approval = yield* Human.approve({ ...action, holds: "10 minutes" })
        yield* Effect.sleep("11 minutes")
        yield* approval.use(action, pay(100))
      })
      const late = inWorld(
        { agents: [root(work)], people },
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const id = yield* submit("root", null)
          for (let n = 0; n < 2; n++) {
            yield* pause
            const [open] = yield* tasks.inbox({})
            assert.include(
              open!.request.message,
              `holds until: ${DateTime.formatIso(DateTime.makeUnsafe(open!.since + 600_000))}`
            )
            assert.strictEqual(open!.request.deadline, open!.since + 600_000)
            yield* tasks.respond({ id, response: { action: "accept", content: {}, by: "ann" } })
            yield* Effect.sleep("12 minutes")
          }
          return (yield* result(id)).ending._tag
        })
      )
      paid.length = 0
      assert.strictEqual(yield* late, "Completed")
      assert.deepStrictEqual(paid, [100])
    }))

  it.effect("of a quorum names all who gave it", () =>
    Effect.gen(function*() {
      const work = Effect.map(Human.approve({ ...action, quorum: 2 }), ({ by }) => by)
      const { ending } = yield* answering(work, ["ann", "accept"], ["bob", "accept"])
      assert.deepInclude(ending, { result: ["ann", "bob"] })
    }))

  it.effect("shows what is there, not what it looks like", () =>
    Effect.gen(function*() {
      const sly = { tool: "mail", arguments: { text: "a\u202eb\u2028policy: \"none\"\ntool: \"x\"" } }
      const { messages } = yield* answering(Human.approve(sly), ["ann", "accept"])
      assert.strictEqual(
        messages[0]!.split("\n\n")[1],
        "tool: \"mail\"\narguments: {\n  \"text\": \"a\\u202eb\\u2028policy: \\\"none\\\"\\ntool: \\\"x\\\"\"\n}\npolicy: \"\""
      )
    }))

  it.effect("was used also in the eyes of a process that was killed meanwhile", () =>
    Effect.gen(function*() {
      paid.length = 0
      const batches: Array<Parameters<typeof eventsIn>[0][number]> = []
      const work = Effect.flatMap(Human.approve(action), (approval) =>
        Effect.andThen(
          approval.use(action, pay(100)),
          Effect.andThen(Effect.sleep("1 minute"), approval.use(action, pay(200)))
        ))
      const agents = [root(work)]
      const first = Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* pause
        yield* tasks.respond({ id, response: { action: "accept", content: {}, by: "ann" } })
        yield* pause
        return id
      })
      const id = yield* inWorld({ agents, people, store: recording(batches) }, first)
      const open = yield* inWorld(
        { agents, people, store: restored(batches), seed: "second" },
        Effect.andThen(
          Effect.sleep("5 minutes"),
          Effect.flatMap(Tasks, (tasks) => tasks.inbox({ run: id }))
        )
      )
      assert.lengthOf(open, 1)
      assert.deepStrictEqual(paid, [100])
    }))
})
