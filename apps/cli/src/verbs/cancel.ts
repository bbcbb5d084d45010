/**
 * `coppice cancel <id>`: stops a task and everything below it. With `--report` it waits until all of it is at rest, with
 * `--preview` it tells what would stop and changes nothing.
 */
import { type CancelReport, longestWait } from "@coppice/api/TasksApi"
import * as Effect from "effect/Effect"
import { Connection, now } from "../Connection.ts"
import { exitCodes, type Failure, silent } from "../Failure.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { line, muted, span } from "../Line.ts"
import { previewLines } from "../PreviewLines.ts"
import { isClean, reportLines, summary } from "../ReportLines.ts"

export interface Options {
  readonly id: string
  readonly reason: string | undefined
  readonly report: boolean
  readonly preview: boolean
  readonly json: boolean
}

/** Waits until nothing runs any more that can be reached, in as many requests as it takes. */
const atRest = Effect.fnUntraced(function*(first: CancelReport) {
  const { call, client } = yield* Connection
  let report = first
  while (report.totals.stopping > 0) {
    yield* Effect.sleep("100 millis") // a service that stops answers at once
    report = yield* call(client.tasks.cancelReport({ params: { id: first.task }, query: { wait: longestWait } }))
  }
  return report
})

/** Cancels. Asked for the report of what was cancelled before, that is no mistake. */
const begin = Effect.fnUntraced(function*({ id, reason, report }: Options) {
  const { call, client } = yield* Connection
  const cancelled = call(client.tasks.cancel({ params: { id }, payload: reason === undefined ? {} : { reason } }))
  if (!report) return yield* cancelled
  const before = Effect.fnUntraced(function*(failure: Failure) {
    const task = yield* call(client.tasks.get({ params: { id } }))
    if (task.status !== "cancelled") return yield* failure
    return yield* call(client.tasks.cancelReport({ params: { id }, query: {} }))
  })
  return yield* Effect.catchIf(cancelled, ({ code }) => code === "already_ended", before)
})

const preview = Effect.fnUntraced(function*({ id, json }: Options) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const preview = yield* call(client.tasks.cancelPreview({ params: { id } }))
  if (json) writeJson(out, preview)
  else writeLines(out, previewLines(preview))
})

export const cancel = Effect.fn("cancel")(function*(options: Options) {
  const { json, report } = options
  if (options.preview) return yield* preview(options)
  const { err, out } = yield* Host
  const first = yield* begin(options)
  if (!report) {
    if (json) return writeJson(out, first)
    writeLines(out, [line(span("⊘ ", "wait"), `Cancelled ${first.task}: `, ...summary(first))])
    if (!first.converged) {
      writeLines(out, [line(muted(`  what is still stopping is reported by: coppice cancel ${first.task} --report`))])
    }
    return
  }
  const isWaiting = first.totals.stopping > 0
  if (isWaiting && !json) writeLines(err, [line(muted("Cancelled; waiting until everything is at rest"))])
  const last = yield* atRest(first)
  if (json) writeJson(out, last)
  else writeLines(out, reportLines(last, yield* now))
  if (!isClean(last)) return yield* silent(exitCodes.failedTask)
})
