/** New code over runs that wait: none is lost (field.md D19). */
import { CodeVersion } from "@coppice/task/CodeVersion"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import { Executor } from "../../src/Executor.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import type { Work } from "../support/Twice.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { inWorld, orderOf, pause, result, type Services, submit, tagsOf } from "../support/World.ts"

const Leaf = Agent.make("leaf", { description: "", input: Schema.Json, output: Schema.Json })
const Form = Schema.Struct({ yes: Schema.Boolean })

const nap = (duration: Duration.Input) => Effect.as(Effect.sleep(duration), null)

/** Bodies that ran, as `task/key`. */
type Ran = Array<string>

const step = (ran: Ran, name: string, input: Schema.Json = null) =>
  Step.run(
    name,
    input,
    Effect.map(Step.idempotencyKey, (key) => {
      ran.push(key)
      return `${name}!`
    })
  )

const root = (work: (input: any) => Work, more: Partial<Agent.AgentOptions<any, any, any>> = {}) =>
  Agent.make("root", { description: "", input: Schema.Json, output: Schema.Json, ...more })
    .toLayer((input) => Effect.map(Effect.orDie(work(input)), (value) => value ?? null))

const leaf = (work: (input: any) => Work) => Leaf.toLayer(work)

/** One process after the other over one log. */
const lives = () => {
  const batches: Array<Batch> = []
  return <A, E>(
    agents: Parameters<typeof inWorld>[0]["agents"],
    life: Effect.Effect<A, E, Services>,
    code?: string
  ) => {
    const before = [...batches]
    const at = before.at(-1)?.events.at(-1)?.at
    const options = {
      agents,
      store: recording(batches, restored(before)),
      patience: 100_000_000,
      seed: `life ${before.length}`,
      ...at === undefined ? {} : { clock: new VirtualClock(at) }
    }
    return Effect.provideService(inWorld(options, life), CodeVersion, code)
  }
}

const ids = (n: number) => Effect.forEach(Array.from({ length: n }, (_, i) => i), (i) => submit("root", i))

const answer = (id: TaskId, content: Schema.Json, key?: string) =>
  Effect.flatMap(Tasks, (tasks) =>
    Effect.flatMap(tasks.inbox({ run: id, limit: 1_000 }), (open) => {
      const found = open.find(({ request }) => key === undefined || request.key.startsWith(key))
      assert(found !== undefined, `${id} does not ask ${key}`)
      const response = { action: "accept", content, by: "ada" } as const
      return tasks.respond({ id: found.task, key: found.request.key, response })
    }))

const choose = (id: TaskId, choice: string) => answer(id, { choice }, "upgrade:")

const completed = (id: TaskId) =>
  Effect.map(result(id), ({ ending }) => {
    assert(ending._tag === "Completed", JSON.stringify(ending))
    return ending.result
  })

const failed = (id: TaskId) =>
  Effect.map(result(id), ({ ending }) => {
    assert(ending._tag === "Failed", JSON.stringify(ending))
    return ending
  })

const messageOf = (id: TaskId) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.inbox({ run: id }), (open) => open[0]?.request.message ?? ""))

/** Everything waits, and has left memory. */
const asleep = Effect.gen(function*() {
  yield* Effect.sleep("1 minute")
  const executor = yield* Executor
  yield* executor.evictIdle
  yield* pause
  assert.strictEqual(executor.residentCount(), 0)
})

describe("a deploy over 100 runs that wait", () => {
  const ask = Human.ask({ message: "On?", form: Form })
  const before = (ran: Ran) => (input: number) =>
    Effect.gen(function*() {
      const a = yield* step(ran, "a", input)
      const b = yield* step(ran, "b", input)
      const { yes } = yield* ask
      return [a, b, yes, yield* step(ran, "c"), yield* Leaf.call(input)]
    })
  // another order
  const after = (ran: Ran) => (input: number) =>
    Effect.gen(function*() {
      const b = yield* step(ran, "b", input)
      const a = yield* step(ran, "a", input)
      const { yes } = yield* ask
      return ["new", a, b, yes, yield* step(ran, "c"), yield* Leaf.call(input)]
    })
  const migrate = { moves: [{ reuse: "step:a" }, { reuse: "step:b" }] }

  it.effect("loses none of them: each goes on as its person says", () => {
    const next = lives()
    const [first, second, third]: [Ran, Ran, Ran] = [[], [], []]
    const kinds = ["continue", "migrate", "restart", "stop"] as const
    return Effect.gen(function*() {
      const runs = yield* next(
        [leaf(Effect.succeed), root(before(first))],
        Effect.tap(ids(100), () => asleep),
        "1.0"
      )
      assert.lengthOf(first, 200)
      const of = (kind: typeof kinds[number]) => runs.filter((_, i) => kinds[i % 4] === kind)
      yield* next(
        [leaf(Effect.succeed), root(after(second), { migrate })],
        Effect.gen(function*() {
          for (const id of runs) yield* answer(id, { yes: true })
          yield* asleep
          const open = yield* (yield* Tasks).inbox({ limit: 1_000 })
          assert.sameMembers(open.map(({ task }) => task), runs)
          assert.deepStrictEqual([...new Set(open.map(({ request }) => request.key))], ["upgrade:1"])
          assert.deepStrictEqual(second, [])
          const message = yield* messageOf(runs[0]!)
          assert.include(message, `  - step "a" 0`)
          assert.include(message, `  + step "b" 0`)
          assert.include(message, "Code 1.0 then, 2.0 now.")
          for (const [i, id] of runs.entries()) yield* choose(id, kinds[i % 4]!)
          yield* Effect.sleep("1 minute")
          for (const id of of("restart")) yield* answer(id, { yes: false })
          for (const id of of("migrate")) {
            const i = runs.indexOf(id)
            assert.deepStrictEqual(yield* completed(id), ["new", "a!", "b!", true, "c!", i])
          }
          for (const id of of("restart")) {
            const i = runs.indexOf(id)
            assert.deepStrictEqual(yield* completed(id), ["new", "a!", "b!", false, "c!", i])
          }
          for (const id of of("stop")) {
            const { message, reason } = yield* failed(id)
            assert.strictEqual(reason, "replay_mismatch")
            assert.match(message, /- step "a" .* \+ step "b" .* Stopped by ada\.$/)
          }
          // the old code is not there yet: it does not fit, and asks again
          const again = yield* (yield* Tasks).inbox({ limit: 1_000 })
          assert.sameMembers(again.map(({ task }) => task), of("continue"))
          assert.deepStrictEqual([...new Set(again.map(({ request }) => request.key))], ["upgrade:2"])
        }),
        "2.0"
      )
      // a migrated run only does what was left; one that begins anew does all
      const tasksOf = (ran: Ran, name: string) =>
        ran.filter((key) => key.includes(`step:${name}:`)).map((key) => key.slice(0, 20))
      assert.sameMembers(tasksOf(second, "a"), of("restart"))
      assert.sameMembers(tasksOf(second, "b"), of("restart"))
      assert.sameMembers(tasksOf(second, "c"), [...of("restart"), ...of("migrate")])
      yield* next(
        [leaf(Effect.succeed), root(before(third))],
        Effect.gen(function*() {
          for (const id of of("continue")) yield* choose(id, "continue")
          for (const id of of("continue")) {
            assert.deepStrictEqual(yield* completed(id), ["a!", "b!", true, "c!", runs.indexOf(id)])
          }
          assert.deepStrictEqual(yield* (yield* Tasks).inbox({}), [])
        }),
        "1.0"
      )
      assert.sameMembers(third.map((key) => key.slice(0, 20)), of("continue"))
    })
  })
})

describe("a task whose code changed", () => {
  const never = Effect.sleep("1 hour")

  it.effect("begins anew only when everything it had started is at rest, and asks its questions again", () => {
    const next = lives()
    const ran: Ran = []
    const slow = leaf((input) => Effect.as(Effect.sleep(input === 1 ? "10 hours" : "1 second"), input))
    const ask = Human.ask({ message: "Old?", form: Form })
    return Effect.gen(function*() {
      const id = yield* next(
        [slow, root(() => Effect.all([step(ran, "a"), Leaf.call(1), ask, never], { concurrency: "unbounded" }))],
        Effect.tap(submit("root", null), () => pause)
      )
      yield* next(
        [slow, root(() => Effect.all([Leaf.call(2), ask, nap("1 minute")]))],
        Effect.gen(function*() {
          yield* Effect.sleep("20 seconds")
          yield* choose(id, "restart")
          yield* Effect.sleep("5 seconds")
          yield* answer(id, { yes: true })
          assert.deepStrictEqual(yield* completed(id), [2, { yes: true }, null])
          const order = yield* orderOf(["Cancelled", "Settled", "Upgraded", "Started", "TimerFired", "Completed"])
          assert.deepStrictEqual(
            order.filter((what) => !what.startsWith("leaf Started")).slice(-8),
            [
              "root Started",
              "leaf Cancelled",
              "leaf Settled",
              "root Upgraded",
              "root Started",
              "leaf TimerFired",
              "leaf Completed",
              "root TimerFired"
            ].concat(["root Completed"]).slice(-8)
          )
          // the timer of the old code is gone
          const fired = (yield* tagsOf(id)).filter((tag) => tag === "TimerFired")
          assert.lengthOf(fired, 1)
        })
      )
    })
  })

  it.effect("finds what it waits for under other names after a migration, in every later life", () => {
    const next = lives()
    const ran: Ran = []
    const ask = (name: string) => Human.ask({ message: "Go?", form: Form, name })
    const slow = leaf((input) => Effect.as(Effect.sleep(input === 1 ? "2 hours" : "1 second"), input))
    const Other = Agent.make("other", { description: "", input: Schema.Json, output: Schema.Json })
    const other = Other.toLayer(Effect.succeed)
    const work = (name: string, wait: string, callee: Pick<typeof Leaf, "call">) => () =>
      Effect.gen(function*() {
        const first = yield* step(ran, name)
        const all = yield* Effect.all(
          [ask(name), nap(wait as "1 hour"), callee.call(1), callee.call(2)],
          { concurrency: "unbounded" }
        )
        return [first, ...all, yield* step(ran, "last")]
      })
    const migrate = {
      moves: [
        { from: "step:old", to: "step:new" },
        { from: "old", to: "new" },
        { from: "timer:3600000", to: "timer:60000" },
        { from: "call:leaf", to: "call:other" }
      ]
    }
    return Effect.gen(function*() {
      const id = yield* next(
        [slow, other, root(work("old", "1 hour", Leaf))],
        Effect.tap(submit("root", null), () => Effect.sleep("10 seconds"))
      )
      const newer = [slow, other, root(work("new", "1 minute", Other), { migrate })]
      yield* next(newer, Effect.andThen(Effect.andThen(Effect.sleep("20 seconds"), choose(id, "migrate")), asleep))
      yield* next(
        [slow, other, root(work("new", "1 minute", Other as never))],
        Effect.andThen(asleep, answer(id, { yes: true }, "new"))
      )
      const told = yield* next([slow, other, root(work("new", "1 minute", Other as never))], completed(id))
      assert.deepStrictEqual(told, ["old!", { yes: true }, null, 1, 2, "last!"])
      assert.deepStrictEqual(ran.map((key) => key.slice(21)), ["step:old:null:0", "step:last:null:0"])
    })
  })

  it.effect("forgets what is dropped and is given what is supplied", () => {
    const next = lives()
    const ran: Ran = []
    const slow = leaf(() => never)
    return Effect.gen(function*() {
      const id = yield* next(
        [slow, root(() => Effect.all([step(ran, "gone"), Leaf.call(1), never], { concurrency: "unbounded" }))],
        Effect.tap(submit("root", null), () => pause)
      )
      const migrate = {
        moves: [{ drop: "step:gone" }, { drop: "call:leaf" }, { drop: "timer" }, {
          supply: "step:new:null:0",
          result: 7
        }]
      }
      const told = yield* next(
        [slow, root(() => step(ran, "new"), { migrate })],
        Effect.andThen(Effect.sleep("20 seconds"), Effect.andThen(choose(id, "migrate"), completed(id)))
      )
      assert.strictEqual(told, 7)
      assert.lengthOf(ran, 1)
    })
  })

  it.effect("is asked about its input, too, and can migrate it", () => {
    const next = lives()
    const before = Agent.make("root", { description: "", input: Schema.Struct({ n: Schema.Int }), output: Schema.Json })
    const after = Agent.make("root", {
      description: "",
      input: Schema.Struct({ text: Schema.String }),
      output: Schema.Json,
      migrate: { input: (recorded: any) => ({ text: `${recorded.n}` }) }
    })
    return Effect.gen(function*() {
      const id = yield* next(
        [before.toLayer(() => Effect.as(Effect.sleep("1 minute"), 0))],
        Effect.tap(submit("root", { n: 5 }), () => Effect.sleep("10 seconds"))
      )
      const work = after.toLayer(({ text }) => Effect.as(Effect.sleep("1 minute"), `text ${text}`))
      yield* next(
        [work],
        Effect.gen(function*() {
          yield* pause
          assert.include(yield* messageOf(id), "no longer fits the contract")
          yield* choose(id, "migrate")
          yield* Effect.sleep("10 seconds")
        })
      )
      assert.strictEqual(yield* next([work], completed(id)), "text 5")
    })
  })

  it.effect("can be cancelled while it asks, and while it is being stopped", () => {
    const next = lives()
    const stubborn = leaf(() => Effect.uninterruptible(Effect.sleep("3 seconds")))
    return Effect.gen(function*() {
      const [asking, stopping] = yield* next(
        [stubborn, root(() => Effect.all([Leaf.call(1), never]))],
        Effect.tap(ids(2), () => pause)
      )
      yield* next(
        [stubborn, root(() => never)],
        Effect.gen(function*() {
          yield* Effect.sleep("11 seconds")
          const tasks = yield* Tasks
          yield* tasks.cancel({ id: asking!, by: "ada" })
          yield* choose(stopping!, "restart")
          yield* tasks.cancel({ id: stopping!, by: "ada" })
          yield* Effect.sleep("1 minute")
          for (const id of [asking!, stopping!]) {
            assert.isTrue((yield* tasks.cancelReport(id)).converged)
            assert.strictEqual((yield* tasks.get(id)).status, "cancelled")
          }
          assert.strictEqual((yield* Executor).residentCount(), 0)
        })
      )
    })
  })
})
