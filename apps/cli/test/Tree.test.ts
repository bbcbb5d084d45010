import { assert, describe, it } from "@effect/vitest"
import { awayLines, treeLines } from "../src/Tree.ts"
import { ended, noon, task, texts } from "./support/fixtures.ts"

const run = "01kb2x9f4q0000a1b2c3"
const child = (index: number) => `01kb2x9f7${index}0000a1b2c3`

const release = [
  task(run, { agent: "release", progress: { progress: 2, total: 4, message: "part 2" }, statusMessage: "part 2" }),
  ended(child(1), { parent: run, createdAt: noon - 9_000 }),
  task(child(2), { parent: run, createdAt: noon - 8_000, attempt: 2 }),
  task(child(3), { parent: run, createdAt: noon - 7_000, attempt: 0 }),
  task(child(4), { parent: child(2), createdAt: noon - 6_000, status: "input_required", statusMessage: "Go?" }),
  ended(child(5), {
    parent: run,
    createdAt: noon - 5_000,
    status: "failed",
    reason: "deadline",
    statusMessage: "The deadline passed"
  }),
  ended(child(6), { parent: run, createdAt: noon - 4_000, status: "cancelled", settlement: null })
]

describe("treeLines", () => {
  it("shows who is below whom, and how each fares", () =>
    assert.deepStrictEqual(texts(treeLines(release, { now: noon })), [
      "● release  01kb2x9f4q  10.0s  ▕█████░░░░░▏ 2/4  part 2",
      "├─ ✔ review  01kb2x9f71  9.0s",
      "├─ ● review  01kb2x9f72  8.0s  attempt 2",
      "│  └─ ? review  01kb2x9f74  needs input  6.0s  Go?",
      "├─ ○ review  01kb2x9f73  queued  7.0s",
      "├─ ✖ review  01kb2x9f75  failed  5.0s  the deadline passed",
      "└─ ◌ review  01kb2x9f76  stopping  4.0s"
    ]))

  it("gives ids enough characters to tell them apart", () => {
    const twins = [task(`${run.slice(0, -1)}0`), task(`${run.slice(0, -1)}1`)]
    const [first] = texts(treeLines(twins, { now: noon }))
    assert.include(first, `${run.slice(0, -1)}0`)
  })

  it("draws a task whose parent is not there as a root", () =>
    assert.lengthOf(treeLines([task(child(1), { parent: run })], { now: noon }), 1))

  it("sums up what ended well when there is no room", () => {
    const many = Array.from(
      { length: 50 },
      (_, index) => ended(`01kb2x9f8${index.toString().padStart(2, "0")}`, { parent: run, createdAt: noon })
    )
    const lines = texts(treeLines([...release, ...many], { now: noon, limit: 12 }))
    assert.strictEqual(lines[1], "├─ ✔ 51 review completed")
    assert.lengthOf(lines, 7)
  })

  it("keeps what a person must see when there is still no room", () => {
    const lines = texts(treeLines(release, { now: noon, limit: 4 }))
    assert.lengthOf(lines, 4)
    assert.match(lines[0]!, /^● release/)
    assert.match(lines[1]!, /Go\?$/)
    assert.match(lines[2]!, /deadline/)
    assert.strictEqual(lines[3], "… 4 more")
  })

  it("turns the wheels", () => {
    const [first] = texts(treeLines([task(run)], { now: noon, beat: 3 }))
    assert.match(first!, /^⠸ /)
  })

  it("shows what an agent says, and obeys none of it", () => {
    const [first] = texts(treeLines([task(run, { statusMessage: "\u001b[2J\u001b[H wiped" })], { now: noon }))
    assert.match(first!, /␛\[2J␛\[H wiped$/)
  })

  it("has what other services tell below the task that stands for it, and who does not answer", () => {
    const stand = task("00000000000000000002", { agent: "far", parent: "00000000000000000001" })
    const there = {
      ...task("00000000000000000009", { agent: "far" }),
      id: "there/00000000000000000009",
      parent: stand.id
    }
    const root = task("00000000000000000001", { agent: "near" })
    const lines = texts(treeLines([root, stand, there], { now: noon }))
    assert.match(lines[2]!, /^   └─ . far  there\/0+9  /)
    const away = [{ task: stand.id, server: "there", since: noon - 3_000, message: "refused" }]
    assert.deepStrictEqual(texts(awayLines({ nodes: [], away, omitted: 3 }, noon)), [
      `✖ there does not answer, for 3.0s  its part below ${stand.id} is not shown  refused`,
      "… 3 more in other services"
    ])
  })
})
