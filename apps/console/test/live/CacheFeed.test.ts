import type { Envelope, Task } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import { followAll, mergeTree, newcomers } from "../../src/live/CacheFeed.ts"

const task = (id: string, more: object = {}): Task =>
  ({
    id,
    run: "r",
    parent: id === "r" ? null : "r",
    status: "working",
    attempt: 0,
    createdAt: 1,
    updatedAt: 1,
    ...more
  }) as never

const fact = (task: string, event: object): Envelope => ({ seq: 1, run: "r", at: 5, task, event }) as never

describe("followAll", () => {
  it("folds many facts of one task into one change", () => {
    const { changed, doubtful } = followAll(new Map([["a", task("a")]]), [
      fact("a", { _tag: "Started", attempt: 1 }),
      fact("a", { _tag: "Completed", result: null })
    ])
    assert.include(changed.get("a"), { attempt: 1, status: "completed", endedAt: 5 })
    assert.strictEqual(doubtful.size, 0)
  })

  it("says which tasks must be read again", () => {
    const { doubtful } = followAll(new Map([["a", task("a")]]), [fact("a", { _tag: "InputReceived", key: "k" })])
    assert.deepStrictEqual([...doubtful], ["a"])
  })

  it("passes over tasks nobody shows", () =>
    assert.strictEqual(followAll(new Map(), [fact("z", { _tag: "Started", attempt: 1 })]).changed.size, 0))
})

describe("mergeTree", () => {
  const tree = { root: "r", tasks: [task("r"), task("a")] } as never

  it("changes and adds, parents before children", () => {
    const changed = new Map([
      ["c", task("c", { parent: "b", createdAt: 4 })],
      ["b", task("b", { createdAt: 3 })],
      ["a", task("a", { status: "failed" })]
    ])
    const { tasks } = mergeTree(tree, changed)
    assert.deepStrictEqual(tasks.map(({ id, status }) => `${id} ${status}`), [
      "r working",
      "a failed",
      "b working",
      "c working"
    ])
  })

  it("is left alone by another run", () =>
    assert.strictEqual(mergeTree(tree, new Map([["x", task("x", { run: "other" })]])), tree))
})

describe("newcomers", () => {
  const failed = { seq: 1, run: "r", task: "r", at: 5, event: { _tag: "Failed" } } as never as Envelope
  const below = { ...failed, task: "child" as never }
  const lists = [{ status: ["failed"], agent: "", roots: true }] as const

  it("are tasks nobody has read that may have come into a list", () =>
    assert.deepStrictEqual([...newcomers([failed, below], new Map(), lists)], ["r"]))

  it("are none that are known, stay where they are, or could come into no list", () => {
    assert.strictEqual(newcomers([failed], new Map([["r", task("r")]]), lists).size, 0)
    assert.strictEqual(newcomers([fact("r", { _tag: "Progressed" })], new Map(), lists).size, 0)
    assert.strictEqual(newcomers([failed], new Map(), [{ ...lists[0], status: [] }]).size, 0)
  })
})
