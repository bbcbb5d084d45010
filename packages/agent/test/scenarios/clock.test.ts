/**
 * Case 9: the wall clock is set an hour forward, or back, while tasks run.
 *
 * What lasts within the process is measured by time that only grows; what is written down (timers of handlers, deadlines)
 * is due by the wall clock, as it has to be in another process; what comes first is told by the log.
 */
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import { AgentSupervisor } from "../../src/AgentSupervisor.ts"
import * as Durable from "../../src/Durable.ts"
import * as Executor from "../../src/Executor.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import { root, type Work } from "../support/Twice.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { eventsOf, inWorld, type Options, pause, result, type Services, submit } from "../support/World.ts"

const start = 1_800_000_000_000
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
/** A clock that was set is noticed by the timers after this at the latest. */
const skewBound = minute

/** Runs the body in a world whose wall clock the body sets. */
const inTime = <A, E>(
  agents: Options["agents"],
  body: (clock: VirtualClock) => Effect.Effect<A, E, Services>,
  options: Partial<Options> = {}
) => {
  const clock = new VirtualClock(start)
  return inWorld({ patience: 5 * hour, ...options, agents, clock }, body(clock))
}

/** When the task of this work ends, with the wall clock set by `by` a minute after it began. */
const endsAt = (work: Work, by: number, deadline?: number) =>
  inTime([root(work)], (clock) =>
    Effect.gen(function*() {
      const id = yield* submit("root", null, { deadline })
      yield* Effect.sleep(minute)
      clock.set(by)
      const { ending, task } = yield* result(id)
      const passed = Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n) - start
      return { ending: ending._tag, by: task.reason, wall: task.endedAt! - start, passed }
    }))

describe("a sleep, when the wall clock is set (case 9)", () => {
  const two = Effect.sleep(2 * hour)

  it.effect("forward, is over when the wall clock shows its time, and not before", () =>
    Effect.gen(function*() {
      const { ending, passed, wall } = yield* endsAt(two, hour)
      assert.deepStrictEqual([ending, wall, passed], ["Completed", 2 * hour, hour])
    }))

  it.effect("beyond its time, is over soon after", () =>
    Effect.gen(function*() {
      const { wall } = yield* endsAt(Effect.sleep(30 * minute), hour)
      assert.isAtLeast(wall, 30 * minute)
      assert.isAtMost(wall, hour + minute + skewBound)
    }))

  it.effect("back, is over when the wall clock shows its time again: later, never early", () =>
    Effect.gen(function*() {
      const { wall, passed } = yield* endsAt(two, -hour)
      assert.deepStrictEqual([wall, passed], [2 * hour, 3 * hour])
    }))

  it.effect("is a timeout as well", () =>
    Effect.gen(function*() {
      const timeout = Effect.ignore(Effect.timeout(Effect.never, 2 * hour))
      for (const by of [hour, -hour]) {
        assert.deepStrictEqual(yield* endsAt(timeout, by), {
          ending: "Completed",
          by: null,
          wall: 2 * hour,
          passed: 2 * hour - by
        })
      }
    }))
})

describe("a deadline, when the wall clock is set (case 9)", () => {
  it.effect("is the wall clock's: an hour less when it goes forward, an hour more when it goes back", () =>
    Effect.gen(function*() {
      for (const by of [hour, -hour]) {
        assert.deepStrictEqual(yield* endsAt(Effect.never, by, start + 2 * hour), {
          ending: "Failed",
          by: "deadline",
          wall: 2 * hour,
          passed: 2 * hour - by
        })
      }
    }))

  it.effect("that the clock has passed ends the task within the bound", () =>
    Effect.gen(function*() {
      const { by, passed } = yield* endsAt(Effect.never, hour, start + 30 * minute)
      assert.strictEqual(by, "deadline")
      assert.isAtMost(passed, minute + skewBound)
    }))
})

describe("the order of things, when the wall clock is set back (case 9)", () => {
  /** What the task's own clock shows after each of its steps, which take ten seconds. */
  const work = Effect.forEach(
    [1, 2, 3, 4],
    (n) => Effect.andThen(Step.run("step", n, Effect.sleep(10 * second)), Durable.now)
  )

  const slow = Effect.as(Effect.sleep(30 * minute), "slow")

  it.effect("is that of the log: later facts have earlier times, and the task's own time does not go back", () =>
    inTime([root(work)], (clock) =>
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const first = yield* submit("root", 1)
        yield* Effect.sleep(15 * second)
        clock.set(-hour)
        const next = yield* submit("root", 2)
        const { ending } = yield* result(first)
        assert(ending._tag === "Completed")
        const seen = ending.result as ReadonlyArray<number>
        assert.deepStrictEqual(seen, [10_000, 10_000, 10_000, 10_000].map((at) => start + at))
        const facts = yield* eventsOf(first)
        assert.deepStrictEqual(facts.map(({ seq }) => seq), facts.map(({ seq }) => seq).toSorted((a, b) => a - b))
        assert.isBelow(facts.at(-1)!.at, facts[0]!.at)
        assert.deepStrictEqual((yield* tasks.list({ limit: 2 })).map(({ id }) => id), [next, first])
      })))

  it.effect("is the same in a replay", () =>
    Effect.gen(function*() {
      const batches: Array<Batch> = []
      const seen: Array<unknown> = []
      const racing = Effect.raceFirst(Effect.as(Effect.sleep(minute), "sleep"), Step.run("slow", slow))
      const watched = Effect.andThen(Effect.map(Effect.all([work, racing]), (all) => void seen.push(all)), Effect.never)
      yield* inTime([root(watched)], (clock) =>
        Effect.gen(function*() {
          yield* submit("root", null)
          yield* Effect.sleep(15 * second)
          clock.set(-hour)
          yield* Effect.sleep(2 * hour)
        }), { store: recording(batches) })
      yield* inTime([root(watched)], () => Effect.sleep(hour), { store: restored(batches) })
      assert.strictEqual(seen.length, 2)
      assert.deepStrictEqual(seen[1], seen[0])
    }))
})

describe("what lasts within the process, when the wall clock is set (case 9)", () => {
  const times = [["forward", hour], ["back", -hour]] as const

  it.effect.each(times)("is no shorter and no longer for a handler that stops: %s", ([, by]) => {
    const stopping = Effect.onInterrupt(Effect.never, () => Step.run("stop", Effect.sleep(3 * second)))
    return inTime([root(stopping)], (clock) =>
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* pause
        yield* tasks.cancel({ id, by: "ada" })
        yield* Effect.sleep(second)
        clock.set(by)
        yield* Effect.sleep(5 * second)
        assert.strictEqual((yield* tasks.get(id)).settlement, "stopped")
      }))
  })

  it.effect.each(times)(
    "is no shorter and no longer for one that does not stop: %s",
    ([, by]) =>
      inTime([root(Effect.uninterruptible(Step.run("stuck", Effect.sleep(hour))))], (clock) =>
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const id = yield* submit("root", null)
          yield* pause
          yield* tasks.cancel({ id, by: "ada" })
          clock.set(by)
          yield* Effect.sleep(4 * second)
          assert.isNull((yield* tasks.get(id)).settlement)
          yield* Effect.sleep(3 * second)
          assert.strictEqual((yield* tasks.get(id)).settlement, "refused")
        }))
  )

  it.effect.each(times)(
    "is no shorter and no longer for a run that waits in memory: %s",
    ([, by]) =>
      inTime([root(Effect.sleep(5 * hour))], (clock) =>
        Effect.gen(function*() {
          const executor = yield* Executor.Executor
          yield* submit("root", null)
          yield* Effect.sleep(second)
          clock.set(by)
          yield* Effect.sleep(7 * second)
          assert.strictEqual(executor.residentCount(), 1)
          yield* Effect.sleep(4 * second)
          assert.strictEqual(executor.residentCount(), 0)
        }))
  )

  it.effect.each(times)("is no shorter and no longer for the period of a supervisor: %s", ([, by]) => {
    const Mortal = Agent.make("mortal", { description: "", input: Schema.Null, output: Schema.Null, attempts: 1 })
    const supervision = { strategy: "one_for_one", intensity: 1, period: minute } as const
    return inTime([Mortal.toLayer(() => Effect.die("boom"), { intensity: 0 })], (clock) =>
      Effect.gen(function*() {
        const { tree } = yield* AgentSupervisor
        const die = Effect.andThen(Effect.flatMap(submit("mortal", null), result), pause)
        yield* die
        yield* Effect.sleep(2 * minute)
        clock.set(by)
        yield* die
        assert.deepInclude(tree()[0], { state: "running", restarts: 2 })
        clock.set(-by)
        yield* die
        assert.deepInclude(tree()[0], { state: "stopped", restarts: 2 })
      }), { supervision })
  })
})
