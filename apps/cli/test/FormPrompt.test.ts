import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "effect/Schema"
import { begin, type FormState, type FormStep, type Key, menuOf, press, refused } from "../src/FormPrompt.ts"
import { approval, asked, key, typed } from "./support/fixtures.ts"

const enter = key("return")
const down = key("down")
const escape = key("escape")

/** Where a question is after these keys. */
const after = (schema: JsonObject | null, ...keys: ReadonlyArray<Key>): FormStep =>
  keys.reduce<FormStep>(
    (step, key) => step._tag === "Ask" ? press(step.state, key) : step,
    { _tag: "Ask", state: begin(asked("Go?", schema)) }
  )

const asking = (step: FormStep): FormState => {
  assert(step._tag === "Ask")
  return step.state
}

const accepted = (content: unknown): FormStep => ({ _tag: "Answer", action: "accept", content: content as never })

const only = (schema: JsonObject): JsonObject => ({ type: "object", properties: { x: schema }, required: ["x"] })

describe("FormPrompt", () => {
  it("asks field by field, then whether to send", () => {
    const filled = after(approval, key("y"), enter, ...typed("looks good"), enter)
    assert.strictEqual(asking(filled).menu, 0)
    assert.deepStrictEqual(press(asking(filled), enter), accepted({ approve: true, reason: "looks good" }))
  })

  it("sends a form of one field at once", () =>
    assert.deepStrictEqual(after(only({ type: "integer" }), ...typed("42"), enter), accepted({ x: 42 })))

  it("decides nothing by an Enter alone", () => {
    const step = after(only({ type: "boolean" }), enter)
    assert.strictEqual(asking(step).error, "choose one")
  })

  it("takes a default by an Enter alone", () =>
    assert.deepStrictEqual(after(only({ type: "boolean", default: false }), enter), accepted({ x: false })))

  it("stays at a field until it fits", () => {
    const step = after(only({ type: "integer", maximum: 5 }), key("9"), enter)
    assert.strictEqual(asking(step).error, "must be at most 5")
    assert.deepStrictEqual(press(asking(press(asking(step), key("backspace"))), key("3"))._tag, "Ask")
  })

  it("goes back", () => {
    const step = after(approval, key("y"), enter, key("tab", { shift: true }))
    assert.strictEqual(asking(step).index, 0)
    assert.deepInclude(asking(step).edit, { at: 0 })
  })

  it("moves in a list around its ends", () => {
    const list = only({ type: "string", enum: ["a", "b", "c"] })
    assert.deepStrictEqual(after(list, key("up"), enter), accepted({ x: "c" }))
    assert.deepStrictEqual(after(list, down, down, down, down, enter), accepted({ x: "a" }))
  })

  it("ticks several", () => {
    const list = only({ type: "array", items: { enum: ["a", "b", "c"] } })
    assert.deepStrictEqual(after(list, key("space"), down, down, key("space"), enter), accepted({ x: ["a", "c"] }))
  })

  it("edits a line", () => {
    const keys = [
      ...typed("one three"),
      key("w", { ctrl: true }),
      ...typed("two"),
      key("home"),
      key("delete"),
      key("O")
    ]
    assert.deepStrictEqual(after(only({ type: "string" }), ...keys, enter), accepted({ x: "One two" }))
  })

  it("writes no control characters", () => {
    const paste = { name: "", ctrl: false, shift: false, text: "\u001b[200~" }
    assert.deepStrictEqual(after(only({ type: "string" }), key("a"), paste, enter), accepted({ x: "a" }))
  })

  it("declines, cancels and leaves by the menu", () => {
    assert.deepStrictEqual(menuOf(asking(after(approval, escape))), ["back", "decline", "cancel", "leave"])
    assert.deepStrictEqual(after(approval, escape, key("2")), { _tag: "Answer", action: "decline", content: undefined })
    assert.deepStrictEqual(after(approval, escape, down, down, enter), {
      _tag: "Answer",
      action: "cancel",
      content: undefined
    })
    assert.deepStrictEqual(after(approval, escape, key("4")), { _tag: "Leave" })
    assert.strictEqual(asking(after(approval, escape, escape)).menu, undefined)
  })

  it("accepts a question without a form", () => assert.deepStrictEqual(after(null, enter), accepted({})))

  it("begins again when the service refuses", () => {
    const again = refused(asking(after(approval, key("y"), enter)), "reason: too short")
    assert.deepInclude(again, { index: 0, error: "reason: too short", menu: undefined })
  })

  it("offers no refusal of an input", () =>
    assert.deepStrictEqual(menuOf(begin(asked("Go?", null), "input")), ["send", "leave"]))
})
