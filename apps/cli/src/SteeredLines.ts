/**
 * What became of a steering: one line, and one for each task whose work is done elsewhere.
 */
import type { Steered } from "@coppice/api/TasksApi"
import { type Line, line, muted, spaced, span } from "./Line.ts"

type Told = Steered["told"][number]

const elsewhere = ({ agent, how, server = "", task, why }: Told): Line => [
  span("  "),
  ...spaced(
    how === "sent" ? span(`sent to ${server}`, "busy") : span("not told", "bad"),
    span(agent),
    muted(task),
    why === undefined ? undefined : muted(why)
  )
]

export const steeredLines = ({ id, told }: Steered): ReadonlyArray<Line> => [
  line(span("→ ", "busy"), `Steered ${id}`),
  ...told.filter(({ how }) => how !== "applied").map(elsewhere)
]
