import { assert, describe, it } from "@effect/vitest"
import { formLines, questionLines } from "../src/FormLines.ts"
import { begin, type FormState, press } from "../src/FormPrompt.ts"
import { asked, key, noon, texts, typed } from "./support/fixtures.ts"

const later = (state: FormState, ...keys: ReadonlyArray<ReturnType<typeof key>>): FormState =>
  keys.reduce((state, key) => {
    const step = press(state, key)
    assert(step._tag === "Ask")
    return step.state
  }, state)

const lines = (state: FormState) => texts(formLines(state, noon, 60))

describe("formLines", () => {
  const first = begin(asked("Apply 12 changes to src/?"))

  it("draws the field in hand", () =>
    assert.deepStrictEqual(lines(first), [
      "? approve asks  2m ago",
      "  Apply 12 changes to src/?",
      "",
      "  ❯ approve  one of yes, no",
      "        yes",
      "        no",
      "    reason ",
      "",
      "  ↑↓ move · Enter next · Esc decline or leave"
    ]))

  it("draws what is filled in, and the text being typed", () =>
    assert.deepStrictEqual(lines(later(first, key("y"), key("return"), ...typed("ok"))).slice(3), [
      "  ✔ approve  yes",
      "  ❯ reason   ok ",
      "    text, optional",
      "",
      "  Enter next · Shift-Tab back · Esc decline or leave"
    ]))

  it("draws the menu", () =>
    assert.deepStrictEqual(lines(later(first, key("escape"))).slice(6, 10), [
      "  ❯ go back to the form",
      "    decline: answer no to the question",
      "    cancel: dismiss it without a decision",
      "    leave it open for now"
    ]))

  it("scrolls a long text so that the cursor shows", () => {
    const state = later(first, key("y"), key("return"), ...typed("x".repeat(100)), key("!"))
    const line = lines(state)[4]!
    assert.isAtMost(line.length, 60)
    assert.match(line, /! $/)
  })
})

describe("questionLines", () => {
  it("tells the time that is left", () => {
    const question = asked("Go?")
    const request = { ...question.request, deadline: noon + 184_000 }
    assert.strictEqual(
      texts(questionLines({ ...question, request }, noon, 60))[0],
      "? approve asks  2m ago  3m 04s left"
    )
  })

  it("wraps, cuts, and obeys nothing", () => {
    const said = texts(questionLines(asked(`\u001b]0;x\u0007${"word ".repeat(300)}`), noon, 40))
    assert.isTrue(said.every((line) => line.length <= 40))
    assert.match(said[1]!, /^ {2}␛\]0;x␇word/)
    assert.match(said.at(-1)!, /more lines$/)
  })
})
