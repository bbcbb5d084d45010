/** Recorded runs, run again offline (field.md D14). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, Durable, Human, Orchestrator, Replay, Steering, Step, Tasks } from "../src/index.ts"

let bodies = 0
const step = <A>(name: string, value: A) => Step.run(name, Effect.sync(() => (bodies++, value)))

const Leaf = Agent.make("leaf", { description: "", input: Schema.Int, output: Schema.Int, error: Schema.String })
const Root = Agent.make("root", { description: "", input: Schema.Json, output: Schema.Json, error: Schema.String })

const leaf = (add: number) =>
  Leaf.toLayer((n) =>
    n < 0 ? Effect.fail("negative") : Effect.map(Step.run("add", n, Effect.sync(() => (bodies++, n))), (n) => n + add)
  )
const ask = Human.ask({ message: "On?", form: Schema.Struct({ on: Schema.Boolean }) })

type Change = { readonly order?: boolean; readonly more?: boolean; readonly less?: boolean; readonly result?: string }

const root = ({ less, more, order, result = "told" }: Change = {}) =>
  Root.toLayer(Effect.fnUntraced(function*() {
    const names = order === true ? ["b", "a"] : ["a", "b"]
    const numbers = yield* Effect.forEach(names, (name) => step(name, name === "a" ? 1 : 2))
    const all = yield* Effect.orDie(Effect.forEach([1, 2, 3], (n) => Leaf.call(n), { concurrency: 2 }))
    const error = yield* Effect.catch(Leaf.call(-1), (error) => Effect.succeed(String(error)))
    yield* Durable.sleep("20 millis")
    const quick = yield* Effect.race(
      Effect.as(Durable.sleep("10 millis"), "timer"),
      step("slow", "step").pipe(Effect.delay("1 hour"))
    )
    const { message } = less === true ? { message: "" } : yield* Steering.next
    const { on } = yield* Effect.orDie(ask)
    if (more === true) yield* step("more", 0)
    return { [result]: [...numbers.sort((x, y) => x - y), ...all, error, quick, message, on] }
  }))

const orchestrator = (change?: Change, add = 10) => Orchestrator.make({ agents: [leaf(add), root(change)] })

/** A run and its recording. */
const recorded = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { id } = yield* tasks.submit({ agent: "root", input: null })
  yield* tasks.steer({ id, by: "ada", message: "go" })
  yield* Effect.forkChild(Orchestrator.answerAll(() => ({ on: true })))
  const { ending } = yield* tasks.result(id)
  assert.strictEqual(ending._tag, "Completed", JSON.stringify(ending))
  return yield* Replay.record(id)
}).pipe(Effect.provide(Orchestrator.layer(orchestrator())))

const live = it.live

describe("a recorded run", () => {
  live("comes to the same end with the same code, and no body of a step runs", () =>
    Effect.gen(function*() {
      const recording = yield* recorded
      const text = Replay.format(recording)
      const read = Result.getOrThrow(Replay.parse(text))
      assert.deepStrictEqual(read, recording)
      bodies = 0
      const report = yield* Replay.check(orchestrator(), read)
      assert.deepStrictEqual(report.tasks.filter(({ outcome }) => outcome !== "same"), [])
      assert.lengthOf(report.tasks, 5)
      assert.isTrue(report.same)
      assert.strictEqual(bodies, 0)
    }))

  const drifts: ReadonlyArray<readonly [string, Change, RegExp]> = [
    ["another order", { order: true }, /- step "a" .*\n.*\+ step "b"/],
    ["more than was recorded", { more: true }, /- completed with .*\n.*\+ goes on with step "more"/],
    ["less than was recorded", { less: true }, /^$/],
    ["another result", { result: "said" }, /- completed with \{"told".*\n.*\+ completed with \{"said"/]
  ]
  live.each(drifts)("drifts with %s", ([name, change, diff]) =>
    Effect.gen(function*() {
      const report = yield* Replay.check(orchestrator(change), yield* recorded)
      const first = report.tasks.find(({ outcome }) => outcome === "drift")
      assert.isFalse(report.same, name)
      if (name.startsWith("less")) return assert.include(first!.diff, "\"go\"")
      assert.match(first!.diff, diff)
    }))

  live("drifts in a task below, and says in which", () =>
    Effect.gen(function*() {
      const report = yield* Replay.check(orchestrator({}, 11), yield* recorded)
      assert.isFalse(report.same)
      const drifted = report.tasks.filter(({ outcome }) => outcome === "drift")
      assert.deepStrictEqual(drifted.map(({ agent }) => agent), ["leaf", "leaf", "leaf"])
      assert.match(drifted[0]!.diff, /- completed with 11 .*\n.*\+ completed with 12/)
    }))

  live("that was cancelled or waits is the same as far as it came", () =>
    Effect.gen(function*() {
      const recording = yield* Effect.gen(function*() {
        const tasks = yield* Tasks
        const { id } = yield* tasks.submit({ agent: "root", input: null })
        const fired = Stream.filter(tasks.watch({ run: id, since: 0 }), ({ event }) => event._tag === "TimerFired")
        yield* Stream.runDrain(Stream.take(fired, 2))
        const waiting = yield* Replay.record(id)
        yield* tasks.cancel({ id, by: "ada" })
        yield* tasks.result(id)
        return [waiting, yield* Replay.record(id)] as const
      }).pipe(Effect.provide(Orchestrator.layer(orchestrator())))
      for (const one of recording) assert.isTrue((yield* Replay.check(orchestrator(), one)).same)
      assert.isFalse((yield* Replay.check(orchestrator({ order: true }), recording[1])).same)
    }))

  live("is taken out of a store in use", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "coppice-replay-test-"))
      const url = `sqlite:${join(folder, "coppice.db")}`
      yield* Effect.gen(function*() {
        const { task } = yield* Orchestrator.run("leaf", 1)
        const taken = yield* Replay.fromStore(url, task.id.slice(0, 18))
        assert.deepStrictEqual(taken, yield* Replay.record(task.id))
        assert.isTrue((yield* Replay.check(orchestrator(), taken)).same)
      }).pipe(Effect.provide(Orchestrator.layer(orchestrator(), url)))
      rmSync(folder, { recursive: true })
    }))

  it("that is none says so", () => {
    const error = Result.getOrThrow(Result.flip(Replay.parse("{}\n")))
    assert.strictEqual(error.line, 1)
    assert.isTrue(Result.isFailure(Replay.parse("")))
  })
})
