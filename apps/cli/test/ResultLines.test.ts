import { assert, describe, it } from "@effect/vitest"
import { endLines, valueLines } from "../src/ResultLines.ts"
import { ended, texts } from "./support/fixtures.ts"

const over = { completed: null, failed: null, cancelled: null }

describe("endLines", () => {
  it("says how long a good run took", () =>
    assert.deepStrictEqual(texts(endLines({ ...over, task: ended("t1"), completed: { output: 1 } })), [
      "✔ review  t1  completed  after 10.0s"
    ]))

  it("says why a run failed, and where to look", () => {
    const failed = { reason: "agent_error", message: "no", error: { code: 7 } } as const
    const lines = texts(endLines({ ...over, task: ended("t1", { status: "failed", reason: "agent_error" }), failed }))
    assert.deepStrictEqual(lines.slice(1, 5), ["  the agent's own error: no", "  {", "    \"code\": 7", "  }"])
    assert.match(lines.at(-1)!, /coppice events t1.*coppice retry t1/)
  })

  it("says who cancelled", () => {
    const task = ended("t1", { status: "cancelled", settlement: "stopped" })
    assert.match(texts(endLines({ ...over, task, cancelled: { by: "ada", reason: "late" } }))[0]!, /by ada {2}late$/)
  })
})

describe("valueLines", () => {
  it("prints a text as it is, but for its escapes", () =>
    assert.deepStrictEqual(texts(valueLines("one\n\u001b[2Jtwo")), ["one", "␛[2Jtwo"]))

  it("prints JSON over several lines", () => assert.lengthOf(valueLines({ a: [1] }), 5))
})
