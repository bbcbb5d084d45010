import { assert, describe, it } from "@effect/vitest"
import { RunModel } from "../src/RunModel.ts"
import { created, fact, noon, request } from "./support/fixtures.ts"

const model = (...facts: ReadonlyArray<Parameters<RunModel["apply"]>[0]>) => {
  const model = new RunModel()
  for (const envelope of facts) model.apply(envelope)
  return model
}

const asking = [
  created("root", "release", null),
  created("a", "approve", "root"),
  fact("a", { _tag: "InputRequested", request: request("Go?") })
]

const answer = (by: string) =>
  fact("a", { _tag: "InputReceived", key: "q1", response: { action: "accept", content: { approve: true }, by } })

describe("RunModel", () => {
  it("follows a task to its end", () => {
    const { tasks } = model(
      created("root", "release", null),
      fact("root", { _tag: "Progressed", progress: { progress: 1, total: 2, message: "half" } }),
      fact("root", { _tag: "AttemptFailed", attempt: 1, message: "boom", delivered: 0 }),
      fact("root", { _tag: "Started", attempt: 2 }),
      fact("root", { _tag: "Completed", result: null }, noon)
    )
    assert.deepInclude(tasks[0]!, { status: "completed", attempt: 2, endedAt: noon, settlement: "finished_before" })
    assert.deepStrictEqual(tasks[0]!.progress, { progress: 1, total: 2, message: "half" })
  })

  it("tells an end from a rest", () => {
    const cancelled = model(
      created("root", "release", null),
      fact("root", { _tag: "Cancelled", by: "ada", reason: null })
    )
    assert.deepInclude(cancelled.find("root")!, {
      status: "cancelled",
      settlement: null,
      statusMessage: "Cancelled by ada"
    })
    cancelled.apply(fact("root", { _tag: "Settled", how: "stopped", took: 3 }))
    assert.strictEqual(cancelled.find("root")?.settlement, "stopped")
  })

  it("keeps a question open until somebody answers", () => {
    const waiting = model(...asking)
    assert.strictEqual(waiting.find("a")?.status, "input_required")
    assert.strictEqual(waiting.questions[0]?.request.message, "Go?")
    waiting.apply(answer("grace"))
    assert.strictEqual(waiting.find("a")?.status, "working")
    assert.lengthOf(waiting.questions, 0)
    assert.deepStrictEqual(waiting.closingOf("a", "q1"), { task: "a", key: "q1", by: "grace", action: "accept" })
  })

  it("withdraws the questions of a task that ends", () => {
    const over = model(...asking, fact("a", { _tag: "Cancelled", by: "ada", reason: "too late" }))
    assert.lengthOf(over.questions, 0)
    assert.strictEqual(over.closingOf("a", "q1")?.by, undefined)
    assert.strictEqual(over.find("a")?.statusMessage, "too late")
  })

  it("leaves out what it cannot place", () => {
    assert.lengthOf(model(fact("ghost", { _tag: "Started", attempt: 2 })).tasks, 0)
  })
})
