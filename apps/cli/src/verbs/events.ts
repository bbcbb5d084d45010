/**
 * `coppice events <id>`: what happened, fact by fact; with `--follow` also what happens from now on.
 */
import type { Envelope, Task } from "@coppice/api/Api"
import { largestPage } from "@coppice/api/TasksApi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Connection } from "../Connection.ts"
import { eventLine } from "../EventLine.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { fit } from "../Line.ts"

export interface Options {
  readonly id: string
  readonly follow: boolean
  /** Only facts after this place in the log. */
  readonly since: number
  readonly json: boolean
}

/** Prints facts; it learns the agents' names from the facts themselves. */
export const printer = Effect.fnUntraced(function*(json: boolean, known: Iterable<readonly [string, string]>) {
  const { out } = yield* Host
  const agents = new Map(known)
  return Effect.fnUntraced(function*(envelope: Envelope) {
    if (json) return writeJson(out, envelope)
    const now = yield* Clock.currentTimeMillis
    if (envelope.event._tag === "Created") agents.set(envelope.task, envelope.event.agent)
    const spans = eventLine(envelope, agents.get(envelope.task), now)
    writeLines(out, [out.isTty ? fit(spans, out.columns()) : spans])
  })
})

/** A task that has come to rest adds nothing to the log; a run neither, once its root has. */
const isLast = (envelope: Envelope, id: string): boolean => {
  if (envelope.task !== id) return false
  const { event } = envelope
  if (event._tag === "Failed") return ["agent_error", "defect", "replay_mismatch"].includes(event.reason)
  return event._tag === "Completed" || event._tag === "Settled"
}

/** Prints the stored facts of a task (of the whole tree when it is a run) after `from`, and tells where they end. */
const printStored = Effect.fnUntraced(function*(
  task: Task,
  from: number,
  print: (envelope: Envelope) => Effect.Effect<void>
) {
  const { call, client } = yield* Connection
  let since = from
  let isOver = task.settlement !== null
  while (true) {
    const query = { since, limit: largestPage, of: task.parent === null ? "tree" : "task" } as const
    const page = yield* call(client.tasks.events({ params: { id: task.id }, query }))
    for (const envelope of page.events) {
      isOver ||= isLast(envelope, task.id)
      yield* print(envelope)
    }
    since = page.next
    if (!page.more) return { since, isOver }
  }
})

export const events = Effect.fn("events")(function*(options: Options) {
  const { call, client, facts } = yield* Connection
  const task = yield* call(client.tasks.get({ params: { id: options.id } }))
  const { tasks } = yield* call(client.tasks.tree({ params: { id: task.id }, query: { elsewhere: false } }))
  const print = yield* printer(options.json, tasks.map(({ agent, id }) => [id, agent]))
  const { isOver, since } = yield* printStored(task, options.since, print)
  if (!options.follow || isOver) return
  const what = task.parent === null ? { run: task.id } : { task: task.id }
  yield* facts({ ...what, since }).pipe(
    Stream.tap(print),
    Stream.takeUntil((envelope) => isLast(envelope, task.id)),
    Stream.runDrain
  )
})
