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
import { type Line, line, muted, span, spaced } from "./Line.ts"
import { attemptOf, isActive, type Node, progressBar, remarkOf, shortIdLength, sign, stateOf, tookOf } from "./Nodes.ts"
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
}

interface Row {
  readonly prefix: string
  readonly content: Line
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
  const grow = (node: Node): Branch => ({ node, children: (below.get(node.id) ?? []).map(grow) })
  return (below.get(null) ?? []).map(grow)
}

/** One task in a line. */
export const nodeLine = (node: Node, options: TreeOptions, idLength: number): Line => {
  const bar = node.progress !== null && isActive(node) ? progressBar(node.progress) : []
  const state = node.status === "working" && node.attempt > 0 || node.status === "completed" ? undefined : stateOf(node)
  const head = spaced(
    muted(node.id.slice(0, idLength)),
    state,
    muted(duration(tookOf(node, options.now))),
    attemptOf(node)
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

const isQuietLeaf = ({ children, node }: Branch): boolean => node.status === "completed" && children.every(isQuiet)
const isQuiet = (branch: Branch): boolean => isQuietLeaf(branch)

/** Children in order; those that ended well are summed up by agent when `folded` and there are several of them. */
const shown = (
  children: ReadonlyArray<Branch>,
  folded: boolean
): ReadonlyArray<Branch | { readonly agent: string; readonly count: number }> => {
  if (!folded) return children
  const quiet = new Map<string, number>()
  for (const child of children) {
    if (isQuiet(child)) quiet.set(child.node.agent, (quiet.get(child.node.agent) ?? 0) + 1)
  }
  const sums = [...quiet].filter(([, count]) => count > 1).map(([agent, count]) => ({ agent, count }))
  const isSummed = (child: Branch) => isQuiet(child) && (quiet.get(child.node.agent) ?? 0) > 1
  return [...sums, ...children.filter((child) => !isSummed(child))]
}

const rankOf = (node: Node): number => {
  if (node.status === "input_required") return 1
  if (node.status === "failed") return 2
  if (node.status === "working") return node.attempt > 0 ? 3 : 5
  return node.status === "cancelled" ? 4 : 6
}

interface Drawing {
  readonly options: TreeOptions
  readonly idLength: number
  readonly folded: boolean
  readonly rows: Array<Row>
}

const draw = (branch: Branch, prefix: string, childPrefix: string, drawing: Drawing): void => {
  const content = nodeLine(branch.node, drawing.options, drawing.idLength)
  drawing.rows.push({ prefix, content, rank: branch.node.parent === null ? 0 : rankOf(branch.node) })
  const children = shown(branch.children, drawing.folded)
  children.forEach((child, index) => {
    const isLast = index === children.length - 1
    const here = childPrefix + (isLast ? "└─ " : "├─ ")
    if ("node" in child) return draw(child, here, childPrefix + (isLast ? "   " : "│  "), drawing)
    const sum = line(span("✔", "good"), " ", muted(`${child.count} ${child.agent} completed`))
    drawing.rows.push({ prefix: here, content: sum, rank: 4 })
  })
}

const drawAll = (roots: ReadonlyArray<Branch>, options: TreeOptions, idLength: number, folded: boolean) => {
  const drawing: Drawing = { options, idLength, folded, rows: [] }
  for (const root of roots) draw(root, "", "", drawing)
  return drawing.rows
}

/** Leaves out the lines that matter least; one line says how many. */
const cut = (rows: ReadonlyArray<Row>, limit: number): ReadonlyArray<Row> => {
  if (rows.length <= limit) return rows
  const order = rows.map((row, index) => ({ index, row })).sort((a, b) => a.row.rank - b.row.rank || a.index - b.index)
  const kept = new Set(order.slice(0, Math.max(1, limit - 1)).map(({ index }) => index))
  const more = { prefix: "", content: line(muted(`… ${rows.length - kept.size} more`)), rank: 0 }
  return [...rows.filter((_, index) => kept.has(index)), more]
}

/** The tree's lines. */
export const treeLines = (nodes: ReadonlyArray<Node>, options: TreeOptions): ReadonlyArray<Line> => {
  const roots = branches(nodes)
  const idLength = shortIdLength(nodes.map(({ id }) => id))
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  const whole = drawAll(roots, options, idLength, false)
  const rows = whole.length <= limit ? whole : cut(drawAll(roots, options, idLength, true), limit)
  return rows.map(({ content, prefix }) => prefix === "" ? content : [...line(muted(prefix)), ...content])
}
