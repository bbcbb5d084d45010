/**
 * Text from elsewhere, made safe and measured for a terminal.
 *
 * Whatever an agent, a file or a person wrote may carry control characters; a terminal would obey them. Here they become
 * visible pictures, so that nothing is lost and nothing is obeyed.
 */
import { displayWidth } from "effect/cli/CliOutput"

const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

/** Orders of reading, invisible and not ours to accept: they can make a line read as another one. */
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const controls = /[\u0000-\u001f\u007f-\u009f]/g

const picture = (control: string): string => {
  const code = control.charCodeAt(0)
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd"
}

const neutral = (text: string): string => text.toWellFormed().replace(controls, picture).replace(bidi, "\ufffd")

/** One line: runs of white space become one blank, control characters become pictures. */
export const oneLine = (text: string): string =>
  isPlain(text) ? text : neutral(text.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, " "))

/** Several lines, each of them safe. */
export const manyLines = (text: string): ReadonlyArray<string> =>
  text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).map((line) => neutral(line.replaceAll("\t", "  ")))

/** Cells the text takes in a terminal. */
export const widthOf = (text: string): number => isPlain(text) ? text.length : displayWidth(text)

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The characters as a person counts them. */
export const graphemes = (text: string): ReadonlyArray<string> =>
  Array.from(segmenter.segment(text), ({ segment }) => segment)

/** The longest beginning of the text that fits into `width` cells. */
const beginning = (text: string, width: number): string => {
  if (isPlain(text)) return text.slice(0, width)
  let kept = ""
  let used = 0
  for (const segment of graphemes(text)) {
    used += displayWidth(segment)
    if (used > width) break
    kept += segment
  }
  return kept
}

/** The text within `width` cells; an ellipsis says that something is missing. */
export const shorten = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  return width < 1 ? "" : `${beginning(text, width - 1).trimEnd()}…`
}

/** Blanks up to `width` cells. */
export const padEnd = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)))

/** Breaks a paragraph at blanks into lines of at most `width` cells; a longer word is cut. */
export const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const limit = Math.max(8, width)
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    let rest = word
    if (line !== "" && widthOf(line) + 1 + widthOf(rest) > limit) {
      lines.push(line)
      line = ""
    }
    while (widthOf(rest) > limit) {
      const head = beginning(rest, limit)
      lines.push(head)
      rest = rest.slice(head.length)
    }
    line = line === "" ? rest : `${line} ${rest}`
  }
  return [...lines, line]
}
