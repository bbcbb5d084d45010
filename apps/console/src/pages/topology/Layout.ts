/**
 * Where everything of the graph is drawn, in pixels: columns from left to right, each centred.
 */
import { partsOf, short } from "./Counts.ts"
import type { Edge, Graph, Node } from "./Graph.ts"
import { layersOf } from "./Layers.ts"

export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface PlacedNode extends Rect {
  readonly node: Node
}

export interface PlacedServer extends Rect {
  readonly name: string
}

export interface PlacedEdge {
  readonly edge: Edge
  readonly path: string
  /** The middle of its label. */
  readonly label: { readonly x: number; readonly y: number; readonly width: number }
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: ReadonlyArray<PlacedNode>
  readonly servers: ReadonlyArray<PlacedServer>
  readonly edges: ReadonlyArray<PlacedEdge>
}

export const size = { width: 176, height: 52, column: 336, row: 30, margin: 24, head: 26, pad: 12, part: 14 } as const

interface Column {
  readonly height: number
  readonly nodes: ReadonlyArray<PlacedNode>
  readonly servers: ReadonlyArray<PlacedServer>
}

/** Runs of neighbours on the same server; everybody else alone. */
const groupsOf = (nodes: ReadonlyArray<Node>): ReadonlyArray<ReadonlyArray<Node>> => {
  const groups: Array<Array<Node>> = []
  for (const node of nodes) {
    const last = groups.at(-1)
    if (last !== undefined && node.server !== null && last[0]!.server === node.server) last.push(node)
    else groups.push([node])
  }
  return groups
}

/** One column from 0 downwards; a server's box has a head and a rim. */
const stack = (column: ReadonlyArray<Node>, x: number): Column => {
  const nodes: Array<PlacedNode> = []
  const servers: Array<PlacedServer> = []
  let y = 0
  for (const group of groupsOf(column)) {
    const from = y
    const { server } = group[0]!
    if (server !== null) y += size.head
    for (const node of group) {
      nodes.push({ node, x, y, width: size.width, height: size.height })
      y += size.height + size.row
    }
    if (server === null) continue
    y += size.pad
    const rim = { x: x - size.pad, width: size.width + 2 * size.pad }
    servers.push({ name: server, ...rim, y: from, height: y - from - size.row })
  }
  return { nodes, servers, height: Math.max(0, y - size.row) }
}

/** How wide the pictures and numbers beside an arrow are. */
const labelWidth = (edge: Edge): number =>
  partsOf(edge.counts).reduce((sum, { count }) => sum + size.part + 4 + short(count).length * 7.2 + 8, 8)

/** Beneath both, for a call of itself or back to a caller. */
const backward = (from: Rect, to: Rect): readonly [path: string, x: number, y: number] => {
  const [x1, y1, x2, y2] = [from.x + from.width * 0.7, from.y + from.height, to.x + to.width * 0.3, to.y + to.height]
  const below = Math.max(y1, y2) + size.row
  return [`M${x1} ${y1}C${x1} ${below} ${x2} ${below} ${x2} ${y2}`, (x1 + x2) / 2, (y1 + y2) / 8 + below * 0.75]
}

const onward = (from: Rect, to: Rect, width: number): readonly [path: string, x: number, y: number] => {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2]
  const bend = Math.max(48, (x2 - x1) / 2)
  // before its target, where arrows of one caller have parted, and between the columns however far the arrow comes
  const x = x2 - Math.max(64, width / 2 + 16)
  const along = (x - x1) / (x2 - x1)
  const eased = along * along * (3 - 2 * along)
  return [`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, x, y1 + (y2 - y1) * eased]
}

const placeEdge = (edge: Edge, from: Rect, to: Rect): PlacedEdge => {
  const width = labelWidth(edge)
  const [path, x, y] = to.x > from.x ? onward(from, to, width) : backward(from, to)
  return { edge, path, label: { x, y, width } }
}

/** How far the middles of two labels are apart at least, one above the other. */
const labelRow = 28

/** Moves labels down that lie on another one. */
const apart = (edges: ReadonlyArray<PlacedEdge>): ReadonlyArray<PlacedEdge> => {
  const labels = new Map(edges.map(({ edge, label }) => [edge, { ...label }]))
  const sorted = [...labels.values()].sort((a, b) => a.y - b.y)
  for (const [at, label] of sorted.entries()) {
    for (const above of sorted.slice(0, at)) {
      if (Math.abs(above.x - label.x) < (above.width + label.width) / 2) label.y = Math.max(label.y, above.y + labelRow)
    }
  }
  return edges.map((placed) => ({ ...placed, label: labels.get(placed.edge)! }))
}

export const layoutOf = (graph: Graph): Layout => {
  const columns = layersOf(graph).map((nodes, at) => stack(nodes, size.margin + at * size.column))
  const tallest = Math.max(0, ...columns.map(({ height }) => height))
  const down = (height: number) => size.margin + (tallest - height) / 2
  const moved = <A extends Rect>(rects: ReadonlyArray<A>, by: number) =>
    rects.map((rect) => ({ ...rect, y: rect.y + by }))
  const nodes = columns.flatMap((column) => moved(column.nodes, down(column.height)))
  const rects = new Map(nodes.map((placed) => [placed.node.id, placed]))
  const edges = apart(graph.edges.map((edge) => placeEdge(edge, rects.get(edge.from)!, rects.get(edge.to)!)))
  const hasBackward = edges.some(({ edge }) => rects.get(edge.to)!.x <= rects.get(edge.from)!.x)
  return {
    nodes,
    edges,
    servers: columns.flatMap((column) => moved(column.servers, down(column.height))),
    width: Math.max(0, columns.length - 1) * size.column + size.width + 2 * size.margin,
    height: tallest + 2 * size.margin + (hasBackward ? size.row : 0)
  }
}
