/**
 * What can be known of tasks: committed facts only, at once or as they come.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { AuditEntry } from "../Audit.ts"
import { isTerminal, type Task, type TaskId } from "../Task.ts"
import { AmbiguousId, TaskNotFound } from "../TaskError.ts"
import type { Envelope } from "../TaskEvent.ts"
import { isTaskId } from "../TaskIds.ts"
import type { TaskLog } from "../TaskLog.ts"
import type { Tasks, Watch } from "../Tasks.ts"
import type { StoreError, TaskRow, TaskStore } from "../TaskStore.ts"
import { brokenAt } from "./auditing.ts"
import { type Bells, makeBells } from "./bells.ts"
import { span } from "./span.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
}

/** How many facts a watcher reads at once: what bounds a slow reader's memory. */
const watchPage = 500

const followed = ({ store }: Services, bells: Bells) => {
  /** The next facts after `since`, at once or when they come. The bell hangs before it reads, so nothing is missed. */
  const next = Effect.fnUntraced(function*(query: Watch, since: number) {
    while (true) {
      const page = yield* bells.onFact(query, (bell) =>
        Effect.tap(
          store.events({ ...query, since, limit: watchPage }),
          (page) => page.length === 0 ? Effect.asVoid(Deferred.await(bell)) : Effect.void
        ))
      if (page.length > 0) return [page, page.at(-1)!.seq] as const
    }
  })
  return (query: Watch): Stream.Stream<Envelope, StoreError> =>
    Stream.unfold(query.since, (since) => next(query, since)).pipe(Stream.flatMap(Stream.fromIterable))
}

/** How many entries of the audit are read at once. */
const auditPage = 1_000

/** From the newest down, a page at a time; each page ends with the entry the next one begins below. */
const auditCheck = (store: TaskStore["Service"]): Tasks["Service"]["auditCheck"] =>
  Effect.gen(function*() {
    let [entries, newest, above, broken]: [number, AuditEntry | null, ReadonlyArray<AuditEntry>, AuditEntry | null] = [
      0,
      null,
      [],
      null
    ]
    while (true) {
      const page = (yield* store.audit({ before: above[0]?.n, limit: auditPage })).toReversed()
      entries += page.length
      newest ??= page.at(-1) ?? null
      broken = brokenAt([...page, ...above]) ?? broken
      if (page.length < auditPage) return { entries, oldest: page[0] ?? above[0] ?? null, newest, broken }
      above = page.slice(0, 1)
    }
  })

export const make = Effect.fnUntraced(function*(services: Services) {
  const { log, store } = services
  const bells = makeBells(services.log)
  yield* Effect.addFinalizer(() => Effect.sync(bells.close))

  const load = Effect.fnUntraced(function*(id: TaskId): Effect.fn.Return<TaskRow, TaskNotFound | StoreError> {
    const row = yield* store.load(id)
    return row === undefined ? yield* new TaskNotFound({ id }) : row
  })

  const outcome = Effect.fnUntraced(function*(id: TaskId) {
    const row = yield* load(id)
    const ending = isTerminal(row.state.status) ? yield* store.ending(id) : undefined
    return ending === undefined ? undefined : { task: row.state, ending }
  })

  const inSpan = span("Tasks.result")
  const result: Tasks["Service"]["result"] = (id) =>
    inSpan(bells.onEnd(id, (bell) =>
      Effect.gen(function*() {
        const ended = log.isUnderWay(id) ? undefined : yield* outcome(id)
        if (ended !== undefined) return ended
        return (yield* Deferred.await(bell)) ?? (yield* outcome(id))!
      })))

  const resolve: Tasks["Service"]["resolve"] = Effect.fn("Tasks.resolve")(function*(prefix) {
    const text = prefix.toLowerCase()
    if (isTaskId(text)) return text
    const candidates = yield* store.findIds(text, 6)
    if (candidates.length === 0) return yield* new TaskNotFound({ id: prefix })
    if (candidates.length > 1) return yield* new AmbiguousId({ prefix, candidates })
    return candidates[0]!
  })

  const tree: Tasks["Service"]["tree"] = (id) =>
    Effect.flatMap(
      store.subtree(id),
      (rows) =>
        rows.length === 0 ? Effect.fail(new TaskNotFound({ id })) : Effect.succeed(rows.map((row) => row.state as Task))
    )

  const input: Tasks["Service"]["input"] = (id) =>
    Effect.flatMap(
      store.input(id),
      (input) => input === undefined ? Effect.fail(new TaskNotFound({ id })) : Effect.succeed(input)
    )

  const list: Tasks["Service"]["list"] = (query) =>
    Effect.map(store.list(query), (rows) => rows.map((row) => row.state as Task))

  const inbox: Tasks["Service"]["inbox"] = ({ limit, run }) => store.openInputs({ run, limit: limit ?? 1_000 })

  return {
    get: (id: TaskId) => Effect.map(load(id), (row) => row.state as Task),
    resolve,
    list,
    tree,
    input,
    result,
    events: store.events,
    watch: followed(services, bells),
    inbox,
    artifact: store.artifact,
    calls: store.calls,
    audit: store.audit,
    auditCheck: auditCheck(store)
  }
})
