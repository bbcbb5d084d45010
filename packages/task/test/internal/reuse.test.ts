import { assert, describe, it } from "@effect/vitest"
import { mostReused, reusable } from "../../src/internal/reuse.ts"
import type { TaskId } from "../../src/Task.ts"
import type { TaskEvent } from "../../src/TaskEvent.ts"
import type { ChildRecord, Journal } from "../../src/TaskStore.ts"

const [old, first] = ["old", "first"] as unknown as readonly [TaskId, TaskId]

const journal = (events: ReadonlyArray<TaskEvent>, children: ReadonlyArray<Partial<ChildRecord>> = []): Journal => ({
  events: events.map((event, seq) => ({ seq, task: old, run: old, at: 0, event })),
  children: children as ReadonlyArray<ChildRecord>
})

const step = (key: string, value: number): TaskEvent => ({
  _tag: "StepRecorded",
  key,
  name: key,
  exit: { _tag: "Success", value },
  startedAt: 0,
  attempt: 1
})

describe("reusable", () => {
  it("says of each result who made it first", () => {
    const reused: TaskEvent = { _tag: "StepReused", key: "a", name: "a", result: 1, from: first }
    assert.deepStrictEqual(reusable(journal([reused, step("a", 1), step("b", 2)])), [
      { _tag: "ReuseStep", key: "a", name: "a", result: 1, from: first },
      { _tag: "ReuseStep", key: "b", name: "b", result: 2, from: old }
    ])
  })

  it("is not of calls that failed, were cancelled or have not ended", () => {
    const endings: ReadonlyArray<TaskEvent | null> = [
      null,
      { _tag: "Cancelled", by: "parent", reason: null },
      { _tag: "Failed", reason: "agent_error", message: "", error: 1 },
      { _tag: "Completed", result: 7 }
    ]
    // under one key: the caller died, and its next attempt called again
    const children = endings.map((ending, n) => ({ id: `${n}` as TaskId, key: "call", agent: "child", ending }))
    assert.deepStrictEqual(reusable(journal([], children)), [{
      _tag: "ReuseStep",
      key: "call",
      name: "child",
      result: 7,
      from: "3" as TaskId
    }])
  })

  it("is as much as fits into one commit, the oldest first", () => {
    const many = reusable(journal(Array.from({ length: mostReused + 5 }, (_, n) => step(`${n}`, n))))
    assert.strictEqual(many.length, mostReused)
    assert.deepInclude(many.at(-1), { _tag: "ReuseStep", result: mostReused - 1 })
  })

  it("is that an effect may have happened, with the task whose key it keeps", () => {
    const intended = (key: string, from?: TaskId): TaskEvent => ({
      _tag: "StepIntended",
      key,
      name: key,
      attempt: 1,
      ...from === undefined ? {} : { from }
    })
    const failed = (key: string, givenUpBy?: string): TaskEvent => ({
      _tag: "StepRecorded",
      key,
      name: key,
      exit: { _tag: "Failure", error: 1, ...givenUpBy === undefined ? {} : { givenUpBy } },
      startedAt: 0,
      attempt: 1
    })
    const open: ReadonlyArray<TaskEvent> = [intended("a"), intended("b"), intended("c", first), intended("d")]
    const ends = [step("a", 1), failed("b"), failed("c", "ann")]
    assert.deepStrictEqual(reusable(journal([...open, ...ends])), [
      { _tag: "ReuseStep", key: "a", name: "a", result: 1, from: old },
      { _tag: "IntendStep", attempt: 0, key: "c", name: "c", from: first },
      { _tag: "IntendStep", attempt: 0, key: "d", name: "d", from: old }
    ])
  })
})
