import { noLimits } from "@coppice/task/Budget"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import type { TaskContext } from "../../src/TaskContext.ts"
import type { Work } from "../support/Twice.ts"
import { failureIn, inWorld, result, submit } from "../support/World.ts"

const kind = (name: string) => Agent.make(name, { description: "", input: Schema.Json, output: Schema.Json })
const [Root, Mid, Leaf] = [kind("root"), kind("mid"), kind("leaf")]

const root = (work: Work) => Root.toLayer(() => work as Effect.Effect<any, never, TaskContext>)
const mid = (work: (input: Schema.Json) => Work) =>
  Mid.toLayer((input) => work(input) as Effect.Effect<any, never, TaskContext>)

const ended = (id: TaskId) => Effect.map(result(id), ({ ending }) => ending)
const value = (id: TaskId) =>
  Effect.map(ended(id), (ending) => {
    assert(ending._tag === "Completed", JSON.stringify(ending))
    return ending.result
  })

describe("a deadline", () => {
  it.effect("that is over ends three hops, one of them slow, and is told apart from a person (D12)", () =>
    inWorld(
      { agents: [root(Mid.call(1)), mid((n) => Leaf.call(n)), Leaf.toLayer(() => Effect.never)] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const deadline = 1_800_000_005_000
        const { id } = yield* tasks.submit({ agent: "root", input: null, deadline })
        assert.strictEqual((yield* failureIn(ended(id))).reason, "deadline")
        yield* Effect.sleep(100)
        const tree = yield* tasks.tree(id)
        assert.deepStrictEqual(tree.map((task) => [task.deadline, task.status, task.reason, task.settlement]), [
          [deadline, "failed", "deadline", "stopped"],
          [deadline, "cancelled", null, "stopped"],
          [deadline, "cancelled", null, "stopped"]
        ])
        const below = yield* Effect.map(result(tree[2]!.id), ({ ending }) => ending)
        assert.deepInclude(below, { by: "deadline" })
        assert.isTrue((yield* tasks.cancelReport(id)).converged)
      })
    ))

  it.effect("that is too short for the work is refused, and what has passed as well", () => {
    const Slow = Agent.make("slow", { description: "", input: Schema.Json, output: Schema.Json, takes: "1 minute" })
    const said = (work: Work) => Effect.map(Effect.flip(work), (error: any) => error.reason.detail)
    return inWorld(
      {
        agents: [
          root(
            Effect.all([said(Slow.call(1, { deadline: 30_000 })), said(Slow.call(2, { deadline: 0 })), Slow.call(3)])
          ),
          Slow.toLayer((input) => Effect.succeed(input))
        ]
      },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const { id } = yield* tasks.submit({ agent: "root", input: null })
        assert.deepStrictEqual(yield* value(id), [
          "Agent \"slow\" takes at least 60000 ms, and 30000 ms are left; give it a later deadline",
          "The deadline of the call of \"slow\" has passed already",
          3
        ])
        assert.lengthOf(yield* tasks.tree(id), 2)
        const budget = { ...noLimits, wallClock: 59_999 }
        const error = yield* Effect.flip(tasks.submit({ agent: "slow", input: null, budget }))
        assert.strictEqual(error._tag, "DeadlineTooShort")
      })
    )
  })

  it.effect("is granted as a deadline, never later than the one above", () =>
    inWorld(
      {
        agents: [
          root(Effect.gen(function*() {
            yield* Effect.ignore(Mid.call(1, { budget: { wallClock: "1 second" } }))
            yield* Effect.ignore(Mid.call(2, { budget: { wallClock: "1 hour" } }))
            return null
          })),
          mid(() => Effect.never)
        ]
      },
      Effect.gen(function*() {
        const id = yield* submit("root", null, { budget: { ...noLimits, wallClock: 60_000 } })
        assert.strictEqual((yield* failureIn(ended(id))).reason, "deadline")
        const [top, first, second] = yield* Effect.flatMap(Tasks, (tasks) => tasks.tree(id))
        assert.strictEqual(top!.deadline, top!.createdAt + 60_000)
        assert.strictEqual(first!.deadline, first!.createdAt + 1_000)
        assert.strictEqual(second!.deadline, top!.deadline)
      })
    ))
})
