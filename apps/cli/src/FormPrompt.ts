/**
 * Asks a form's fields one by one: a state, and what each key makes of it.
 *
 * ```text
 *   field 1 ──Enter──► field 2 ──Enter──► … ──Enter──► menu ──► answer | decline | cancel | leave
 *      ▲                  │ Shift-Tab                   ▲
 *      └──────────────────┘              Esc anywhere ──┘
 * ```
 *
 * Pure: no clock, no terminal. `FormLines` draws a state, and whoever owns the keyboard feeds the keys in.
 */
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import { contentOf, type Field, fieldsOf, type Option, readText, readTicks, same } from "./Form.ts"
import type { Asked } from "./RunModel.ts"
import { graphemes } from "./Text.ts"

/** A key as the terminal names it, and the text it stands for. */
export interface Key {
  readonly name: string
  readonly ctrl: boolean
  readonly shift: boolean
  readonly text: string
}

/** How the current field is being filled in. */
export type Edit =
  | { readonly _tag: "Typing"; readonly chars: ReadonlyArray<string>; readonly at: number }
  | { readonly _tag: "Picking"; readonly at: number; readonly ticked: ReadonlySet<number> }

export type MenuEntry = "send" | "back" | "decline" | "cancel" | "leave"

export interface FormState {
  readonly question: Asked
  /** An answer may be refused by the person; the input of a run is only given or not. */
  readonly purpose: "answer" | "input"
  readonly fields: ReadonlyArray<Field>
  /** The field in hand; those before it have their values. */
  readonly index: number
  readonly values: ReadonlyArray<Json | undefined>
  readonly edit: Edit
  /** Why the last key did not lead on. */
  readonly error: string | undefined
  /** The marked entry, while the menu is open. */
  readonly menu: number | undefined
}

/** What a key leads to. */
export type FormStep =
  | { readonly _tag: "Ask"; readonly state: FormState }
  | { readonly _tag: "Answer"; readonly action: "accept" | "decline" | "cancel"; readonly content: Json | undefined }
  | { readonly _tag: "Leave" }

/** What a choice offers: its list, and nothing at all when it may be left out. */
export const offers = (field: Field): ReadonlyArray<Option & { readonly isNone?: boolean }> => {
  const { isRequired, kind } = field
  if (kind._tag !== "Choice" && kind._tag !== "Choices") return []
  const none = { value: null, title: "(leave out)", isNone: true }
  return isRequired || kind._tag === "Choices" ? kind.options : [...kind.options, none]
}

const typing = (text: string): Edit => {
  const chars = graphemes(text)
  return { _tag: "Typing", chars, at: chars.length }
}

/** The field as it is met: its value so far, else its default. */
const editOf = (field: Field | undefined, value: Json | undefined): Edit => {
  if (field === undefined) return typing("")
  const known = value ?? field.initial
  if (field.kind._tag === "Choice") {
    // Without a default nothing is marked: an Enter that was meant for something else must not decide.
    const at = offers(field).findIndex((option) =>
      known === undefined ? option.isNone === true : same(option.value, known)
    )
    return { _tag: "Picking", at, ticked: new Set() }
  }
  if (field.kind._tag === "Choices") {
    const { options } = field.kind
    const marked = Array.isArray(known) ? known : []
    const ticked = options.flatMap(({ value }, index) => marked.some((one: Json) => same(one, value)) ? [index] : [])
    return { _tag: "Picking", at: 0, ticked: new Set(ticked) }
  }
  return typing(known === undefined || known === null ? "" : typeof known === "string" ? known : JSON.stringify(known))
}

/** The first state of a question. */
export const begin = (question: Asked, purpose: FormState["purpose"] = "answer"): FormState => {
  const fields = question.request.mode === "form" ? fieldsOf(question.request.schema) : []
  return {
    question,
    purpose,
    fields,
    index: 0,
    values: [],
    edit: editOf(fields[0], undefined),
    error: undefined,
    menu: fields.length === 0 ? 0 : undefined
  }
}

/** The same form again, because the service refused the answer. */
export const refused = (state: FormState, error: string): FormState => ({ ...at(state, 0), error })

/** The menu's entries, the first one for whoever only presses Enter. */
export const menuOf = ({ fields, index, purpose }: FormState): ReadonlyArray<MenuEntry> => {
  const away: ReadonlyArray<MenuEntry> = purpose === "input" ? ["leave"] : ["decline", "cancel", "leave"]
  if (fields.length === 0) return ["send", ...away]
  return index === fields.length ? ["send", "back", ...away] : ["back", ...away]
}

const ask = (state: FormState): FormStep => ({ _tag: "Ask", state })

const at = (state: FormState, index: number): FormState => ({
  ...state,
  index,
  edit: editOf(state.fields[index], state.values[index]),
  error: undefined,
  menu: undefined
})

const send = ({ fields, values }: FormState): FormStep => ({
  _tag: "Answer",
  action: "accept",
  content: fields.length === 0 ? {} : contentOf(fields, values)
})

const choose = (state: FormState, entry: MenuEntry | undefined): FormStep => {
  switch (entry) {
    case "send":
      return send(state)
    case "decline":
    case "cancel":
      return { _tag: "Answer", action: entry, content: undefined }
    case "leave":
      return { _tag: "Leave" }
    default:
      return ask(at(state, state.index === state.fields.length ? 0 : state.index))
  }
}

const wrapAround = (index: number, length: number): number => (index + length) % length

const pressMenu = (state: FormState, marked: number, key: Key): FormStep => {
  const entries = menuOf(state)
  const digit = Number(key.text)
  if (key.text !== "" && digit >= 1 && digit <= entries.length) return choose(state, entries[digit - 1])
  switch (key.name) {
    case "up":
      return ask({ ...state, menu: wrapAround(marked - 1, entries.length) })
    case "down":
    case "tab":
      return ask({ ...state, menu: wrapAround(marked + 1, entries.length) })
    case "return":
    case "enter":
      return choose(state, entries[marked])
    case "escape":
      return entries.includes("back") ? choose(state, "back") : ask(state)
    default:
      return ask(state)
  }
}

const valueOf = (field: Field, edit: Edit): Result.Result<Json | undefined, string> => {
  if (edit._tag === "Typing") return readText(field, edit.chars.join(""))
  if (field.kind._tag === "Choices") return readTicks(field.kind, edit.ticked)
  const offer = offers(field)[edit.at]
  if (offer === undefined) return Result.fail("choose one")
  return Result.succeed(offer.isNone === true ? undefined : offer.value)
}

/** Enter: keep the value and go on, to the end of a form of one field, or to the menu of a longer one. */
const keep = (state: FormState, field: Field): FormStep => {
  const value = valueOf(field, state.edit)
  if (Result.isFailure(value)) return ask({ ...state, error: value.failure })
  const values = state.fields.map((_, index) => index === state.index ? value.success : state.values[index])
  const next = at({ ...state, values }, state.index + 1)
  if (state.fields.length === 1) return send(next)
  return ask(next.index === state.fields.length ? { ...next, menu: 0 } : next)
}

const pick = (field: Field, edit: Edit & { readonly _tag: "Picking" }, key: Key): Edit => {
  const options = offers(field)
  const move = (to: number): Edit => ({ ...edit, at: wrapAround(to, options.length) })
  if (key.name === "up" || key.name === "left") return move(Math.max(edit.at, 0) - 1)
  if (key.name === "down" || key.name === "right" || key.name === "tab") return move(edit.at + 1)
  if (key.name === "space" && field.kind._tag === "Choices") {
    const ticked = new Set(edit.ticked)
    if (!ticked.delete(edit.at)) ticked.add(edit.at)
    return { ...edit, ticked }
  }
  const letter = key.text.toLowerCase()
  const order = options.map((_, index) => (edit.at + 1 + index) % options.length)
  const found = letter.trim() === ""
    ? undefined
    : order.find((index) => options[index]!.title.toLowerCase().startsWith(letter))
  return found === undefined ? edit : { ...edit, at: found }
}

const isPrintable = (text: string): boolean => text !== "" && !/\p{Cc}/u.test(text)

const write = (edit: Edit & { readonly _tag: "Typing" }, key: Key): Edit => {
  const { at, chars } = edit
  const replace = (from: number, to: number, insert: ReadonlyArray<string> = []): Edit => ({
    _tag: "Typing",
    chars: [...chars.slice(0, from), ...insert, ...chars.slice(to)],
    at: from + insert.length
  })
  if (key.ctrl) {
    if (key.name === "u") return replace(0, at)
    if (key.name === "k") return replace(at, chars.length)
    if (key.name === "a") return { ...edit, at: 0 }
    if (key.name === "e") return { ...edit, at: chars.length }
    if (key.name === "w") return replace(chars.slice(0, at).join("").trimEnd().lastIndexOf(" ") + 1, at)
    return edit
  }
  switch (key.name) {
    case "backspace":
      return at === 0 ? edit : replace(at - 1, at)
    case "delete":
      return replace(at, at + 1)
    case "left":
      return { ...edit, at: Math.max(0, at - 1) }
    case "right":
      return { ...edit, at: Math.min(chars.length, at + 1) }
    case "home":
      return { ...edit, at: 0 }
    case "end":
      return { ...edit, at: chars.length }
    default:
      return isPrintable(key.text) ? replace(at, at, graphemes(key.text)) : edit
  }
}

/** What a key makes of the form. */
export const press = (state: FormState, key: Key): FormStep => {
  const field = state.fields[state.index]
  if (state.menu !== undefined || field === undefined) return pressMenu(state, state.menu ?? 0, key)
  if (key.name === "escape") return ask({ ...state, menu: 0 })
  if (key.name === "return" || key.name === "enter") return keep(state, field)
  if (key.name === "tab" && key.shift || key.name === "up" && state.edit._tag === "Typing") {
    return ask(at(state, Math.max(0, state.index - 1)))
  }
  const edit = state.edit._tag === "Picking" ? pick(field, state.edit, key) : write(state.edit, key)
  return ask({ ...state, edit, error: undefined })
}
