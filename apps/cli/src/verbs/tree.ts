/**
 * `coppice tree <id>`: a task and everything below it.
 */
import * as Effect from "effect/Effect"
import { budgetLine } from "../BudgetLine.ts"
import { Connection, now } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { fit } from "../Line.ts"
import { awayLines, treeLines } from "../Tree.ts"

export interface Options {
  readonly id: string
  readonly json: boolean
}

export const tree = Effect.fn("tree")(function*({ id, json }: Options) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const tree = yield* call(client.tasks.tree({ params: { id }, query: {} }))
  if (json) return writeJson(out, tree)
  const root = tree.tasks.find(({ id }) => id === tree.root)
  const budget = root === undefined ? undefined : budgetLine(root)
  const { elsewhere = { nodes: [], away: [] } } = tree
  const at = yield* now
  const lines = [...treeLines([...tree.tasks, ...elsewhere.nodes], { now: at }), ...awayLines(elsewhere, at)]
  writeLines(out, [...lines, ...budget === undefined ? [] : [budget]].map((spans) => fit(spans, out.columns())))
})
