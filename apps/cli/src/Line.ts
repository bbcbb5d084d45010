/**
 * A line of the screen before it is one: spans of safe text, each with the role it plays.
 *
 * Every renderer makes lines; only `paint` makes escape sequences. Because a span's text is neutralised when it is made,
 * nothing untrusted can reach the terminal as a command, whatever a renderer does.
 */
import { oneLine, shorten, widthOf } from "./Text.ts"

/** What a span is; the colours follow from it. */
export type Role = "plain" | "strong" | "muted" | "good" | "bad" | "wait" | "busy" | "accent" | "cursor"

export interface Span {
  readonly text: string
  readonly role: Role
}

export type Line = ReadonlyArray<Span>

const codes: Readonly<Record<Role, string>> = {
  plain: "",
  strong: "1",
  muted: "2",
  good: "32",
  bad: "31",
  wait: "33",
  busy: "36",
  accent: "35",
  cursor: "7"
}

export const span = (text: string, role: Role = "plain"): Span => ({ text: oneLine(text), role })
export const strong = (text: string): Span => span(text, "strong")
export const muted = (text: string): Span => span(text, "muted")

/** A line of its parts; bare strings are plain. */
export const line = (...parts: ReadonlyArray<Span | string>): Line =>
  parts.map((part) => typeof part === "string" ? span(part) : part)

export const empty: Line = []

/** The parts with two blanks between those that say something. */
export const spaced = (...parts: ReadonlyArray<Span | string | undefined>): Line => {
  const said = line(...parts.filter((part) => part !== undefined)).filter(({ text }) => text !== "")
  return said.flatMap((part, index) => index === 0 ? [part] : [{ text: "  ", role: "plain" } as const, part])
}

export const lineWidth = (spans: Line): number => spans.reduce((sum, { text }) => sum + widthOf(text), 0)

/** The line within `width` cells; an ellipsis says that something is missing. */
export const fit = (spans: Line, width: number): Line => {
  if (lineWidth(spans) <= width) return spans
  const kept: Array<Span> = []
  let left = width
  for (const part of spans) {
    const cells = widthOf(part.text)
    if (cells >= left) {
      // The ellipsis stands for what follows as well, so a part that just fits gives up a cell.
      kept.push({ text: shorten(`${part.text}  `, left), role: part.role })
      break
    }
    kept.push(part)
    left -= cells
  }
  return kept
}

/** The line with blanks up to `width` cells. */
export const fill = (spans: Line, width: number): Line => {
  const missing = width - lineWidth(spans)
  return missing > 0 ? [...spans, { text: " ".repeat(missing), role: "plain" }] : spans
}

/** The text alone, as a pipe gets it. */
export const plain = (spans: Line): string => spans.map(({ text }) => text).join("")

/** The line as the terminal gets it. */
export const paint = (spans: Line, colors: boolean): string =>
  colors
    ? spans.map(({ role, text }) => codes[role] === "" ? text : `\u001b[${codes[role]}m${text}\u001b[0m`).join("")
    : plain(spans)
