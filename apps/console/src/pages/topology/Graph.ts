/**
 * Who calls whom as a graph: a node for every agent that was called, and one for where runs come from.
 */
import type { Topology } from "@coppice/api/AgentsApi"
import { add, type Counts } from "./Counts.ts"

/** Where runs come from; no agent can be called that. */
export const outside = " outside"

export interface Node {
  readonly id: string
  readonly server: string | null
  /** Its own tasks, whoever called them. */
  readonly counts: Counts
}

export interface Edge {
  readonly from: string
  readonly to: string
  readonly counts: Counts
}

export interface Graph {
  readonly nodes: ReadonlyArray<Node>
  readonly edges: ReadonlyArray<Edge>
  /** Agents nobody has called among those tasks. */
  readonly idle: ReadonlyArray<Pick<Node, "id" | "server">>
}

export const graphOf = ({ agents, calls }: Topology): Graph => {
  const edges = calls.map(({ counts, from, to }) => ({ from: from ?? outside, to, counts }))
  const servers = new Map(agents.map(({ name, server }) => [name, server]))
  const counts = new Map<string, Counts>()
  for (const edge of edges) {
    if (!counts.has(edge.from)) counts.set(edge.from, {})
    counts.set(edge.to, add(counts.get(edge.to) ?? {}, edge.counts))
  }
  const nodes = [...counts].map(([id, own]) => ({ id, server: servers.get(id) ?? null, counts: own }))
  const idle = agents.filter(({ name }) => !counts.has(name)).map(({ name, server }) => ({ id: name, server }))
  return { nodes, edges, idle }
}
