/**
 * A tree as it is now, with the parts of it that run on other Coppices.
 *
 * Nothing of another service is kept here: it is asked when somebody looks. Its tasks hang below the task that stands for
 * them, their ids and servers named by the way they are reached, as those of a `CancelReport`: `far/01kb…`.
 */
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { Task } from "./Task.ts"

const { agent, attempt, createdAt, deadline, endedAt, progress, reason, settlement, status, statusMessage } =
  Task.fields

/** One task. Times are Unix milliseconds. */
export const TreeNode = Schema.Struct({
  id: Schema.String,
  /** The task it is below. `null` for the root. */
  parent: Schema.NullOr(Schema.String),
  agent,
  status,
  statusMessage,
  reason,
  attempt,
  progress,
  createdAt,
  endedAt,
  deadline,
  settlement,
  /** The MCP server that told of it; left out for tasks of this process. */
  server: Schema.optionalKey(Schema.String)
})
export type TreeNode = typeof TreeNode.Type

/** A server that does not tell of its part of the tree now. */
export const Away = Schema.Struct({
  /** The task whose work it does. */
  task: Schema.String,
  server: Schema.String,
  /** Since when it does not answer, as far as that was noticed. */
  since: Schema.Finite,
  message: Schema.String
})
export type Away = typeof Away.Type

/** What others tell. */
export const Elsewhere = Schema.Struct({
  nodes: Schema.Array(TreeNode),
  away: Schema.Array(Away),
  /** Tasks that are not listed, or whose servers were not asked, because there are too many of them. */
  omitted: Schema.optionalKey(Schema.Int)
}).annotate({ identifier: "Elsewhere" })
export type Elsewhere = typeof Elsewhere.Type

export const nothing: Elsewhere = { nodes: [], away: [] }

export const nodeOf: (task: Task) => TreeNode = Struct.pick([
  "id",
  "parent",
  "agent",
  "status",
  "statusMessage",
  "reason",
  "attempt",
  "progress",
  "createdAt",
  "endedAt",
  "deadline",
  "settlement"
])

/** The same, told by a server that does the work of the task `below`. */
export const moved = (below: string, server: string, { away, nodes, omitted }: Elsewhere): Elsewhere => {
  const known = new Set(nodes.map(({ id }) => id))
  const via = (name: string) => `${server}/${name}`
  return {
    nodes: nodes.map((node) => ({
      ...node,
      id: via(node.id),
      parent: node.parent !== null && known.has(node.parent) ? via(node.parent) : below,
      server: node.server === undefined ? server : via(node.server)
    })),
    away: away.map((one) => ({ ...one, task: via(one.task), server: via(one.server) })),
    ...omitted === undefined ? {} : { omitted }
  }
}

export const together = (parts: ReadonlyArray<Elsewhere>, more = 0): Elsewhere => {
  const omitted = parts.reduce((sum, part) => sum + (part.omitted ?? 0), more)
  return {
    nodes: parts.flatMap(({ nodes }) => nodes),
    away: parts.flatMap(({ away }) => away),
    ...omitted === 0 ? {} : { omitted }
  }
}
