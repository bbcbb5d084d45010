/**
 * A call that was sent and whose end nobody heard: it is looked for, a person is asked, and it is never made twice unseen.
 */
import { Tasks } from "@coppice/task/Tasks"
import { Workers } from "@coppice/task/Worker"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Generation } from "../src/McpClient.ts"
import * as RemoteAgent from "../src/RemoteAgent.ts"
import { type Bank, open } from "./support/Bank.ts"
import { fact, life, type LifeOptions, newStore, rest, submit } from "./support/Engine.ts"

const verify = { tool: "find", arguments: { reference: "/order" }, result: "/charge" }

const at = ({ url }: Bank, more: Omit<LifeOptions["agents"][number], "name"> = {}): LifeOptions => ({
  store: newStore(),
  server: { endpoint: { _tag: "Http", url } },
  agents: [{ name: "charge", output: Schema.Struct({ receipt: Schema.String }), patience: 1_000, ...more }]
})

/** Whose silence is looked into soon. */
const quick = (options: LifeOptions, isCoppice = false): LifeOptions => ({
  ...options,
  server: { ...options.server, timeout: 60, isCoppice }
})

type Id = Parameters<typeof rest>[0]

const charge = submit("charge", { order: "o1" })

const answer = (id: Id, content: Schema.Json) =>
  Effect.flatMap(Tasks, (tasks) => tasks.respond({ id, response: { action: "accept", content, by: "ann" } }))

const asked = (id: Id, times = 1) =>
  Effect.gen(function*() {
    let seen = 0
    return yield* fact(id, "InputRequested", () => ++seen === times)
  })

const tags = (id: Id) =>
  Effect.gen(function*() {
    const events = yield* (yield* Tasks).events({ task: id, since: 0, limit: 1_000 })
    return events.map(({ event }) => event._tag)
  })

/** A process that charges and dies before the reply. */
const killed = (bank: Bank, options: LifeOptions) => {
  bank.fate = "silent"
  return Effect.tap(
    life(options, Effect.tap(charge, () => Effect.promise(() => bank.called("charge")))),
    () => Effect.sync(() => bank.fate = "answered")
  )
}

const receipt = { _tag: "Completed", result: { receipt: "o1" } } as const

const generations: ReadonlyArray<Generation> = ["2025-11-25", "2026-07-28"]

describe.each(generations)("a call of %s whose fate is unknown", (generation) => {
  const story = (name: string, tell: (bank: Bank) => Effect.Effect<void, unknown>) =>
    it.live(name, () => Effect.flatMap(open(generation), tell))

  story(
    "waits for a person after a restart, without a place, and takes the result it is told",
    (bank) =>
      Effect.gen(function*() {
        const options = at(bank, { concurrency: 1 })
        const id = yield* killed(bank, options)
        yield* life(
          options,
          Effect.gen(function*() {
            const { request } = yield* asked(id)
            assert.deepInclude(request, { about: "outcome_unknown", mode: "form" })
            assert.match(request.message, /Server "peer", tool "charge".*a restart/)
            assert.include(request.message, id)
            assert.isTrue((yield* Workers).find("charge")?.hasPlace())
            yield* answer(id, { outcome: "did_happen", result: `{"receipt": "o1"}` })
            assert.deepStrictEqual((yield* rest(id)).ending, receipt)
          })
        )
        assert.deepStrictEqual(bank.calls, { charge: 1 })
      })
  )

  story("waits for a person when its connection breaks, and is made again when it did not happen", (bank) =>
    life(
      at(bank),
      Effect.gen(function*() {
        Object.assign(bank, { fate: "broken", charges: false })
        const id = yield* charge
        assert.include((yield* asked(id)).request.message, "a break")
        yield* answer(id, { outcome: "did_not_happen" })
        // it breaks again: that is another doubt, and the first answer is not its
        yield* asked(id, 2)
        Object.assign(bank, { fate: "answered", charges: true })
        yield* answer(id, { outcome: "did_not_happen" })
        assert.deepStrictEqual((yield* rest(id)).ending, receipt)
        assert.deepStrictEqual([bank.calls["charge"], bank.charged], [3, ["o1"]])
      })
    ))

  story("fails when nobody can tell", (bank) =>
    life(
      at(bank),
      Effect.gen(function*() {
        bank.fate = "broken"
        const id = yield* charge
        yield* asked(id)
        yield* answer(id, { outcome: "give_up" })
        const { task } = yield* rest(id)
        assert.deepStrictEqual([task.status, task.reason], ["failed", "defect"])
        assert.match(task.statusMessage ?? "", /may have run, and ann gave it up/)
        assert.strictEqual(bank.calls["charge"], 1)
      })
    ))

  story("waits for a person when its first reply takes too long", (bank) =>
    life(
      at(bank, { timeout: 50 }),
      Effect.gen(function*() {
        bank.fate = "silent"
        const id = yield* charge
        assert.include((yield* asked(id)).request.message, "the timeout")
      })
    ))

  story("waits for a person when its server is gone and its connection does not say so", (bank) =>
    life(
      quick(at(bank)),
      Effect.gen(function*() {
        bank.fate = "silent"
        const id = yield* charge
        yield* Effect.promise(() => bank.called("charge"))
        bank.vanish()
        assert.include((yield* asked(id)).request.message, "a break")
      })
    ))

  story("is waited for as long as its silent server is there", (bank) =>
    life(
      quick(at(bank)),
      Effect.gen(function*() {
        bank.fate = "silent"
        const id = yield* charge
        yield* Effect.promise(() => bank.called("charge"))
        yield* Effect.promise(() => bank.pinged(4))
        // its one thread is busy with the call
        bank.isSilent = true
        yield* Effect.promise(() => bank.pinged(4))
        assert.notInclude(yield* tags(id), "InputRequested")
        assert.strictEqual(bank.calls["charge"], 1)
      })
    ))

  story("is made again when a server that honours keys is there no more, and comes back", (bank) =>
    life(
      quick(at(bank), true),
      Effect.gen(function*() {
        bank.fate = "silent"
        const id = yield* charge
        yield* Effect.promise(() => bank.called("charge"))
        bank.isSilent = true
        yield* Effect.promise(() => bank.pinged(2))
        Object.assign(bank, { isSilent: false, fate: "answered" })
        assert.deepStrictEqual((yield* rest(id)).ending, receipt)
      })
    ))

  story("takes no result that is none, over a restart", (bank) =>
    Effect.gen(function*() {
      const options = at(bank)
      const id = yield* killed(bank, options)
      yield* life(
        options,
        Effect.gen(function*() {
          yield* asked(id)
          yield* answer(id, { outcome: "did_happen", result: "{oh" })
          assert.include(
            (yield* asked(id, 2)).request.message,
            "The answer of ann cannot be taken: the result is not JSON"
          )
        })
      )
      yield* life(
        options,
        Effect.gen(function*() {
          yield* answer(id, { outcome: "did_happen", result: `{"receipt": 1}` })
          assert.include((yield* asked(id, 3)).request.message, "the result does not fit")
          yield* answer(id, { outcome: "did_happen", result: `{"receipt": "o1"}` })
          assert.deepStrictEqual((yield* rest(id)).ending, receipt)
        })
      )
      assert.strictEqual(bank.calls["charge"], 1)
    }))

  story("heeds an answer that was given while no process lived", (bank) =>
    Effect.gen(function*() {
      const options = at(bank)
      const id = yield* killed(bank, options)
      yield* life(options, asked(id))
      yield* life(
        { ...options, agents: [] },
        Effect.gen(function*() {
          yield* answer(id, { outcome: "did_happen", result: `{"receipt": "o1"}` })
        })
      )
      yield* life(
        options,
        Effect.gen(function*() {
          assert.deepStrictEqual((yield* rest(id)).ending, receipt)
          assert.strictEqual((yield* tags(id)).filter((tag) => tag === "InputRequested").length, 1)
        })
      )
    }))

  story("asks once, however often the process dies meanwhile", (bank) =>
    Effect.gen(function*() {
      const options = at(bank)
      const id = yield* killed(bank, options)
      yield* life(options, asked(id))
      yield* life(
        options,
        Effect.gen(function*() {
          yield* answer(id, { outcome: "did_not_happen" })
          assert.deepStrictEqual((yield* rest(id)).ending, receipt)
          assert.strictEqual((yield* tags(id)).filter((tag) => tag === "InputRequested").length, 1)
        })
      )
      assert.strictEqual(bank.calls["charge"], 2)
    }))

  story("is looked for before a person is asked: it happened", (bank) =>
    Effect.gen(function*() {
      const options = at(bank, { verify })
      const id = yield* killed(bank, options)
      yield* life(
        options,
        Effect.gen(function*() {
          assert.deepStrictEqual((yield* rest(id)).ending, receipt)
          assert.notInclude(yield* tags(id), "InputRequested")
        })
      )
      assert.deepStrictEqual(bank.calls, { charge: 1, find: 1 })
    }))

  story(
    "is looked for before a person is asked: it did not happen, and is made again",
    (bank) =>
      Effect.gen(function*() {
        const options = at(bank, { verify })
        bank.charges = false
        const id = yield* killed(bank, options)
        bank.charges = true
        yield* life(
          options,
          Effect.gen(function*() {
            assert.deepStrictEqual((yield* rest(id)).ending, receipt)
            assert.notInclude(yield* tags(id), "InputRequested")
          })
        )
        assert.deepStrictEqual([bank.calls, bank.charged], [{ charge: 2, find: 1 }, ["o1"]])
      })
  )

  story("is a person's question when looking fails, until a later process can look", (bank) =>
    Effect.gen(function*() {
      const options = at(bank, { verify })
      const id = yield* killed(bank, options)
      bank.isBlind = true
      yield* life(
        options,
        Effect.gen(function*() {
          assert.match((yield* asked(id)).request.message, /Looking for it with "find" failed.*out of order/)
        })
      )
      bank.isBlind = false
      yield* life(
        options,
        Effect.gen(function*() {
          assert.deepStrictEqual((yield* rest(id)).ending, receipt)
          assert.include(yield* tags(id), "InputWithdrawn")
        })
      )
      assert.strictEqual(bank.calls["charge"], 1)
    }))

  story("settles as unknown when it is cancelled while a person is asked", (bank) =>
    life(
      at(bank),
      Effect.gen(function*() {
        bank.fate = "broken"
        const id = yield* charge
        yield* asked(id)
        yield* (yield* Tasks).cancel({ id, by: "test" })
        const { task } = yield* rest(id)
        assert.deepStrictEqual([task.status, task.settlement], ["cancelled", "unknown"])
      })
    ))

  story("is made again without a question where that does no harm", (bank) =>
    Effect.gen(function*() {
      const options = at(bank, { idempotent: true })
      const id = yield* killed(bank, options)
      yield* life(
        options,
        Effect.gen(function*() {
          assert.deepStrictEqual((yield* rest(id)).ending, receipt)
          assert.notInclude(yield* tags(id), "InputRequested")
        })
      )
      assert.strictEqual(bank.calls["charge"], 2)
    }))
})

describe("an agent without a schema of its own", () => {
  const told = (result: string) =>
    Effect.gen(function*() {
      const bank = yield* open("2025-11-25")
      const options = { ...at(bank), agents: [{ name: "charge" }] }
      const id = yield* killed(bank, options)
      return yield* life(
        options,
        Effect.gen(function*() {
          yield* asked(id)
          yield* answer(id, { outcome: "did_happen", result })
          return (yield* rest(id)).ending
        })
      )
    })

  it.live("takes a tool's result, what is structured, or a text, from a person", () =>
    Effect.gen(function*() {
      const content = [{ type: "text", text: "done" }]
      assert.deepStrictEqual(yield* told(JSON.stringify({ content })), { _tag: "Completed", result: { content } })
      assert.deepStrictEqual(yield* told(`"done"`), { _tag: "Completed", result: { content } })
      assert.deepStrictEqual(yield* told(`{"receipt": 1}`), { _tag: "Completed", result: { receipt: 1 } })
      assert.deepStrictEqual(yield* told(""), { _tag: "Completed", result: { content: [] } })
    }))
})

describe("a definition", () => {
  it("is refused when it cannot look", () => {
    const make = (verify: RemoteAgent.RemoteAgentOptions["verify"]) =>
      RemoteAgent.make({ name: "charge", server: "bank", verify })
    assert.throws(() => make({ tool: "" }), /verify\.tool/)
    assert.throws(() => make({ tool: "find", arguments: { reference: "order" } }), /verify\.arguments\.reference/)
    assert.throws(() => make({ tool: "find", result: "charge" }), /verify\.result/)
  })
})
