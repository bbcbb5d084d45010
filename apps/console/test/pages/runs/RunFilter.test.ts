import type { Task } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import { format, isEmpty, matches, parse, type RunFilter, toggled } from "../../../src/pages/runs/RunFilter.ts"

const none: RunFilter = { status: [], agent: "", text: "", roots: true }

describe("RunFilter", () => {
  it.each<readonly [string, Partial<RunFilter>]>([
    ["", {}],
    ["status=failed&status=working", { status: ["working", "failed"] }],
    ["agent=review&q=a+b%26c", { agent: "review", text: "a b&c" }],
    ["all=1", { roots: false }]
  ])("reads %s", (search, filter) => assert.deepStrictEqual(parse(search), { ...none, ...filter }))

  it("passes over what it does not know", () =>
    assert.deepStrictEqual(parse("status=nonsense&__proto__=x&all=yes"), none))

  it("writes what it reads", () => {
    const filter: RunFilter = { status: ["working", "failed"], agent: "é&=", text: "<b>", roots: false }
    assert.deepStrictEqual(parse(format(filter)), filter)
    assert.strictEqual(format(none), "")
  })

  it("is empty when it narrows nothing down", () => {
    assert.isTrue(isEmpty({ ...none, roots: false }))
    assert.isFalse(isEmpty({ ...none, text: "x" }))
  })

  it("turns a status on and off", () => {
    const on = toggled(none, "failed")
    assert.deepStrictEqual(on.status, ["failed"])
    assert.deepStrictEqual(toggled(on, "failed").status, [])
  })

  it("finds a task by the beginning of its id, its agent and what it says", () => {
    const task = { id: "01abcdef", agent: "Review", statusMessage: "Reads a.ts" } as never as Task
    for (const text of ["", "01ab", "view", "READS", " 01ABC "]) assert.isTrue(matches(text, task), text)
    for (const text of ["abc", "other"]) assert.isFalse(matches(text, task), text)
  })
})
