/**
 * A picture that is drawn over itself: which characters bring a terminal from one frame to the next.
 *
 * The cursor rests below the picture. A new frame goes up to the picture's first line and writes over it line by line,
 * without wrapping and as one synchronized update, so that nothing flickers and a wrong width breaks nothing.
 */
import { fit, type Line, lineWidth, paint } from "./Line.ts"

export interface Size {
  readonly columns: number
  readonly rows: number
  readonly colors: boolean
}

/** What is on the screen: the width of each line. */
export type Drawn = ReadonlyArray<number>

const escape = "\u001b["
export const hideCursor = `${escape}?25l`
export const showCursor = `${escape}?25h`
const beginUpdate = `${escape}?2026h${escape}?7l`
const endUpdate = `${escape}?7h${escape}?2026l`

/** Lines a picture takes now: a terminal made narrower has broken the longer ones. */
const height = (drawn: Drawn, columns: number): number =>
  drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / Math.max(1, columns))), 0)

const toTop = (drawn: Drawn, columns: number): string =>
  drawn.length === 0 ? "" : `${escape}${height(drawn, columns)}A\r`

/** Takes the picture away. */
export const erase = (drawn: Drawn, { columns }: Size): string =>
  drawn.length === 0 ? "" : `${toTop(drawn, columns)}${escape}J`

/**
 * The next frame over the last one, and `above` it what is to stay on the screen for good. The last lines of a frame
 * that is too tall are what is shown.
 */
export const redraw = (
  drawn: Drawn,
  frame: ReadonlyArray<Line>,
  size: Size,
  above: ReadonlyArray<Line> = []
): { readonly text: string; readonly drawn: Drawn } => {
  const kept = frame.slice(-Math.max(1, size.rows - 1)).map((spans) => fit(spans, size.columns))
  // In the last column the cursor stays on what was just written, and erasing the rest of the line would erase that.
  const end = (spans: Line) => lineWidth(spans) < size.columns ? `${escape}K\n` : "\n"
  const write = (spans: Line) => `${paint(spans, size.colors)}${end(spans)}`
  const stays = above.map((spans) => write(fit(spans, size.columns)))
  const lines = kept.map(write)
  return {
    text: `${beginUpdate}${toTop(drawn, size.columns)}${stays.join("")}${lines.join("")}${escape}J${endUpdate}`,
    drawn: kept.map(lineWidth)
  }
}
