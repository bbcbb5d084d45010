import { assert, describe, it } from "@effect/vitest"
import { lineWidth } from "../src/Line.ts"
import { board, runsTable } from "../src/RunsTable.ts"
import { ended, noon, request, task, texts, untouched } from "./support/fixtures.ts"

const question = (message: string, run: string) => ({
  task: "q" as never,
  run: run as never,
  agent: "approve",
  path: [],
  since: noon,
  request: request(message),
  ...untouched()
})

const runs = {
  tasks: [
    task("run1", { agent: "migrate", progress: { progress: 6, total: 10, message: null } }),
    task("run2", { attempt: 0 }),
    ended("run3", { status: "failed", reason: "budget", statusMessage: null })
  ],
  questions: [question("Apply 12 changes?", "run1"), question("And tests?", "run1")]
}

describe("runsTable", () => {
  it("tells of each run how it is and what it waits for", () =>
    assert.deepStrictEqual(texts(runsTable(runs, { now: noon, width: 120 })), [
      "RUN   AGENT    STATUS         AGE  PROGRESS           WAITING FOR",
      "run1  migrate  ? needs input  10s  ▕██████░░░░▏ 6/10  Apply 12 changes? (approve) and 1 more",
      "run2  review   ○ queued       10s                     a free place",
      "run3  review   ✖ failed       10s                     the budget is used up"
    ]))

  it("is friendly when there is nothing", () =>
    assert.match(texts(runsTable({ tasks: [], questions: [] }, { now: noon, width: 80 }))[0]!, /^No runs yet/))
})

describe("board", () => {
  it("fits the screen", () => {
    const many = { tasks: Array.from({ length: 50 }, (_, index) => task(`run${index}`)), questions: runs.questions }
    const lines = board(many, { now: noon, width: 60, beat: 1 }, 12)
    assert.isAtMost(lines.length, 11)
    assert.isTrue(lines.slice(1).every((spans) => lineWidth(spans) <= 60))
    assert.match(texts(lines)[0]!, /^Coppice {2}50 active {2}2 to answer/)
    assert.match(texts(lines).at(-1)!, /… \d+ more/)
  })
})
