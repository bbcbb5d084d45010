import type { Task } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import { type ListFilter, merge, type Pages } from "../../src/api/Runs.ts"

const task = (id: string, more: Partial<Task> = {}): Task =>
  ({ id, run: id, parent: null, agent: "review", status: "working", ...more }) as Task

const all: ListFilter = { status: [], agent: "", roots: true }

const pages = (...ids: ReadonlyArray<ReadonlyArray<string>>): Pages => ({
  pageParams: [],
  // more is there behind the last page, unless that is empty
  pages: ids.map((page) => ({ tasks: page.map((id) => task(id)), next: (page.at(-1) ?? null) as never }))
})

const after = (filter: ListFilter, data: Pages, changed: ReadonlyArray<Task>) =>
  merge(filter, data, new Map(changed.map((task) => [task.id, task]))).pages.map(({ tasks }) =>
    tasks.map(({ id }) => id)
  )

describe("merge", () => {
  it("changes a task where it stands, and leaves the other pages as they are", () => {
    const before = pages(["c", "b"], ["a"])
    const now = merge(all, before, new Map([["b", task("b", { status: "completed" })]]))
    assert.strictEqual(now.pages[0]!.tasks[1]!.status, "completed")
    assert.strictEqual(now.pages[1], before.pages[1])
  })

  it("puts new runs on top, newest first", () =>
    assert.deepStrictEqual(after(all, pages(["c"], ["a"]), [task("d"), task("e")]), [["e", "d", "c"], ["a"]]))

  it("leaves out children of a list of runs", () =>
    assert.deepStrictEqual(after(all, pages(["c"]), [task("d", { parent: "c" as never })]), [["c"]]))

  it("leaves out what another page will bring", () =>
    assert.deepStrictEqual(after(all, pages(["c"]), [task("a")]), [["c"]]))

  it("puts a task that has come to fit where it belongs", () => {
    const filter: ListFilter = { ...all, status: ["failed"] }
    const failed = (id: string) => task(id, { status: "failed" })
    const before: Pages = {
      pageParams: [],
      pages: [{ tasks: [failed("f"), failed("d")], next: "d" as never }, { tasks: [failed("b")], next: null }]
    }
    assert.deepStrictEqual(after(filter, before, [failed("e"), failed("c"), failed("a")]), [["f", "e", "d"], [
      "c",
      "b",
      "a"
    ]])
  })

  it("drops what no longer fits the filter", () => {
    const filter: ListFilter = { ...all, status: ["working"] }
    assert.deepStrictEqual(after(filter, pages(["c", "b"]), [task("b", { status: "failed" })]), [["c"]])
  })

  it("fills an empty list", () => assert.deepStrictEqual(after(all, pages([]), [task("a")]), [["a"]]))
})
