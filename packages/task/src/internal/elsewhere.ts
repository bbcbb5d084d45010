/**
 * Asks the other Coppices that work on a tree for their parts of it, all at once and none for long.
 */
import * as Effect from "effect/Effect"
import { type Elsewhere, moved, nothing, together } from "../LiveTree.ts"
import { isTerminal } from "../Task.ts"
import type { Tasks } from "../Tasks.ts"
import type { TaskStore } from "../TaskStore.ts"
import type { Looked, Workers } from "../Worker.ts"

/** Tasks whose servers are asked in one look. */
const mostAsked = 50

const partOf = (task: string, looked: Looked | undefined): Elsewhere => {
  if (looked === undefined) return nothing
  const { server } = looked
  return looked._tag === "Away"
    ? { nodes: [], away: [{ task, server, since: looked.since, message: looked.message }] }
    : moved(task, server, looked.tree)
}

export const make = (
  { store, workers }: { readonly store: TaskStore["Service"]; readonly workers: Workers["Service"] }
): Pick<Tasks["Service"], "elsewhere"> => ({
  elsewhere: Effect.fn("Tasks.elsewhere")(function*(id, wait) {
    const rows = yield* store.subtree(id)
    const stands = rows.flatMap(({ state: { agent, id, status } }) => {
      const look = isTerminal(status) ? undefined : workers.find(agent)?.look
      return look === undefined ? [] : [Effect.map(look(id, wait), (looked) => partOf(id, looked))]
    })
    const parts = yield* Effect.all(stands.slice(0, mostAsked), { concurrency: "unbounded" })
    return together(parts, Math.max(0, stands.length - mostAsked))
  })
})
