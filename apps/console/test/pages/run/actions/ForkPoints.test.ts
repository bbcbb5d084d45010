import { assert, describe, it } from "@effect/vitest"
import { answered, points } from "../../../../src/pages/run/actions/ForkPoints.ts"

const facts = [
  { _tag: "Created" },
  { _tag: "StepRecorded", key: "step:read:0", name: "read" },
  { _tag: "TimerSet", key: "deadline" },
  { _tag: "TimerSet", key: "sleep:0" },
  { _tag: "InputRequested", request: { key: "ask:0", message: "Go on?" } },
  { _tag: "InputReceived", key: "ask:0", response: {} },
  { _tag: "StepRecorded", key: "step:read:0", name: "read" }
].map((event, seq) => ({ seq, event }) as never)

describe("ForkPoints", () => {
  it("are the steps, pauses and questions, each once", () =>
    assert.deepStrictEqual(points(facts), [
      { at: "step:read:0", title: "step read" },
      { at: "sleep:0", title: "pause sleep:0" },
      { at: "ask:0", title: "question: Go on?" }
    ]))

  it("knows which questions were answered", () =>
    assert.deepStrictEqual(answered(facts), [{ key: "ask:0", message: "Go on?" }]))
})
