import { Rescuer } from "@coppice/task/Rescuer"
import type { TaskId } from "@coppice/task/Task"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import { AgentSupervisor } from "../src/AgentSupervisor.ts"
import * as Retry from "../src/Retry.ts"
import * as Step from "../src/Step.ts"
import { TaskContext } from "../src/TaskContext.ts"
import { recording, restored } from "./support/Recording.ts"
import { VirtualClock } from "./support/VirtualClock.ts"
import { eventsOf, inWorld, pause, result, run, submit, tagsOf } from "./support/World.ts"

const start = 1_800_000_000_000
const A = Agent.make("a", { description: "a", input: Schema.Int, output: Schema.Int })

/** Answers from the attempt on that its input says; before that, what `away` says. */
const from = (away: Effect.Effect<never>) => (n: number) =>
  Effect.flatMap(TaskContext, ({ attempt }) => attempt < n ? away : Effect.succeed(attempt))

const lost = (id: TaskId) =>
  Effect.map(
    eventsOf(id),
    (events) =>
      events.flatMap(({ at, event }) =>
        event._tag === "AttemptFailed" ? [{ ...event, after: (event.retryAt ?? 0) - at }] : []
      )
  )

describe("Retry.after", () => {
  it.effect("begins the next attempt at the time it says, or a little later, and counts no attempt", () =>
    inWorld(
      { agents: [A.toLayer(from(Retry.after("1 minute", "429")))] },
      Effect.gen(function*() {
        const id = yield* submit("a", 6)
        const { ending, task } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: 6 })
        const losses = yield* lost(id)
        assert.strictEqual(losses.length, 5)
        for (const { after, class: kind, message } of losses) {
          assert.deepStrictEqual([kind, message], ["rate_limited", "429"])
          assert.isTrue(after >= 60_000 && after <= 65_000, `${after}`)
        }
        assert.isAbove(new Set(losses.map(({ after }) => after)).size, 1)
        assert.isAtLeast(task.endedAt! - task.createdAt, 5 * 60_000)
      })
    ))

  it.effect("takes a date, as a provider gives it", () =>
    inWorld(
      { agents: [A.toLayer(from(Retry.after(new Date(start + 120_000))))] },
      Effect.gen(function*() {
        const { task } = yield* Effect.flatMap(submit("a", 2), result)
        assert.isTrue(task.endedAt! >= start + 120_000 && task.endedAt! < start + 126_000)
      })
    ))

  it.effect("of a time that has passed waits as a defect does, longer each time", () =>
    inWorld(
      { agents: [A.toLayer(from(Retry.after(new Date(start - 1_000))))] },
      Effect.gen(function*() {
        const id = yield* submit("a", 6)
        yield* result(id)
        const waits = (yield* lost(id)).map(({ after }) => after)
        waits.forEach((wait, i) => assert.isTrue(wait >= 50 * 2 ** i && wait <= 100 * 2 ** i, waits.join()))
      })
    ))

  it.effect("in a step leaves no record of it, and what was recorded is not done again", () =>
    Effect.gen(function*() {
      const done: Array<string> = []
      const handler = Effect.fnUntraced(function*(n: number) {
        yield* Step.run("first", Effect.sync(() => done.push("first")))
        const { attempt } = yield* TaskContext
        const ask = Effect.suspend(() => {
          done.push("ask")
          return attempt < n ? Retry.after(1_000) : Effect.succeed(attempt)
        })
        return yield* Step.run("ask", ask)
      })
      yield* inWorld(
        { agents: [A.toLayer(handler)] },
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* run("a", 3), { _tag: "Completed", result: 3 })
          assert.deepStrictEqual(done, ["first", "ask", "ask", "ask"])
        })
      )
    }))

  it.effect("costs attempts from the hundred and first time on", () =>
    inWorld(
      { agents: [A.toLayer(from(Retry.after(10)))], patience: 4 * 3_600_000 },
      Effect.gen(function*() {
        const id = yield* submit("a", 1_000)
        const { ending, task } = yield* result(id)
        assert.deepInclude(ending, { _tag: "Failed", reason: "defect", message: "Rate limited" })
        assert.strictEqual(task.attempt, 103)
      })
    ))

  it.effect("is no defect of the server", () =>
    inWorld(
      { agents: [A.toLayer(from(Retry.after(10)), { intensity: 0 })] },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("a", 3), { _tag: "Completed", result: 3 })
        const [node] = (yield* AgentSupervisor).tree()
        assert.deepInclude(node, { restarts: 0, defects: 0 })
      })
    ))

  it.effect("is waited for by the process that comes after, not begun anew", () =>
    Effect.gen(function*() {
      const agents = [A.toLayer(from(Retry.after("10 minutes")))]
      const batches: Array<Batch> = []
      const id = yield* inWorld(
        { agents, store: recording(batches) },
        Effect.tap(submit("a", 2), () => pause)
      )
      yield* inWorld(
        { agents, store: restored(batches), clock: new VirtualClock(start + 60_000) },
        Effect.gen(function*() {
          yield* (yield* Rescuer).sweep
          yield* Effect.sleep("8 minutes")
          assert.deepStrictEqual((yield* tagsOf(id)).slice(-1), ["AttemptFailed"])
          const { ending, task } = yield* result(id)
          assert.deepStrictEqual(ending, { _tag: "Completed", result: 2 })
          assert.isAtLeast(task.endedAt!, start + 600_000)
        })
      )
    }))

  it.effect("does not outlast the task's deadline, nor somebody who cancels", () =>
    inWorld(
      { agents: [A.toLayer(from(Retry.after("1 hour")))] },
      Effect.gen(function*() {
        const { ending, task } = yield* Effect.flatMap(submit("a", 2, { deadline: start + 5_000 }), result)
        assert.deepInclude(ending, { _tag: "Failed", reason: "deadline" })
        assert.strictEqual(task.endedAt, start + 5_000)
      })
    ))
})

describe("Retry.never and Retry.poison", () => {
  it.effect("end the task at once, each with its own reason", () =>
    inWorld(
      { agents: [A.toLayer((n) => n === 0 ? Retry.never("no such model") : Retry.poison("a zip bomb"))] },
      Effect.gen(function*() {
        const error = null
        assert.deepStrictEqual(yield* run("a", 0), {
          _tag: "Failed",
          reason: "defect",
          message: "no such model",
          error
        })
        const id = yield* submit("a", 1)
        const { ending, task } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Failed", reason: "quarantined", message: "a zip bomb", error })
        assert.strictEqual(task.attempt, 1)
        yield* pause
        assert.deepStrictEqual(yield* tagsOf(id), ["Created", "Failed", "Settled"])
        assert.deepInclude((yield* AgentSupervisor).tree()[0], { defects: 0 })
      })
    ))

  it.effect("outweigh a time to come back", () =>
    inWorld(
      {
        agents: [A.toLayer(() => Effect.ensuring(Retry.after(10), Retry.never("enough")))]
      },
      Effect.gen(function*() {
        assert.deepInclude(yield* run("a", 0), { reason: "defect", message: "enough" })
      })
    ))
})
