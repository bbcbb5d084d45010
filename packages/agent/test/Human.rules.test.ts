import type { Person } from "@coppice/task/People"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Human from "../src/Human.ts"
import { root, twice } from "./support/Twice.ts"
import { failureIn, inWorld, pause, result, run, submit } from "./support/World.ts"

const Go = Schema.Struct({ go: Schema.Boolean, at: Schema.optionalKey(Schema.Date) })
const person = (name: string, ...roles: ReadonlyArray<string>): readonly [string, Person] => [
  name,
  { name, roles, may: ["view", "approve"] }
]
const people = new Map([person("ann", "lead"), person("bob", "lead"), person("cy")])

/** What the question is in the log, and how the task ends. */
const asked = <A>(question: Effect.Effect<A, any, any>, then: Effect.Effect<unknown, any, any> = Effect.void) =>
  inWorld(
    { agents: [root(question)], people, patience: 1e9 },
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const id = yield* submit("root", null)
      yield* pause
      const [open] = yield* tasks.inbox({})
      yield* then
      return { open: open!, ending: yield* Effect.map(result(id), ({ ending }) => ending) }
    })
  )

const offer = (how: "delivered" | "undelivered") =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const [open] = yield* tasks.inbox({})
    yield* tasks.offered({ id: open!.task, key: open!.request.key, offer: { door: "cli", how } })
  })

const message = (rules: Human.Rules & { readonly onSilence?: "decline" }) =>
  Effect.map(
    failureIn(inWorld({ agents: [root(Human.ask({ message: "?", form: Go, ...rules }))], people }, run("root", null))),
    (failed) => failed.message.split("\n")[0]
  )

describe("the rules of a question", () => {
  it.effect("are data with absolute times, counted from when it is asked", () =>
    Effect.gen(function*() {
      const question = Human.ask({
        message: "?",
        form: Go,
        to: ["@lead", "cy"],
        quorum: 2,
        within: "4 hours",
        remind: ["2 hours", "1 hour"],
        escalate: [{ after: "3 hours", to: "cy", note: "late" }],
        onSilence: { accept: { go: false, at: DateTime.toDate(DateTime.makeUnsafe(0)) } }
      })
      const { ending, open } = yield* asked(Effect.map(question, ({ at, go }) => [go, at instanceof Date]))
      const hours = (n: number) => open.since + n * 3_600_000
      assert.strictEqual(open.request.deadline, hours(4))
      assert.deepStrictEqual(open.request.policy, {
        to: ["@lead", "cy"],
        quorum: 2,
        remind: [hours(1), hours(2)],
        escalate: [{ at: hours(3), to: ["cy"], note: "late" }],
        silence: { action: "accept", content: { go: false, at: "1970-01-01T00:00:00.000Z" } }
      })
      assert.deepInclude(ending, { _tag: "Completed", result: [false, true] })
    }))

  it.effect("are not there when there are none", () =>
    Effect.gen(function*() {
      const { open } = yield* asked(Effect.timeoutOption(Human.ask({ message: "?", form: Go }), "1 minute"))
      assert.notProperty(open.request, "policy")
      assert.isNull(open.request.deadline)
    }))

  it.effect("count business hours only, where they are given", () =>
    Effect.gen(function*() {
      // the test begins on a Friday at 08:00 UTC: the office opens at 09:00 and closes at noon
      const hours = { zone: "UTC", to: "12:00" }
      const { open } = yield* asked(
        Effect.timeoutOption(Human.ask({ message: "?", form: Go, within: "4 hours", hours }), "1 minute")
      )
      assert.strictEqual(DateTime.formatIso(DateTime.makeUnsafe(open.request.deadline!)), "2027-01-18T10:00:00.000Z")
      assert.deepInclude(open.request.policy?.hours, { zone: "UTC", from: "09:00", to: "12:00" })
    }))

  it.effect("that make no sense are a defect that names the field and what would be right", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [Human.Rules & { readonly onSilence?: "decline" }, RegExp]> = [
        [{ within: "soon" as never }, /question's within: "soon" is no time that passes; write "4 hours"/],
        [{ within: "1 hour", remind: "2 hours" }, /question's remind: is not before the end/],
        [{ within: "1 hour", escalate: [{ after: "1 hour", to: "ann" }] }, /question's escalate.after/],
        [{ onSilence: "decline" }, /question's onSilence: needs within/],
        [{ to: [] }, /question's to: names nobody/],
        [{ quorum: 1.5 }, /question's quorum: is no number of people/],
        [{ hours: { zone: "Mars" } }, /question's hours.zone: "Mars" is no time zone/],
        [{ to: ["ann", "nina"] }, /question's to: nobody is called or has the role nina; there are ann, bob, cy/],
        [{ to: "@lead", quorum: 3 }, /question's quorum: needs 3 people, and 2 of them may answer/]
      ]
      for (const [rules, expected] of wrong) assert.match((yield* message(rules))!, expected)
    }))

  it.effect("may need people that the configuration does not have", () =>
    Effect.gen(function*() {
      const agents = [root(Human.ask({ message: "?", form: Go, quorum: 2 }))]
      const failed = yield* failureIn(inWorld({ agents }, run("root", null)))
      assert.match(failed.message, /quorum: needs people: Orchestrator.make/)
    }))
})

describe("a question nobody answers", () => {
  const ending = Effect.map(Effect.flip(Human.ask({ message: "?", form: Go, within: "1 hour" })), (error) => [
    error.action,
    error.message
  ])

  it.effect("was undelivered when nobody had seen it, and expired when somebody had", () =>
    Effect.gen(function*() {
      assert.deepInclude((yield* asked(ending, offer("undelivered"))).ending, {
        result: ["undelivered", "The question reached nobody in time"]
      })
      assert.deepInclude((yield* asked(ending, offer("delivered"))).ending, {
        result: ["expired", "Nobody answered in time"]
      })
    }))

  it.effect("is declined where silence is a no, live and replayed", () =>
    Effect.gen(function*() {
      const page = { message: "?", url: "https://example.com", within: "5 minutes", onSilence: "decline" } as const
      const { live, replayed } = yield* twice(Effect.flip(Human.openUrl(page)))
      assert.deepStrictEqual(replayed, live)
      assert.deepInclude((yield* asked(Effect.map(Effect.flip(Human.openUrl(page)), ({ action }) => action))).ending, {
        result: "decline"
      })
    }))
})

describe("a choice", () => {
  const choice = Human.choose({
    message: "Where to?",
    options: [
      { value: "test", title: "The test system", description: "nobody minds" },
      { value: "live", title: "Production" }
    ],
    within: "1 hour"
  })
  const choose = (content: Schema.Json) =>
    Effect.flatMap(
      Tasks,
      (tasks) =>
        Effect.flatMap(tasks.inbox({}), ([open]) =>
          tasks.respond({ id: open!.task, response: { action: "accept", content, by: "ann" } }))
    )

  it.effect("is a form with titles and descriptions, and one of its values", () =>
    Effect.gen(function*() {
      const then = Effect.gen(function*() {
        for (const content of [{ choice: "prod" }, {}, { choice: "Production" }]) {
          assert.strictEqual((yield* Effect.flip(choose(content)))._tag, "InvalidAnswer")
        }
        yield* choose({ choice: "live" })
      })
      const { ending, open } = yield* asked(choice, then)
      assert.deepStrictEqual((open.request.schema!["properties"] as Schema.JsonObject)["choice"], {
        type: "string",
        title: "Choice",
        oneOf: [
          { const: "test", title: "The test system", description: "nobody minds" },
          { const: "live", title: "Production" }
        ]
      })
      assert.deepInclude(ending, { result: "live" })
    }))
})
