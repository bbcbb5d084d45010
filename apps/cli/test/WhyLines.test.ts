import type { Wait } from "@coppice/api/TasksApi"
import { assert, describe, it } from "@effect/vitest"
import { whyLines } from "../src/WhyLines.ts"
import { ended, noon, task, texts } from "./support/fixtures.ts"

const wait = (parts: Partial<Wait>): Wait =>
  ({
    on: "person",
    task: "run",
    agent: "migrate",
    since: noon - 120_000,
    message: "",
    who: "",
    fix: null,
    child: null,
    key: null,
    due: null,
    ...parts
  }) as Wait

describe("whyLines", () => {
  it("goes down to where the waiting begins", () => {
    const child = wait({ on: "child", child: "c1" as never, message: "approve is input_required" })
    const person = wait({
      task: "c1" as never,
      agent: "approve",
      message: "Apply?",
      who: "anyone who may answer",
      fix: "coppice answer c1"
    })
    assert.deepStrictEqual(
      texts(whyLines({ task: task("run", { agent: "migrate" }), waits: [child], causes: [person] }, noon)),
      [
        "● migrate  run  working  for 10.0s",
        "",
        "  waits for",
        "  └─ a child  c1  for 2m",
        "     approve is input_required",
        "",
        "  and in the end for",
        "  └─ a person  approve  c1  for 2m",
        "     Apply?",
        "     it is up to anyone who may answer  → coppice answer c1"
      ]
    )
  })

  it("tells what is spent and left of the task's budget, whether it runs or has ended", () => {
    const pool = { spent: { tokens: 8 }, open: { c1: { tokens: 30 } } }
    const budgeted = (of: ReturnType<typeof task>) => ({
      ...of,
      spec: { ...of.spec, budget: { wallClock: null, calls: 3, tokens: 38, money: null } },
      pool
    })
    for (const one of [budgeted(task("run")), budgeted(ended("run"))]) {
      assert.strictEqual(
        texts(whyLines({ task: one, waits: [], causes: [] }, noon))[1],
        "  budget  calls 0 of 3 spent, 3 left  tokens 8 of 38 spent, 30 reserved, 0 left"
      )
    }
  })

  it("tells when a timer fires", () => {
    const timer = wait({ on: "timer", due: noon + 60_000, who: "the clock" })
    const lines = texts(whyLines({ task: task("run"), waits: [timer], causes: [timer] }, noon))
    assert.strictEqual(lines[3], "  └─ a timer  for 2m  fires in 1m 00s")
    assert.lengthOf(lines, 5)
  })

  it("tells until when code that runs may be silent", () => {
    const step = wait({ on: "step", due: noon + 5_000, message: "step \"fetch\" is running" })
    const own = wait({ on: "nothing", due: noon - 1, message: "its code is running" })
    const lines = texts(whyLines({ task: task("run"), waits: [step, own], causes: [] }, noon))
    assert.strictEqual(lines[3], "  ├─ a step's body  for 2m  ends in 5.0s without a sign of life")
    assert.match(lines[5]!, /ends in 0.* without a sign of life$/)
  })

  it("says when there is nothing to wait for", () => {
    const over = ended("run", { status: "failed", reason: "deadline", statusMessage: "too slow" })
    assert.match(
      texts(whyLines({ task: over, waits: [], causes: [] }, noon)).at(-1)!,
      /has ended.*the deadline passed.*too slow/
    )
  })
})
