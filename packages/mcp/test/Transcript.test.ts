import type { Task, TaskId } from "@coppice/task/Task"
import type { Envelope, TaskEvent } from "@coppice/task/TaskEvent"
import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "effect/Schema"
import * as Transcript from "../src/Transcript.ts"

const id = "01aaaaaaaaaaaaaaaaaa" as TaskId

const task = {
  id,
  run: id,
  parent: "01bbbbbbbbbbbbbbbbbb",
  agent: "review",
  createdAt: 1_000,
  deadline: 9_000,
  spec: {
    ttl: 60_000,
    meta: { vendor: true },
    idempotencyKey: "k",
    budget: null,
    trace: { traceId: "a".repeat(32), spanId: "b".repeat(16), parentSpanId: null }
  }
} as unknown as Task

const say = (...events: ReadonlyArray<unknown>) =>
  Transcript.make(
    task,
    undefined,
    events.map((event, at): Envelope => ({ seq: at + 1, task: id, run: id, at: 1_000 + at, event: event as TaskEvent }))
  )

const created = { _tag: "Created", agent: "review", input: { path: "a.ts" } }
const asked = {
  _tag: "InputRequested",
  request: { key: "q", mode: "form", message: "Go on?", schema: null, url: null, deadline: null }
}

const methods = (messages: ReadonlyArray<JsonObject>) =>
  messages.map((one) => one["method"] ?? ("error" in one ? "error" : "result"))
const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<any>((found, key) => found?.[key], value)

describe("Transcript", () => {
  it("a call is tools/call, and the task that answers it, in both revisions", () => {
    const [call] = say(created)
    assert.strictEqual(call!.from, "caller")
    assert.deepStrictEqual(at(call!.neutral, "params", "arguments"), { path: "a.ts" })
    assert.deepStrictEqual(methods(call!.legacy), ["tools/call", "result"])
    assert.deepStrictEqual(at(call!.legacy[0], "params", "task"), { ttl: 60_000 })
    assert.strictEqual(at(call!.legacy[1], "result", "task", "status"), "working")
    assert.strictEqual(at(call!.modern[1], "result", "resultType"), "task")
    assert.strictEqual(at(call!.modern[0], "params", "_meta", "io.modelcontextprotocol/protocolVersion"), "2026-07-28")
  })

  it("carries its trace, its parent, its deadline and what came with it", () => {
    const meta = at(say(created)[0]!.neutral, "params", "_meta")
    assert.deepStrictEqual(meta, {
      vendor: true,
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      "dev.coppice/parent": "01bbbbbbbbbbbbbbbbbb",
      "dev.coppice/deadline": 9_000,
      "dev.coppice/idempotency-key": "k"
    })
  })

  it("a question is asked by elicitation, or told with the task; an answer goes back the same way", () => {
    const [question, answer] = say(asked, {
      _tag: "InputReceived",
      key: "q",
      response: { action: "accept", content: { ok: true }, by: "local" }
    })
    assert.deepStrictEqual(methods(question!.legacy), ["elicitation/create"])
    assert.strictEqual(at(question!.modern[1], "result", "status"), "input_required")
    assert.strictEqual(at(question!.modern[1], "result", "inputRequests", "q", "method"), "elicitation/create")
    assert.deepStrictEqual(at(answer!.legacy[0], "result"), { action: "accept", content: { ok: true } })
    assert.deepStrictEqual(methods(answer!.modern), ["tasks/update", "result"])
  })

  it("a question that ran out of time is no answer on any wire", () => {
    const [answer] = say({
      _tag: "InputReceived",
      key: "q",
      response: { action: "expired", content: null, by: "policy" }
    })
    assert.deepStrictEqual([methods(answer!.legacy), methods(answer!.modern)], [["notifications/cancelled"], []])
  })

  it("an end is fetched: a result, or an error", () => {
    const [done] = say({ _tag: "Completed", result: { verdict: "ok" } })
    assert.deepStrictEqual(methods(done!.legacy), ["notifications/tasks/status", "tasks/result", "result"])
    assert.deepStrictEqual(methods(done!.modern), ["tasks/get", "result"])
    assert.strictEqual(at(done!.modern[1], "result", "status"), "completed")
    const [failed] = say({ _tag: "Failed", reason: "defect", message: "no", error: null })
    assert.deepStrictEqual(methods(failed!.legacy).at(-1), "error")
    assert.strictEqual(at(failed!.modern[1], "result", "error", "code"), -32_603)
    const [declared] = say({ _tag: "Failed", reason: "agent_error", message: "no", error: { why: "x" } })
    assert.strictEqual(at(declared!.modern[1], "result", "status"), "completed")
    assert.isTrue(at(declared!.legacy[2], "result", "isError"))
  })

  it("progress and log lines are notifications; steps and timers cross no wire", () => {
    const all = say(
      { _tag: "Progressed", progress: { progress: 1, total: 2, message: null } },
      { _tag: "Logged", level: "info", logger: null, data: "x" },
      { _tag: "StepRecorded", key: "s", name: "s", exit: {}, startedAt: 0, attempt: 1 },
      { _tag: "TimerSet", key: "t", due: 5 },
      { _tag: "Started", attempt: 2 }
    )
    assert.deepStrictEqual(all.map(({ neutral }) => neutral["method"]), [
      "notifications/progress",
      "notifications/message"
    ])
  })

  it("never shows the handle of a task", () =>
    assert.notMatch(
      JSON.stringify(say(created, asked, { _tag: "Cancelled", by: "ann", reason: null })),
      /"taskId":"(?!<handle of the task>)/
    ))
})
