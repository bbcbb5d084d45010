import type { InputResponse } from "@coppice/task/TaskEvent"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Human from "../src/Human.ts"
import * as Step from "../src/Step.ts"
import { root } from "./support/Twice.ts"
import { failureIn, inWorld, pause, result, run, submit, tagsOf } from "./support/World.ts"

const Approval = Schema.Struct({ approve: Schema.Boolean, until: Schema.optionalKey(Schema.Date) })
const question = Human.ask({ message: "Apply?", form: Approval })

const answer = Effect.fnUntraced(function*(response: Partial<InputResponse>) {
  const tasks = yield* Tasks
  const [open] = yield* tasks.inbox({})
  const full = { action: "accept", content: null, by: "ada", ...response } as const
  return yield* tasks.respond({ id: open!.task, key: open!.request.key, response: full })
})

const asked = <A, E>(work: Effect.Effect<any, any, any>, then: Effect.Effect<A, E, any>) =>
  inWorld(
    { agents: [root(work)] },
    Effect.gen(function*() {
      const id = yield* submit("root", null)
      yield* pause
      yield* then
      return (yield* result(id)).ending
    })
  )

describe("a question", () => {
  it.effect("stands in the inbox with its form while the task waits", () =>
    inWorld(
      { agents: [root(question)] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* pause
        assert.strictEqual((yield* tasks.get(id)).status, "input_required")
        const [open] = yield* tasks.inbox({})
        assert.deepInclude(open?.request, { message: "Apply?", mode: "form" })
        assert.deepStrictEqual(Object.keys(open!.request.schema!["properties"] as object), ["approve", "until"])
      })
    ))

  it.effect("is answered with what the form says, typed", () =>
    Effect.gen(function*() {
      const work = Effect.map(question, ({ approve, until }) => [approve, until instanceof Date])
      const ending = yield* asked(work, answer({ content: { approve: true, until: "2030-01-01T00:00:00.000Z" } }))
      assert.deepStrictEqual(ending, { _tag: "Completed", result: [true, true] })
    }))

  it.effect.each(["decline", "cancel"] as const)(
    "that is answered with %s fails with NotAccepted",
    (action) =>
      Effect.gen(function*() {
        const work = Effect.map(Effect.flip(question), ({ action, by }) => [action, by])
        assert.deepStrictEqual(yield* asked(work, answer({ action })), { _tag: "Completed", result: [action, "ada"] })
      })
  )

  it.effect("nobody handles the refusal of fails the task, without another attempt", () =>
    Effect.gen(function*() {
      const failed = yield* failureIn(asked(question, answer({ action: "decline" })))
      assert.strictEqual(failed.message, `NotAccepted: ada answered "decline"`)
    }))

  it.effect("takes no answer that does not fit, and waits on", () =>
    Effect.gen(function*() {
      const odd = Effect.flip(answer({ content: { approve: "yes" } }))
      const ending = yield* asked(
        Effect.map(question, ({ approve }) => approve),
        Effect.gen(function*() {
          assert.strictEqual((yield* odd)._tag, "InvalidAnswer")
          yield* answer({ content: { approve: false } })
        })
      )
      assert.deepStrictEqual(ending, { _tag: "Completed", result: false })
    }))

  it.effect("takes the first answer and no other", () =>
    Effect.gen(function*() {
      const ending = yield* asked(
        Effect.map(question, ({ approve }) => approve),
        Effect.gen(function*() {
          const answers = [answer({ content: { approve: true } }), answer({ content: { approve: false } })]
          const exits = yield* Effect.all(answers.map(Effect.exit), { concurrency: 2 })
          assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
        })
      )
      assert.deepStrictEqual(ending, { _tag: "Completed", result: true })
    }))

  it.effect("is withdrawn when its time is over", () =>
    inWorld(
      { agents: [root(Effect.exit(Effect.timeout(question, "1 minute")).pipe(Effect.as("late")))] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* Effect.sleep("61 seconds")
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: "late" })
        assert.deepStrictEqual(yield* tasks.inbox({}), [])
        assert.deepInclude(yield* tagsOf(id), "InputWithdrawn")
      })
    ))

  it.effect("asked twice with the same words is two questions", () =>
    Effect.gen(function*() {
      const work = Effect.map(Effect.all([question, question]), ([one, other]) => [one.approve, other.approve])
      const both = Effect.andThen(
        answer({ content: { approve: true } }),
        Effect.andThen(pause, answer({ content: { approve: false } }))
      )
      assert.deepStrictEqual(yield* asked(work, both), { _tag: "Completed", result: [true, false] })
    }))

  it.effect("is too large for nobody to read", () =>
    inWorld(
      { agents: [root(Human.ask({ message: "x".repeat(1_100_000), form: Approval }))] },
      Effect.gen(function*() {
        assert.include((yield* failureIn(run("root", null))).message, "The question")
      })
    ))

  it.effect("repeats nothing that came before it when the answer comes", () =>
    Effect.gen(function*() {
      let runs = 0
      const work = Effect.andThen(Step.run("before", Effect.sync(() => ++runs)), Effect.as(question, "done"))
      assert.deepStrictEqual(yield* asked(work, answer({ content: { approve: true } })), {
        _tag: "Completed",
        result: "done"
      })
      assert.strictEqual(runs, 1)
    }))
})

describe("a question with a name", () => {
  const named = (name: string) => Human.ask({ message: "?", form: Schema.Struct({ n: Schema.Finite }), name })

  it.effect("has it as its key; the next one of that name gets a number", () =>
    inWorld(
      { agents: [root(Effect.all([named("size"), named("size")], { concurrency: "unbounded" }))] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        yield* submit("root", null)
        yield* pause
        assert.deepStrictEqual((yield* tasks.inbox({})).map(({ request }) => request.key), ["size", "size:1"])
      })
    ))

  it.effect("cannot have any name", () =>
    Effect.gen(function*() {
      const ending = yield* asked(named("a b"), Effect.void)
      assert(ending._tag === "Failed")
      assert.include(ending.message, "a name has 1 to 64 characters")
    }))
})

describe("a page", () => {
  const page = Human.openUrl({ message: "Log in", url: "https://example.test/login", name: "login" })

  it.effect("is shown with its address, and nothing of it comes back", () =>
    Effect.gen(function*() {
      const look = Effect.gen(function*() {
        const [open] = yield* (yield* Tasks).inbox({})
        assert.deepInclude(open!.request, {
          key: "login",
          mode: "url",
          url: "https://example.test/login",
          schema: null
        })
        yield* answer({ content: null })
      })
      assert.deepStrictEqual(yield* asked(Effect.as(page, "went"), look), { _tag: "Completed", result: "went" })
    }))

  it.effect("can be refused", () =>
    Effect.gen(function*() {
      const work = Effect.map(Effect.flip(page), ({ action }) => action)
      const ending = yield* asked(work, answer({ action: "decline" }))
      assert.deepStrictEqual(ending, { _tag: "Completed", result: "decline" })
    }))
})

describe("a raw form", () => {
  const form = Human.rawForm({
    type: "object",
    properties: { size: { type: "string", enum: ["s", "l"] } },
    required: ["size"]
  })

  it.effect("stands as it is, and answers are checked against it", () =>
    Effect.gen(function*() {
      const work = Human.ask({ message: "Which?", form })
      const then = Effect.gen(function*() {
        const [open] = yield* (yield* Tasks).inbox({})
        assert.deepStrictEqual(Object.keys(open!.request.schema!), ["type", "properties", "required"])
        const refused = yield* Effect.flip(answer({ content: { size: "x" } }))
        assert.strictEqual((refused as { readonly _tag: string })._tag, "InvalidAnswer")
        yield* answer({ content: { size: "l" } })
      })
      assert.deepStrictEqual(yield* asked(work, then), { _tag: "Completed", result: { size: "l" } })
    }))
})
