/**
 * Which points of the specification our suites show, as the tables of docs/reference/mcp-tasks.md.
 *
 * A point that no case shows has a reason, and a point that has both has one too many: either is a finding.
 */
import type { Case } from "../packages/mcp/test/suites/Case.ts"
import { clientCases as clientCases2025 } from "../packages/mcp/test/suites/clients/Client2025.ts"
import { clientCases as clientCases2026 } from "../packages/mcp/test/suites/clients/Client2026.ts"
import type { Point } from "../packages/mcp/test/suites/Point.ts"
import { points as points2025 } from "../packages/mcp/test/suites/Points2025.ts"
import { points as points2026 } from "../packages/mcp/test/suites/Points2026.ts"
import { cases as cases2025 } from "../packages/mcp/test/suites/Tasks2025.ts"
import { cases as cases2026 } from "../packages/mcp/test/suites/Tasks2026.ts"
import type { Finding } from "./Workspace.ts"

interface Suite {
  readonly revision: string
  readonly points: ReadonlyArray<Point>
  readonly cases: ReadonlyArray<Pick<Case, "name" | "only" | "points">>
}

const suites: ReadonlyArray<Suite> = [
  { revision: "2025-11-25", points: points2025, cases: [...cases2025, ...clientCases2025] },
  { revision: "2026-07-28", points: points2026, cases: [...cases2026, ...clientCases2026] }
]

const casesOf = ({ cases }: Suite, number: number, wire?: string) =>
  cases.filter(({ only, points }) =>
    points.includes(number) && (wire === undefined || only === undefined || only === wire)
  )

const row = (cells: ReadonlyArray<string>, widths: ReadonlyArray<number>) =>
  `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(" | ")} |`

/** A table as the formatter would have it. */
const table = (rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  const [head, ...body] = rows.map((cells) => row(cells, widths))
  return [head!, row(widths.map((width) => "-".repeat(width)), widths), ...body]
}

const shownBy = (suite: Suite, number: number): string => {
  const names = casesOf(suite, number).map(({ name, only }) => only === undefined ? name : `${name} (${only})`)
  const { elsewhere } = suite.points[number - 1]!
  return names.length > 0 ? names.join("; ") : `not here: ${elsewhere?.why ?? "nobody knows why"}`
}

/** The rows of one revision. */
export const rows = (suite: Suite): ReadonlyArray<string> =>
  table([
    ["#", "Point", "Shown by"],
    ...suite.points.map(({ says }, index) => [String(index + 1), says, shownBy(suite, index + 1)])
  ])

/** What a reader wants to know first. */
export const summary = (suite: Suite): string => {
  const numbers = suite.points.map((_, index) => index + 1)
  const count = (wire?: string) => numbers.filter((number) => casesOf(suite, number, wire).length > 0).length
  const left = (kind: string) =>
    suite.points.filter(({ elsewhere }, index) => elsewhere?.kind === kind && casesOf(suite, index + 1).length === 0)
      .length
  return `${suite.revision}: ${count()} of ${numbers.length} points shown by ${suite.cases.length} cases ` +
    `(HTTP ${count("HTTP")}, stdio ${count("stdio")}), ` +
    `${left("text")} to read, ${left("open")} open`
}

/** Points without a case and a reason, or with both; cases that name no point there is. */
export const findings = ({ cases, points, revision }: Suite): ReadonlyArray<Finding> => [
  ...points.flatMap(({ elsewhere }, index) => {
    const isShown = cases.some(({ points }) => points.includes(index + 1))
    if (isShown === (elsewhere === undefined)) return []
    return [`${revision} #${index + 1}: ${isShown ? "is shown and says why it is not" : "no case and no reason"}`]
  }),
  ...cases.flatMap(({ name, points: named }) =>
    named.length > 0 && named.every((point) => point > 0 && point <= points.length)
      ? []
      : [`${revision} "${name}": names no point`]
  )
]

/** Blocks of pages by their names. */
export const blocks = (): ReadonlyMap<string, ReadonlyArray<string>> =>
  new Map(suites.map((suite) => [suite.revision, ["", `${summary(suite)}.`, "", ...rows(suite), ""]]))

export const summaries = (): ReadonlyArray<string> => suites.map(summary)

export const allFindings = (): ReadonlyArray<Finding> => suites.flatMap(findings)
