import type { Task } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import * as TreeModel from "../../../src/pages/run/TreeModel.ts"

const task = (id: string, parent: string | null, status = "completed"): Task =>
  ({ id, parent, status, agent: id }) as never

/**
 * ```text
 *   r ─ a ─ b
 *     └ c       (failed)
 * ```
 */
const tasks = [task("r", null, "working"), task("a", "r"), task("c", "r", "failed"), task("b", "a")]

const shown = (isOpen: (id: string) => boolean) =>
  TreeModel.rows(TreeModel.build(tasks), isOpen).map(({ depth, of, place, task }) =>
    `${task.id} ${depth} ${place}/${of}`
  )

describe("TreeModel", () => {
  it("draws children below their parents, in the order they began", () =>
    assert.deepStrictEqual(shown(() => true), ["r 0 1/1", "a 1 1/2", "b 2 1/1", "c 1 2/2"]))

  it("leaves out what is below a closed task", () => {
    assert.deepStrictEqual(shown((id) => id === "r"), ["r 0 1/1", "a 1 1/2", "c 1 2/2"])
    assert.deepStrictEqual(shown(() => false), ["r 0 1/1"])
  })

  it("counts everything below", () => {
    const [root] = TreeModel.build(tasks)
    assert.strictEqual(root!.size, 3)
    assert.include(root!.below, { completed: 2, failed: 1, working: 0 })
    assert.deepStrictEqual(TreeModel.countOf(tasks), {
      completed: 2,
      failed: 1,
      working: 1,
      input_required: 0,
      cancelled: 0
    })
  })

  it("shows a task whose parent is not there as a root", () =>
    assert.deepStrictEqual(TreeModel.build([task("x", "gone")]).map(({ task }) => task.id), ["x"]))

  it("does not care how deep a tree is", () => {
    const deep = Array.from({ length: 5_000 }, (_, at) => task(`t${at}`, at === 0 ? null : `t${at - 1}`))
    const rows = TreeModel.rows(TreeModel.build(deep), () => true)
    assert.strictEqual(rows.length, 5_000)
    assert.strictEqual(rows.at(-1)!.depth, 4_999)
  })

  it("finds tasks with everybody above them", () => {
    assert.deepStrictEqual(TreeModel.fitting(tasks, ({ id }) => id === "b").map(({ id }) => id), ["r", "a", "b"])
    assert.deepStrictEqual(TreeModel.fitting(tasks, () => false), [])
    assert.deepStrictEqual(TreeModel.above(tasks, "b"), ["a", "r"])
  })

  it("opens small trees, and of large ones the top", () => {
    assert.isTrue(TreeModel.opensAtFirst(150, false))
    assert.isTrue(TreeModel.opensAtFirst(151, true))
    assert.isFalse(TreeModel.opensAtFirst(151, false))
  })

  it.each([
    [`call:review:{"path":"a.ts"}:0`, "path:a.ts"],
    [`call:review:"text":2`, "text"],
    ["call:review:9f8a7b:0", undefined],
    ["other", undefined],
    [null, undefined]
  ])("takes the input out of the key %s", (key, hint) => assert.strictEqual(TreeModel.hintOf({ key }), hint))
})
