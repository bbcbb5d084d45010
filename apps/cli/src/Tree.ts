/**
 * A run as a tree of lines.
 *
 * ```text
 * ⠹ migrate  01kb2x9f4q  12.4s  ▕██████░░░░▏ 6/10  reviewing src/b.ts
 * ├─ ✔ 5 review completed
 * ├─ ⠹ review  01kb2x9f7r  3.1s  attempt 2
 * └─ ? approve  01kb2x9f9s  2m 04s  Apply 12 changes?
 * ```
 *
 * With a limit (a live picture in a terminal) what has ended well is summed up first, then the least interesting lines
 * give way; without one, every task has its line.
 */
import type { Elsewhere } from "@coppice/api/TasksApi"
import { type Line, line, muted, spaced, span } from "./Line.ts"
import {
  attemptOf,
  deadlineOf,
  isActive,
  type Node,
  progressBar,
  remarkOf,
  shortId,
  shortIdLength,
  sign,
  stateOf,
  tookOf
} from "./Nodes.ts"
import { duration } from "./Times.ts"

export interface TreeOptions {
  readonly now: number
  /** Most lines the tree may take. */
  readonly limit?: number
  /** Turns the wheels; without it the picture stands still. */
  readonly beat?: number
}

interface Branch {
  readonly node: Node
  readonly children: ReadonlyArray<Branch>
  /** It ended well, with everything below it. */
  readonly isQuiet: boolean
}

/** Several tasks that ended well, in one line. */
interface Sum {
  readonly agent: string
  readonly count: number
}

/** A line before it is drawn: of a large run, only what is shown is drawn. */
interface Row {
  readonly prefix: string
  readonly content: Node | Sum
  /** What must stay longest has the lowest number. */
  readonly rank: number
}

const byCreation = (a: Node, b: Node): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)

/** Parents with their children; a task whose parent is not among them is a root. */
const branches = (nodes: ReadonlyArray<Node>): ReadonlyArray<Branch> => {
  const known = new Set(nodes.map(({ id }) => id))
  const below = new Map<string | null, Array<Node>>()
  for (const node of [...nodes].sort(byCreation)) {
    const parent = node.parent !== null && known.has(node.parent) ? node.parent : null
    const siblings = below.get(parent)
    if (siblings === undefined) below.set(parent, [node])
    else siblings.push(node)
  }
  const grow = (node: Node): Branch => {
    const children = (below.get(node.id) ?? []).map(grow)
    return { node, children, isQuiet: node.status === "completed" && children.every(({ isQuiet }) => isQuiet) }
  }
  return (below.get(null) ?? []).map(grow)
}

/** One task in a line. */
const nodeLine = (node: Node, options: TreeOptions, idLength: number): Line => {
  const bar = node.progress !== null && isActive(node) ? progressBar(node.progress) : []
  const state = node.status === "working" && node.attempt > 0 || node.status === "completed" ? undefined : stateOf(node)
  const head = spaced(
    muted(shortId(node.id, idLength)),
    state,
    muted(duration(tookOf(node, options.now))),
    attemptOf(node),
    node.parent === null ? deadlineOf(node, options.now) : undefined
  )
  const tail = spaced(...(bar.length > 0 ? [span("")] : []), remarkOf(node))
  const gap = span("  ")
  return [
    sign(node, options.beat),
    ...line(" ", span(node.agent, "strong")),
    gap,
    ...head,
    ...(bar.length > 0 ? [gap, ...bar] : []),
    ...(tail.length > 0 ? [gap, ...tail] : [])
  ]
}

const sumLine = ({ agent, count }: Sum): Line => line(span("✔", "good"), " ", muted(`${count} ${agent} completed`))

/** Children in order; those that ended well are summed up by agent when `folded` and there are several of them. */
const shown = (children: ReadonlyArray<Branch>, folded: boolean): ReadonlyArray<Branch | Sum> => {
  if (!folded) return children
  const quiet = new Map<string, number>()
  for (const { isQuiet, node } of children) if (isQuiet) quiet.set(node.agent, (quiet.get(node.agent) ?? 0) + 1)
  const sums = Array.from(quiet, ([agent, count]) => ({ agent, count })).filter(({ count }) => count > 1)
  return [...sums, ...children.filter(({ isQuiet, node }) => !isQuiet || quiet.get(node.agent) === 1)]
}

const ranks = 7

const rankOf = (node: Node): number => {
  if (node.parent === null) return 0
  if (node.status === "input_required") return 1
  if (node.status === "failed") return 2
  if (node.status === "working") return node.attempt > 0 ? 3 : 5
  return node.status === "cancelled" ? 4 : ranks - 1
}

interface Drawing {
  readonly folded: boolean
  readonly rows: Array<Row>
}

const collect = (branch: Branch, prefix: string, childPrefix: string, drawing: Drawing): void => {
  drawing.rows.push({ prefix, content: branch.node, rank: rankOf(branch.node) })
  const children = shown(branch.children, drawing.folded)
  children.forEach((child, index) => {
    const isLast = index === children.length - 1
    const here = childPrefix + (isLast ? "└─ " : "├─ ")
    if ("node" in child) collect(child, here, childPrefix + (isLast ? "   " : "│  "), drawing)
    else drawing.rows.push({ prefix: here, content: child, rank: 4 })
  })
}

const rowsOf = (roots: ReadonlyArray<Branch>, folded: boolean): ReadonlyArray<Row> => {
  const drawing: Drawing = { folded, rows: [] }
  for (const root of roots) collect(root, "", "", drawing)
  return drawing.rows
}

/** The lines that matter most, in their order. */
const cut = (rows: ReadonlyArray<Row>, most: number): ReadonlyArray<Row> => {
  const kept = new Set<Row>()
  for (let rank = 0; rank < ranks && kept.size < most; rank++) {
    for (const row of rows) if (row.rank === rank && kept.size < most) kept.add(row)
  }
  return rows.filter((row) => kept.has(row))
}

/** The servers that do not tell of their parts of it now. */
export const awayLines = ({ away, omitted = 0 }: Elsewhere, now: number): ReadonlyArray<Line> => [
  ...away.map(({ message, server, since, task }) => [
    span("✖ ", "bad"),
    ...spaced(
      span(`${server} does not answer, for ${duration(now - since)}`, "bad"),
      muted(`its part below ${task} is not shown`),
      muted(message)
    )
  ]),
  ...omitted === 0 ? [] : [line(muted(`… ${omitted} more in other services`))]
]

/** The tree's lines. */
export const treeLines = (nodes: ReadonlyArray<Node>, options: TreeOptions): ReadonlyArray<Line> => {
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  const all = rowsOf(branches(nodes), nodes.length > limit)
  const rows = all.length > limit ? cut(all, Math.max(1, limit - 1)) : all
  const idLength = shortIdLength(nodes.map(({ id }) => id.slice(id.lastIndexOf("/") + 1)))
  const lines = rows.map(({ content, prefix }) => {
    const spans = "id" in content ? nodeLine(content, options, idLength) : sumLine(content)
    return prefix === "" ? spans : [muted(prefix), ...spans]
  })
  return rows.length === all.length ? lines : [...lines, line(muted(`… ${all.length - rows.length} more`))]
}
