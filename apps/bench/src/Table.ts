/**
 * The rows as text.
 */
import type { Row } from "./Row.ts"

/** Three significant digits, thousands separated. */
const figure = (value: number): string => {
  const size = Math.abs(value)
  if (!Number.isFinite(value)) return "–"
  if (size >= 100) return Math.round(value).toLocaleString("en")
  return String(Number(value.toPrecision(3)))
}

const numbers = (text: string): string => text.replaceAll(/\d{4,}/g, (digits) => Number(digits).toLocaleString("en"))

const verdict = ({ target }: Row): string =>
  target === undefined
    ? ""
    : `${target.isReached ? "reached" : "NOT REACHED"} (${figure(target.value)}; ${target.text})`

const notes = (row: Row): string =>
  Object.entries(row.notes).map(([name, value]) => `${name} ${figure(value)}`).join(", ")

const columns: ReadonlyArray<readonly [title: string, cell: (row: Row) => string]> = [
  ["case", (row) => row.case],
  ["what", (row) => numbers(row.what)],
  ["durability", (row) => row.durability],
  ["median", (row) => `${figure(row.value)} ${row.unit}`],
  ["lowest – highest", (row) => `${figure(row.low)} – ${figure(row.high)}`],
  ["raw baseline", (row) => `${figure(row.baselineValue)} ${row.baseline}`],
  ["of baseline", (row) => `${figure(row.ratio)} ×`],
  ["target", verdict],
  ["also", notes]
]

/** One Markdown table. */
export const table = (rows: ReadonlyArray<Row>): string => {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)))
  const line = (line: ReadonlyArray<string>) => `| ${line.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`
  const [head, ...body] = cells
  return [line(head!), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n")
}

/** How many targets were reached, and which were not. */
export const summary = (rows: ReadonlyArray<Row>): string => {
  const judged = rows.filter(({ target }) => target !== undefined)
  if (judged.length === 0) return "no target was measured at its size"
  const missed = judged.filter(({ target }) => target?.isReached === false)
  const names = missed.map((row) => `  ${row.case} ${row.durability}: ${numbers(row.what)}: ${verdict(row)}`)
  return [`${judged.length - missed.length} of ${judged.length} targets reached`, ...names].join("\n")
}
