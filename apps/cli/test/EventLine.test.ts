import type { TaskEvent } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import { eventLine } from "../src/EventLine.ts"
import { plain } from "../src/Line.ts"
import { created, fact, noon, request } from "./support/fixtures.ts"

const said = (event: TaskEvent) => plain(eventLine(fact("t1", event), "review", noon)).split("review  ")[1]

describe("eventLine", () => {
  it("tells when, who and what", () =>
    assert.strictEqual(
      plain(eventLine(created("t1", "review", null, noon + 7), "review", noon)),
      "12:00:00.007  t1  review  created  attempt 1  {}"
    ))

  it("tells facts in a few words", () => {
    const step = { _tag: "StepRecorded", key: "k", name: "scan", startedAt: noon - 820, attempt: 1 } as const
    const answer = { key: "q", response: { action: "accept", content: { approve: true }, by: "ada" } } as const
    assert.deepStrictEqual([
      said({ _tag: "Started", attempt: 2 }),
      said({ _tag: "Progressed", progress: { progress: 1, total: 4, message: "src/a.ts" } }),
      said({ ...step, exit: { _tag: "Success", value: [1] } }),
      said({ ...step, exit: { _tag: "Failure", error: "gone" } }),
      said({ _tag: "TimerSet", key: "deadline", due: noon + 60_000 }),
      said({ _tag: "InputRequested", request: request("Go?") }),
      said({ _tag: "InputReceived", ...answer }),
      said({ _tag: "Failed", reason: "defect", message: "boom", error: null }),
      said({ _tag: "Cancelled", by: "ada", reason: null }),
      said({ _tag: "Settled", how: "unreachable", took: 12 }),
      said({ _tag: "Steered", by: "ada", message: "mind the tests", priority: 2, deadline: noon }),
      said({ _tag: "Reserved", id: "t2", amounts: { calls: 1, tokens: 200 } }),
      said({ _tag: "Reserved", id: "t2", amounts: { calls: 1 }, kept: true }),
      said({ _tag: "Refunded", id: "t2", unused: {} }),
      said({ _tag: "Partial", value: [1] })
    ], [
      "started  attempt 2",
      "progress  ▕██░░░░░░░░▏ 1/4  src/a.ts",
      "step  scan  820ms  [1]",
      "step  scan  820ms  \"gone\"",
      "timer set  deadline  fires in 1m 00s",
      "asks  Go?",
      "answered  by ada  {\"approve\":true}",
      "failed  a defect: boom",
      "cancelled  by ada",
      "at rest  unreachable  after 12ms",
      `steered  by ada  mind the tests  priority 2  deadline ${new Date(noon).toISOString()}`,
      "reserves  1 calls  200 tokens  for t2",
      "spends  1 calls  for t2",
      "gets back  nothing  from t2",
      "result so far  [1]"
    ])
  })

  it("cuts long values, and obeys none", () => {
    const line = said({ _tag: "Completed", result: `\u009b${"x".repeat(500)}` })!
    assert.isAtMost(line.length, 140)
    assert.notMatch(line, /\p{Cc}/u)
  })
})
