/**
 * In which column each node stands, and in which order: callers left of those they call, few arrows crossing.
 *
 * Circles are allowed: the call that closes one does not count. Agents of one server share a column and stand together, so
 * that a box can be drawn around them.
 */
import type { Edge, Graph, Node } from "./Graph.ts"

type Ids = ReadonlyArray<string>

const targetsOf = (edges: ReadonlyArray<Edge>): ReadonlyMap<string, Ids> => {
  const targets = new Map<string, Array<string>>()
  for (const { from, to } of edges) targets.set(from, [...targets.get(from) ?? [], to])
  return targets
}

/** Calls that close no circle. Nodes that nobody calls are begun with. */
const forward = ({ edges, nodes }: Graph): ReadonlyArray<Edge> => {
  const targets = targetsOf(edges)
  const called = new Set(edges.map(({ to }) => to))
  const state = new Map<string, "open" | "done">()
  const closing = new Set<string>()
  const visit = (id: string): void => {
    state.set(id, "open")
    for (const to of targets.get(id) ?? []) {
      if (state.get(to) === "open") closing.add(JSON.stringify([id, to]))
      else if (!state.has(to)) visit(to)
    }
    state.set(id, "done")
  }
  const first = nodes.toSorted((a, b) => Number(called.has(a.id)) - Number(called.has(b.id)))
  for (const { id } of first) if (!state.has(id)) visit(id)
  return edges.filter(({ from, to }) => !closing.has(JSON.stringify([from, to])))
}

/** The length of the longest way to each node. */
const depths = (nodes: ReadonlyArray<Node>, edges: ReadonlyArray<Edge>): Map<string, number> => {
  const sources = new Map<string, Array<string>>()
  for (const { from, to } of edges) sources.set(to, [...sources.get(to) ?? [], from])
  const known = new Map<string, number>()
  const depthOf = (id: string): number => {
    const found = known.get(id)
    if (found !== undefined) return found
    const depth = (sources.get(id) ?? []).reduce((most, from) => Math.max(most, depthOf(from) + 1), 0)
    known.set(id, depth)
    return depth
  }
  for (const { id } of nodes) depthOf(id)
  return known
}

const mean = (values: ReadonlyArray<number>, otherwise: number): number =>
  values.length === 0 ? otherwise : values.reduce((sum, value) => sum + value, 0) / values.length

/** A column in the order of where its neighbours stand; a server's agents together. */
const reordered = (column: ReadonlyArray<Node>, placeOf: (id: string) => number, neighbours: (id: string) => Ids) => {
  const wish = new Map(column.map(({ id }, at) => [id, mean(neighbours(id).map(placeOf), at)]))
  const groups = new Map<string, Array<Node>>()
  for (const node of column) {
    const group = node.server === null ? `agent ${node.id}` : `server ${node.server}`
    groups.set(group, [...groups.get(group) ?? [], node])
  }
  const wishes = (nodes: ReadonlyArray<Node>) => mean(nodes.map(({ id }) => wish.get(id)!), 0)
  return [...groups.values()]
    .map((nodes) => nodes.toSorted((a, b) => wish.get(a.id)! - wish.get(b.id)!))
    .toSorted((a, b) => wishes(a) - wishes(b))
    .flat()
}

const sweeps = 8

type Columns = ReadonlyArray<ReadonlyArray<Node>>

const placesIn = (columns: Columns): ReadonlyMap<string, readonly [column: number, at: number]> =>
  new Map(columns.flatMap((column, x) => column.map(({ id }, at) => [id, [x, (at + 0.5) / column.length]] as const)))

/** How many pairs of arrows between the same two columns cross. */
const crossings = (columns: Columns, edges: ReadonlyArray<Edge>): number => {
  const places = placesIn(columns)
  const lines = edges.map(({ from, to }) => [places.get(from)!, places.get(to)!] as const)
  return lines.reduce(
    (sum, [a, b], at) =>
      sum +
      lines.slice(at + 1).filter(([c, d]) => a[0] === c[0] && b[0] === d[0] && (a[1] - c[1]) * (b[1] - d[1]) < 0)
        .length,
    0
  )
}

const swept = (columns: Columns, edges: ReadonlyArray<Edge>, isDown: boolean): Columns => {
  const places = placesIn(columns)
  const neighbours = (id: string) =>
    edges.flatMap(({ from, to }) => isDown && to === id ? [from] : !isDown && from === id ? [to] : [])
  return columns.map((column) => reordered(column, (id) => places.get(id)?.[1] ?? 0, neighbours))
}

/** Columns from left to right, each from top to bottom. */
export const layersOf = (graph: Graph): Columns => {
  const edges = forward(graph)
  const depth = depths(graph.nodes, edges)
  for (const { id, server } of graph.nodes) {
    if (server === null) continue
    const together = graph.nodes.filter((other) => other.server === server)
    depth.set(id, Math.max(...together.map((other) => depth.get(other.id)!)))
  }
  const count = Math.max(-1, ...depth.values()) + 1
  let columns: Columns = Array.from({ length: count }, (_, at) => graph.nodes.filter(({ id }) => depth.get(id) === at))
  let best = { columns, crossings: Infinity }
  for (let sweep = 0; sweep < sweeps && best.crossings > 0; sweep++) {
    columns = swept(columns, edges, sweep % 2 === 0)
    const found = crossings(columns, edges)
    if (found < best.crossings) best = { columns, crossings: found }
  }
  return best.columns.filter((column) => column.length > 0)
}
