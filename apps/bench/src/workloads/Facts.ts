/**
 * Waiting for the log instead of asking it.
 */
import type { TaskEventType } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** From now on counts durable facts of a kind; what it succeeds with waits until there are as many as wanted. */
export const factsOf = Effect.fnUntraced(function*(kind: TaskEventType, wanted: number) {
  const log = yield* TaskLog
  const done = yield* Deferred.make<void>()
  let count = 0
  const stop = log.onCommit((events) => {
    for (const { event } of events) if (event._tag === kind) count++
    if (count >= wanted) Deferred.doneUnsafe(done, Effect.void)
  })
  return Effect.ensuring(Deferred.await(done), Effect.sync(stop))
})
