/**
 * Columns that fit the terminal.
 *
 * A column is as wide as its widest cell; when the table is too wide, the columns marked `shrinks` give way, the last
 * first, and lines are cut at the edge at last.
 */
import { fill, fit, type Line, line, lineWidth, muted, type Span } from "./Line.ts"

export interface Column {
  readonly title: string
  /** May become narrower, down to this many cells. */
  readonly shrinks?: number
  readonly align?: "right"
}

const gap = 2

const natural = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<Line>>): Array<number> =>
  columns.map(({ title }, index) => rows.reduce((most, row) => Math.max(most, lineWidth(row[index]!)), title.length))

const squeeze = (widths: Array<number>, columns: ReadonlyArray<Column>, available: number): ReadonlyArray<number> => {
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1) - available
  for (let index = columns.length - 1; index >= 0 && excess > 0; index--) {
    const least = columns[index]!.shrinks
    if (least === undefined) continue
    const given = Math.min(excess, Math.max(0, widths[index]! - least))
    widths[index]! -= given
    excess -= given
  }
  return widths
}

const cell = (content: Line, width: number, align: Column["align"]): Line => {
  const cut = fit(content, width)
  return align === "right" ? [...fill([], width - lineWidth(cut)), ...cut] : fill(cut, width)
}

const trimmed = (spans: ReadonlyArray<Span>): Line => {
  const last = spans.at(-1)
  return last !== undefined && last.text.trim() === "" ? trimmed(spans.slice(0, -1)) : spans
}

/** The table's lines, the titles first. */
export const table = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<Line>>,
  width: number
): ReadonlyArray<Line> => {
  const widths = squeeze(natural(columns, rows), columns, width)
  const all = [columns.map(({ title }) => line(muted(title))), ...rows]
  return all.map((row) => {
    const cells = row.map((content, index) => cell(content, widths[index]!, columns[index]!.align))
    const joined = cells.flatMap((content, index) => index === 0 ? content : [...fill([], gap), ...content])
    return fit(trimmed(joined), width)
  })
}
