import type { Task } from "@coppice/api/Api"
import { noLimits } from "@coppice/task/Budget"
import type { TaskId } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import * as TaskMachine from "@coppice/task/TaskMachine"
import * as TaskArbitrary from "@coppice/task/testing/TaskArbitrary"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { follow } from "../../src/live/TaskView.ts"

const id = "01aaaaaaaaaaaaaaaaaa" as TaskId

const first: TaskEvent = TaskMachine.create({
  run: id,
  parent: null,
  key: null,
  agent: "review",
  input: { path: "a.ts" },
  attempt: 0,
  deadline: null,
  spec: {
    version: "1",
    principal: "local",
    idempotencyKey: null,
    depth: 0,
    priority: 0,
    ttl: null,
    retention: 1_000,
    budget: noLimits,
    onParentExit: "stop",
    retryOf: null,
    trace: { traceId: "0".repeat(32), spanId: "0".repeat(16), parentSpanId: null },
    meta: null
  }
})

/** What the console shows of a task, and the service knows for certain. */
const shown = (
  {
    adopted,
    agent,
    attempt,
    deadline,
    endedAt,
    guardian,
    progress,
    reason,
    rest,
    settledAt,
    settlement,
    spec,
    status,
    statusMessage
  }: Task
) => ({
  adopted,
  agent,
  attempt,
  deadline,
  endedAt,
  guardian,
  progress,
  reason,
  rest: rest ?? {},
  settledAt,
  settlement,
  priority: spec.priority,
  status,
  statusMessage
})

describe("TaskView", () => {
  it.prop(
    "follows every life of a task as the service does, or says that it is in doubt",
    [TaskArbitrary.life],
    ([life]) => {
      let truth = TaskMachine.replay(id, [{ at: 0, event: first }])!
      let view = follow(undefined, { seq: 0, task: id, run: id, at: 0, event: first })!.task
      let at = 0
      for (const command of life) {
        const facts = Result.getOrElse(TaskMachine.decide(truth, command), () => [])
        for (const event of facts) {
          at += 10
          truth = TaskMachine.evolve(truth, id, at, event)
          const viewed = follow(view, { seq: at, task: id, run: id, at, event })!
          // in doubt it is read again
          view = viewed.doubtful ? truth : viewed.task
          assert.deepStrictEqual(shown(view), shown(truth), event._tag)
        }
      }
    }
  )

  it("knows nothing of a task whose beginning it has not seen", () =>
    assert.isUndefined(follow(undefined, { seq: 1, task: id, run: id, at: 0, event: { _tag: "Started", attempt: 1 } })))

  it("keeps a task that it has read when its beginning comes once more", () => {
    const created = { seq: 1, task: id, run: id, at: 0, event: first }
    const read = { ...follow(undefined, created)!.task, attempt: 3 }
    assert.strictEqual(follow(read, created)!.task, read)
  })
})
