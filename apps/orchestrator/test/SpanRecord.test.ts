import { defaultRetention, type TaskId } from "@coppice/task/Task"
import type { Envelope, TaskEvent } from "@coppice/task/TaskEvent"
import { assert, describe, it } from "@effect/vitest"
import * as SpanRecord from "../src/SpanRecord.ts"

const task = "0000000000000000000a" as TaskId
const trace = { traceId: "a".repeat(32), spanId: "b".repeat(16), parentSpanId: null }

const created: TaskEvent = {
  _tag: "Created",
  run: task,
  parent: null,
  key: null,
  agent: "migrate",
  input: { secret: "canary" },
  attempt: 1,
  deadline: null,
  spec: {
    version: "1",
    principal: "local",
    idempotencyKey: null,
    depth: 0,
    priority: 0,
    ttl: null,
    retention: defaultRetention,
    budget: null,
    onParentExit: "stop",
    retryOf: null,
    trace,
    meta: null
  }
}

/** Facts of the task, ten milliseconds apart. */
const log = (...events: ReadonlyArray<TaskEvent>): ReadonlyArray<Envelope> =>
  [created, ...events].map((event, index) => ({ seq: index + 1, task, run: task, at: 1_000 + index * 10, event }))

const step = (key: string, exit: "Success" | "Failure" = "Success"): TaskEvent => ({
  _tag: "StepRecorded",
  key,
  name: "list files",
  exit: exit === "Success"
    ? { _tag: exit, value: "canary" }
    : { _tag: exit, error: { _tag: "Missing", path: "canary" } },
  startedAt: 1_002,
  attempt: 1
})

const completed: TaskEvent = { _tag: "Completed", result: "canary" }
const options = { kind: "workflow", limit: 100 } as const
const named = (spans: ReadonlyArray<SpanRecord.SpanRecord>) => spans.map(({ end, name, start }) => [name, start, end])

describe("SpanRecord.ofTask", () => {
  it("draws a workflow and its steps", () => {
    const spans = SpanRecord.ofTask(log(step("step:list files:0"), completed), options)
    assert.deepStrictEqual(named(spans), [["step list files", 1_002, 1_010], ["invoke_workflow migrate", 1_000, 1_020]])
    const [first, root] = spans
    assert.deepInclude(root, { ...trace, error: null, kind: "internal", service: "coppice.orchestrator" })
    assert.deepInclude(root!.attributes, {
      "gen_ai.operation.name": "invoke_workflow",
      "gen_ai.workflow.name": "migrate",
      "gen_ai.conversation.id": task,
      "coppice.run.id": task,
      "coppice.task.id": task,
      "coppice.task.status": "completed",
      "coppice.attempt": 1
    })
    assert.strictEqual(first!.parentSpanId, trace.spanId)
    assert.match(first!.spanId, /^[0-9a-f]{16}$/)
  })

  it("draws no span that ends before it begins, when the clock was set back (case 9)", () => {
    const back = log(step("a"), completed).map((envelope, index) => index === 0 ? envelope : { ...envelope, at: 10 })
    for (const { end, start } of SpanRecord.ofTask(back, options)) assert.isAtLeast(end, start)
  })

  it("draws an agent in its own role", () => {
    const spans = SpanRecord.ofTask(log(completed), { kind: "agent", limit: 100 })
    assert.deepInclude(spans[0], { name: "invoke_agent migrate", service: "agent.migrate" })
    assert.strictEqual(spans[0]!.attributes["gen_ai.agent.name"], "migrate")
  })

  it("gives the same ids in every process, and different ones to different steps", () => {
    const draw = () => SpanRecord.ofTask(log(step("a"), step("b"), completed), options).map(({ spanId }) => spanId)
    assert.deepStrictEqual(draw(), draw())
    assert.strictEqual(new Set(draw()).size, 3)
  })

  it("marks a cancelled task, which OpenTelemetry has no status for", () => {
    const events = log(
      { _tag: "Cancelled", by: "local", reason: "canary" },
      { _tag: "Settled", how: "stopped", took: 10 }
    )
    const [root] = SpanRecord.ofTask(events, options)
    assert.deepInclude(root, { error: "cancelled", end: 1_020, events: [{ name: "task.cancelled", at: 1_010 }] })
    assert.deepInclude(root!.attributes, {
      "error.type": "cancelled",
      "coppice.cancel.origin": "local",
      "coppice.task.settlement": "stopped"
    })
  })

  it("names failures by their tag or reason", () => {
    const declared = log({ _tag: "Failed", reason: "agent_error", message: "canary", error: { _tag: "Refusal" } })
    assert.strictEqual(SpanRecord.ofTask(declared, options)[0]!.error, "Refusal")
    const defect = log({ _tag: "Failed", reason: "defect", message: "canary", error: null })
    assert.strictEqual(SpanRecord.ofTask(defect, options)[0]!.error, "defect")
    const odd = log({ _tag: "Failed", reason: "agent_error", message: "", error: { _tag: "a canary text" } })
    assert.strictEqual(SpanRecord.ofTask(odd, options)[0]!.error, "agent_error")
    assert.strictEqual(SpanRecord.ofTask(log(step("a", "Failure"), completed), options)[0]!.error, "Missing")
  })

  it("draws what a person took to answer, and executions after the first", () => {
    const request = { key: "q", mode: "form", message: "canary", schema: null, url: null, deadline: null } as const
    const events = log(
      { _tag: "InputRequested", request },
      { _tag: "Started", attempt: 2 },
      { _tag: "AttemptFailed", attempt: 2, message: "canary", delivered: 0 },
      { _tag: "Started", attempt: 3 },
      { _tag: "InputReceived", key: "q", response: { action: "accept", content: "canary", by: "canary" } },
      completed
    )
    const spans = SpanRecord.ofTask(events, options)
    assert.deepStrictEqual(named(spans), [
      ["attempt 2", 1_020, 1_030],
      ["attempt 3", 1_040, 1_060],
      ["await_human", 1_010, 1_050],
      ["invoke_workflow migrate", 1_000, 1_060]
    ])
    assert.deepStrictEqual(spans[1]!.links, [spans[0]!.spanId])
    assert.strictEqual(spans[0]!.error, "defect")
    assert.deepStrictEqual(spans[2]!.events.map(({ name }) => name), ["input.required", "input.received"])
    assert.strictEqual(spans[2]!.attributes["coppice.human.action"], "accept")
  })

  it("counts steps beyond the limit instead of drawing them", () => {
    const steps = Array.from({ length: 20 }, (_, index) => step(`s${index}`))
    const spans = SpanRecord.ofTask(log(...steps, completed), { ...options, limit: 5 })
    assert.strictEqual(spans.length, 6)
    assert.strictEqual(spans.at(-1)!.attributes["coppice.steps.summarised"], 15)
    assert.strictEqual(SpanRecord.ofTask(log(...steps, completed), { ...options, limit: -3 }).length, 1)
  })

  it("says nothing of what a task was given, did or answered", () => {
    const all = [
      ...SpanRecord.ofTask(log(step("canary"), step("b", "Failure"), completed), options),
      ...log().flatMap((envelope) => SpanRecord.ofBeginning(envelope) ?? [])
    ]
    assert.notInclude(JSON.stringify(all), "canary")
  })
})

describe("SpanRecord.ofBeginning", () => {
  it("marks the beginning of a run, and of nothing else", () => {
    const [first, second] = log(completed)
    const mark = SpanRecord.ofBeginning(first!)
    assert.deepInclude(mark, {
      name: "task created",
      kind: "producer",
      start: 1_000,
      end: 1_000,
      parentSpanId: trace.spanId
    })
    assert.isUndefined(SpanRecord.ofBeginning(second!))
    const child = { ...first!, event: { ...created, parent: task, run: task } as TaskEvent }
    assert.isUndefined(SpanRecord.ofBeginning(child))
  })
})
