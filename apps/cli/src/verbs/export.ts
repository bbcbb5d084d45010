/**
 * `coppice export <run>`: every fact of a run, one a line, for `coppice replay` and for keeping.
 */
import type { Envelope } from "@coppice/api/Api"
import { largestPage } from "@coppice/api/TasksApi"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { Connection } from "../Connection.ts"
import { badInput } from "../Failure.ts"
import { Host, writeLines } from "../Host.ts"
import { line, muted } from "../Line.ts"

export interface Options {
  readonly id: string
  readonly output: string | undefined
}

/** All facts of the run the task belongs to. */
export const exported = Effect.fnUntraced(function*(id: string) {
  const { call, client } = yield* Connection
  const { run } = yield* call(client.tasks.get({ params: { id } }))
  const events: Array<Envelope> = []
  for (let since = 0, more = true; more;) {
    const query = { since, limit: largestPage, of: "tree" } as const
    const page = yield* call(client.tasks.events({ params: { id: run }, query }))
    events.push(...page.events)
    since = page.next
    more = page.more
  }
  return { run, events }
})

export const exportRun = Effect.fn("export")(function*({ id, output }: Options) {
  const { cwd, err, out } = yield* Host
  const { events, run } = yield* exported(id)
  const text = events.map((envelope) => `${JSON.stringify(envelope)}\n`).join("")
  if (output === undefined) return out.write(text)
  yield* Effect.try({
    try: () => writeFileSync(resolve(cwd, output), text, { mode: 0o600 }),
    catch: (cause) => badInput(`--output: ${String(cause).split("\n")[0]}`)
  })
  writeLines(err, [line(muted(`${events.length} facts of run ${run} in ${output}`))])
})
