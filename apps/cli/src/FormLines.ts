/**
 * A question and its form as lines.
 *
 * ```text
 * ? approve asks  2m ago  58m left
 *   Apply 12 changes to src/?
 *
 *   ✔ approve  yes
 *   ❯ reason   looks good▏
 *     text, optional
 *
 *   Enter next · Esc decline or leave
 * ```
 */
import { type Field, hintOf, showValue, titleWidth } from "./Form.ts"
import { type Edit, type FormState, type MenuEntry, menuOf, offers } from "./FormPrompt.ts"
import { empty, type Line, line, muted, spaced, type Span, span, strong } from "./Line.ts"
import type { Asked } from "./RunModel.ts"
import { manyLines, padEnd, wrap } from "./Text.ts"
import { age, duration } from "./Times.ts"

const mostMessageLines = 12

const indent = (spans: Line, cells = 2): Line => [span(" ".repeat(cells)), ...spans]

/** A paragraph from elsewhere, wrapped, and cut when it would fill the screen. */
const paragraph = (text: string, width: number): ReadonlyArray<Line> => {
  const lines = manyLines(text).flatMap((one) => wrap(one, width - 2))
  const kept = lines.slice(0, mostMessageLines).map((one) => indent(line(one)))
  return lines.length > mostMessageLines
    ? [...kept, indent(line(muted(`… ${lines.length - mostMessageLines} more lines`)))]
    : kept
}

/** Who asks, since when, until when, and what. */
export const questionLines = ({ agent, request, since }: Asked, now: number, width: number): ReadonlyArray<Line> => {
  const left = request.deadline === null ? undefined : request.deadline - now
  const waited = age(now - since)
  const head = spaced(
    strong(`${agent} asks`),
    muted(waited === "now" ? "just now" : `${waited} ago`),
    left === undefined ? undefined : left > 0 ? muted(`${duration(left)} left`) : span("overdue", "bad")
  )
  const url = request.mode === "url" && request.url !== null ? [indent(line(span(request.url, "accent")))] : []
  return [[span("? ", "wait"), ...head], ...paragraph(request.message, width), ...url]
}

const typed = (edit: Edit & { readonly _tag: "Typing" }, width: number): ReadonlyArray<Span> => {
  // A long text scrolls, so that the cursor always shows.
  const from = Math.max(0, edit.at - width + 1)
  const before = edit.chars.slice(from, edit.at).join("")
  const after = edit.chars.slice(edit.at + 1, from + width).join("")
  return [span(before), span(edit.chars[edit.at] ?? " ", "cursor"), span(after)]
}

const mostOffers = 10

const offerLines = (field: Field, edit: Edit & { readonly _tag: "Picking" }): ReadonlyArray<Line> => {
  const options = offers(field)
  const from = Math.min(Math.max(0, edit.at - mostOffers + 1), Math.max(0, options.length - mostOffers))
  return options.slice(from, from + mostOffers).map(({ title }, offset) => {
    const index = from + offset
    const isMarked = index === edit.at
    const box = field.kind._tag === "Choices" ? (edit.ticked.has(index) ? "◼ " : "◻ ") : ""
    return line(span(isMarked ? "❯ " : "  ", "accent"), span(box + title, isMarked ? "strong" : "plain"))
  })
}

const currentLines = (state: FormState, field: Field, width: number, titles: number): ReadonlyArray<Line> => {
  const title = [span("❯ ", "accent"), span(padEnd(field.title, titles), "strong"), span("  ")]
  const { edit } = state
  const said = field.description === undefined ? hintOf(field) : `${field.description} (${hintOf(field)})`
  const hint = state.error === undefined ? muted(said) : span(state.error, "bad")
  const body = edit._tag === "Typing"
    ? [[...title, ...typed(edit, Math.max(10, width - titles - 8))], indent(line(hint))]
    : [[...title, hint], ...offerLines(field, edit).map((one) => indent(one, 4))]
  return body.map((one) => indent(one))
}

const fieldLines = (state: FormState, width: number): ReadonlyArray<Line> => {
  const titles = Math.min(titleWidth(state.fields), Math.floor(width / 3))
  return state.fields.flatMap((field, index): ReadonlyArray<Line> => {
    const title = padEnd(field.title, titles)
    if (index === state.index && state.menu === undefined) return currentLines(state, field, width, titles)
    if (index < state.index) {
      return [indent(line(span("✔ ", "good"), muted(title), "  ", showValue(field, state.values[index])))]
    }
    return [indent(line("  ", muted(title)))]
  })
}

const entryTitles: Readonly<Record<MenuEntry, string>> = {
  send: "send the answer",
  back: "go back to the form",
  decline: "decline: answer no to the question",
  cancel: "cancel: dismiss it without a decision",
  leave: "leave it open for now"
}

const menuTitle = (entry: MenuEntry, { fields, purpose, question }: FormState): string => {
  if (purpose === "input") {
    return entry === "send"
      ? "start it"
      : entry === "back"
      ? entryTitles.back
      : "do not start it"
  }
  if (entry !== "send" || fields.length > 0) return entryTitles[entry]
  return question.request.mode === "url" ? "done: I followed the link" : "accept"
}

const menuLines = (state: FormState): ReadonlyArray<Line> =>
  menuOf(state).map((entry, index) => {
    const isMarked = index === state.menu
    const title = span(menuTitle(entry, state), isMarked ? "strong" : "plain")
    return indent(line(span(isMarked ? "❯ " : "  ", "accent"), title))
  })

const help = (state: FormState): Line => {
  if (state.menu !== undefined) return line(muted("  ↑↓ move · Enter choose"))
  const { kind } = state.fields[state.index]!
  const move = kind._tag === "Choices" ? "↑↓ move · Space tick · " : kind._tag === "Choice" ? "↑↓ move · " : ""
  const back = state.index > 0 ? " · Shift-Tab back" : ""
  const next = state.fields.length === 1 ? (state.purpose === "input" ? "start" : "send") : "next"
  const away = state.purpose === "input" ? "leave" : "decline or leave"
  return line(muted(`  ${move}Enter ${next}${back} · Esc ${away}`))
}

/** The whole question: what is asked, what is filled in, what the keys do. */
export const formLines = (state: FormState, now: number, width: number): ReadonlyArray<Line> => {
  const fields = fieldLines(state, width)
  const error = state.menu !== undefined && state.error !== undefined ? [line(span(`  ${state.error}`, "bad"))] : []
  const head = state.purpose === "answer"
    ? questionLines(state.question, now, width)
    : [line(span("● ", "busy"), strong(state.question.agent)), ...paragraph(state.question.request.message, width)]
  return [
    ...head,
    empty,
    ...fields,
    ...(fields.length > 0 && state.menu !== undefined ? [empty] : []),
    ...error,
    ...(state.menu === undefined ? [] : menuLines(state)),
    empty,
    help(state)
  ]
}
