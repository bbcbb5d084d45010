/**
 * `coppice ps`: what runs, and what ran last.
 */
import type { TaskStatus } from "@coppice/api/Api"
import * as Effect from "effect/Effect"
import { Connection, now } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { line, muted } from "../Line.ts"
import { runsTable } from "../RunsTable.ts"

export interface Options {
  readonly status: ReadonlyArray<TaskStatus>
  readonly agent: string | undefined
  readonly limit: number
  /** Every task, not only the roots. */
  readonly tasks: boolean
  readonly json: boolean
}

const mostActive = 500
const active: ReadonlyArray<TaskStatus> = ["working", "input_required"]
const ended: ReadonlyArray<TaskStatus> = ["completed", "failed", "cancelled"]

/** What is active whatever its age, then the newest of what has ended; a chosen status is just a filter. */
export const load = Effect.fnUntraced(function*({ agent, limit, status, tasks }: Omit<Options, "json">) {
  const { call, client } = yield* Connection
  const filter = { ...(tasks ? {} : { roots: true }), ...(agent === undefined ? {} : { agent }) }
  const page = (status: ReadonlyArray<TaskStatus>, limit: number) =>
    call(client.tasks.list({ query: { ...filter, status, limit } }))
  const { questions } = yield* call(client.inbox.list({ query: {} }))
  if (status.length > 0) {
    const { next, tasks } = yield* page(status, limit)
    return { tasks, questions, isMore: next !== null }
  }
  const [running, over] = yield* Effect.all([page(active, mostActive), page(ended, limit)], { concurrency: 2 })
  return { tasks: [...running.tasks, ...over.tasks], questions, isMore: over.next !== null }
})

export const ps = Effect.fn("ps")(function*(options: Options) {
  const { out } = yield* Host
  const { isMore, questions, tasks } = yield* load(options)
  if (options.json) return writeJson(out, { tasks, questions })
  writeLines(out, runsTable({ tasks, questions }, { now: yield* now, width: out.columns() }))
  if (isMore && out.isTty) writeLines(out, [line(muted(`… older ones: coppice ps --limit ${options.limit * 5}`))])
})
