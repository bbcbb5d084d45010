import type { TaskId } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import type { ChildRecord } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import { read } from "../../src/internal/Journal.ts"

const id = "task" as TaskId
const exit = { _tag: "Success", value: 1 } as const
const step = (key: string): TaskEvent => ({ _tag: "StepRecorded", key, name: key, exit, startedAt: 0, attempt: 1 })
const set = (key: string, due: number): TaskEvent => ({ _tag: "TimerSet", key, due })
const fired = (key: string): TaskEvent => ({ _tag: "TimerFired", key })
const started = (attempt: number): TaskEvent => ({ _tag: "Started", attempt })
const failed = (attempt: number): TaskEvent => ({ _tag: "AttemptFailed", attempt, message: "", delivered: 0 })
const created = (attempt: number) => ({ _tag: "Created", attempt, spec: {} }) as TaskEvent

const child = (name: string, key: string, settledSeq: number | null, ending: TaskEvent | null): ChildRecord => ({
  id: name as TaskId,
  key,
  agent: "child",
  status: ending === null ? "working" : "completed",
  settledSeq,
  settledAt: settledSeq,
  ending
})
const done: TaskEvent = { _tag: "Completed", result: 1 }
const cancelled = (by: string): TaskEvent => ({ _tag: "Cancelled", by, reason: null })

const journal = (
  events: ReadonlyArray<TaskEvent>,
  children: ReadonlyArray<ChildRecord> = [],
  { attempt = 1, isRestart = false } = {}
) =>
  read({
    events: [created(attempt), ...events].map((event, index) => ({
      seq: 10 * (index + 1),
      at: index,
      event,
      task: id,
      run: id
    })),
    children
  }, isRestart)

describe("what a replay is told", () => {
  it("is in the order of the log, children where they settled", () => {
    const { deliveries, lastSeq } = journal([step("a"), step("b"), set("t", 5), fired("t")], [
      child("one", "c1", 25, done),
      child("two", "c2", 95, done),
      child("three", "c3", null, null)
    ])
    assert.deepStrictEqual(deliveries.map(({ key, seq }) => `${key} ${seq}`), [
      "a 20",
      "c1 25",
      "b 30",
      "t 50",
      "c2 95"
    ])
    assert.strictEqual(lastSeq, 95)
  })

  it("was begun if it is in the log, unless it was taken back", () => {
    const request = { key: "q", mode: "form", message: "", schema: null, url: null, deadline: null } as const
    const { begun } = journal([
      step("a"),
      set("t", 5),
      { _tag: "InputRequested", request },
      { _tag: "InputRequested", request: { ...request, key: "gone" } },
      { _tag: "InputWithdrawn", key: "gone" }
    ], [child("one", "c", null, null)])
    assert.sameMembers([...begun], ["a", "t", "q", "c"])
  })

  it("is one child under each key: one that was not unwound", () => {
    const unwound = child("one", "c", 15, cancelled("parent"))
    for (const children of [[unwound, child("two", "c", 25, done)], [child("two", "c", 25, done), unwound]]) {
      assert.strictEqual(journal([], children).children.get("c")?.id, children.find((one) => one !== unwound)?.id)
    }
    assert.strictEqual(journal([], [unwound]).children.get("c")?.id, unwound.id)
  })
})

describe("attempts", () => {
  it("leave their timers to the next, with the times they had", () => {
    const events = [set("a", 5), set("b", 6), fired("a"), failed(1)]
    assert.deepStrictEqual([...journal(events, [], { isRestart: true }).lapsed], [["b", 6]])
    assert.deepStrictEqual([...journal([...events, started(2), set("b", 6)]).lapsed], [])
    assert.deepStrictEqual([...journal([...events, started(2)]).lapsed], [["b", 6]])
  })

  it("that failed are counted, and not begun again", () => {
    const one = journal([failed(1)])
    assert.deepInclude(one, { losses: { all: 1, rateLimited: 0, retryAt: 0 }, isNext: true })
    const two = journal([failed(1), started(2)])
    assert.deepInclude(two, { losses: { all: 1, rateLimited: 0, retryAt: 0 }, isNext: false })
  })

  it("that were sent away are told apart, with the time they were told", () => {
    const away = { _tag: "AttemptFailed", message: "", delivered: 0, class: "rate_limited", retryAt: 9 } as const
    const { losses } = journal([failed(1), started(2), { ...away, attempt: 2 }])
    assert.deepStrictEqual(losses, { all: 2, rateLimited: 1, retryAt: 9 })
    assert.strictEqual(journal([{ ...away, attempt: 1 }, started(2)]).losses.retryAt, 0)
  })

  it("that are none are not begun", () => {
    assert.deepInclude(journal([], [], { attempt: 0, isRestart: true }), { isNext: false })
  })

  it("have their time from the first of them", () => {
    assert.strictEqual(journal([started(1), step("a"), started(2)]).startedAt, 1)
    assert.strictEqual(journal([step("a")]).startedAt, 0)
  })
})
