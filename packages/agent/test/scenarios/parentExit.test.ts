/**
 * What becomes of children that still run when their caller ends, however it ends: live, out of memory, and after a crash
 * at any commit.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Executor from "../../src/Executor.ts"
import { recording, restored } from "../support/Recording.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { inWorld, pause, submit } from "../support/World.ts"

const How = Schema.Literals(["completes", "fails", "is cancelled"])
type How = typeof How.Type
const Rule = Schema.Literals(["stop", "continue", "adopt"])
const rules = Rule.literals

const Child = Agent.make("child", { description: "", input: Rule, output: Rule })
const Parent = Agent.make("parent", { description: "", input: How, output: Schema.Void, error: Schema.String })
const Top = Agent.make("top", {
  description: "",
  input: Schema.Struct({ how: How, seconds: Schema.Finite }),
  output: Schema.Void
})

/** Its children take ten seconds, and it ends after one. */
const ParentLive = Parent.toLayer((how) =>
  Effect.gen(function*() {
    for (const rule of rules) yield* Effect.forkDetach(Effect.ignore(Child.call(rule, { onParentExit: rule })))
    yield* Effect.sleep("1 second")
    if (how === "fails") return yield* Effect.fail("no")
    if (how !== "completes") return yield* Effect.never
  })
)

const agents = [
  Child.toLayer((rule) => Effect.as(Effect.sleep("10 seconds"), rule)),
  ParentLive,
  Top.toLayer(({ how, seconds }) =>
    Effect.andThen(
      Effect.ignore(Parent.call(how)),
      Effect.sleep(seconds * 1_000)
    )
  )
]

/** Cancels the parent once it is the time for it. */
const cancelled = Effect.gen(function*() {
  const tasks = yield* Tasks
  yield* Effect.sleep("2 seconds")
  const [parent] = yield* tasks.list({ agent: "parent", limit: 1 })
  if (parent !== undefined) yield* Effect.ignore(tasks.cancel({ id: parent.id, by: "ann" }))
})

/** How each child ended, by its rule, once everything is at rest. */
const ends = Effect.gen(function*() {
  yield* Effect.sleep("60 seconds")
  const tasks = yield* Tasks
  const found: Record<string, string> = {}
  for (const task of yield* tasks.list({ limit: 100 })) {
    assert.isNotNull(task.settlement, `${task.agent} ${task.status}`)
    if (task.agent === "child") found[(yield* tasks.input(task.id)) as string] = task.status
  }
  yield* pause
  assert.deepStrictEqual([(yield* TaskLog).residentCount, (yield* Executor.Executor).residentCount()], [0, 0])
  return found
})

const begin = (how: How, seconds: number, meanwhile: Effect.Effect<unknown, any, any> = Effect.void) =>
  Effect.gen(function*() {
    yield* submit("top", { how, seconds })
    yield* Effect.forkChild(meanwhile as Effect.Effect<unknown>)
    if (how === "is cancelled") yield* cancelled
    return yield* ends
  })

const evictOften = Effect.flatMap(
  Executor.Executor,
  ({ evictIdle }) => Effect.forever(Effect.andThen(Effect.sleep(300), evictIdle))
)

const left = { stop: "cancelled", continue: "completed", adopt: "completed" }

describe.each(How.literals)("children of a caller that %s", (how) => {
  it.effect("stop, go on, or are adopted", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inWorld({ agents }, begin(how, 30)), left)
    }))

  it.effect("end with whoever has adopted them", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inWorld({ agents }, begin(how, 3)), { ...left, adopt: "cancelled" })
    }))

  it.effect("do the same when all of it leaves memory whenever it can", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inWorld({ agents }, begin(how, 30, evictOften)), left)
    }))

  it.effect("do the same after a crash at any commit", () =>
    Effect.gen(function*() {
      const batches: Array<Batch> = []
      yield* inWorld({ agents, store: recording(batches) }, begin(how, 30))
      const told = batches.findLastIndex(({ events }) => events.some(({ event }) => event._tag === "Released"))
      for (let i = 1; i <= batches.length; i++) {
        const before = batches.slice(0, i)
        const clock = new VirtualClock(before.flatMap(({ events }) => events).at(-1)!.at)
        // who had been told to cancel is told again, as far as it has not been done
        const again = how === "is cancelled" ? Effect.andThen(cancelled, ends) : ends
        const found = yield* inWorld({ agents, store: restored(before), clock, seed: `after ${i}` }, again)
        assert.deepStrictEqual(found, left, `after commit ${i} of ${batches.length}, released in ${told + 1}`)
      }
    }), 60_000)
})
