/**
 * Fires what is due: the timers of sleeping tasks, the deadlines of all, what is due of open questions, and the next
 * telling of a server that has not answered a cancellation.
 *
 * The store is the heap; memory holds only the time of the next one, so a hundred thousand sleeping tasks cost rows.
 * A timer never fires early; it fires late by at most one commit and the event loop's lag.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { dueAt, openInput, questionOf, standingOf } from "./internal/asking.ts"
import { Settler } from "./Settler.ts"
import type { TaskEvent } from "./TaskEvent.ts"
import { type Entry, TaskLog } from "./TaskLog.ts"
import { Tasks } from "./Tasks.ts"
import { settlementTimer, TaskStore, type Timer } from "./TaskStore.ts"

const page = 1_000

/** Timers that moved on without firing, for example because the store was unavailable, are looked at again after this. */
const patience = 60_000

/** When the clock has to be looked at because of this fact. */
const dueOf = (event: TaskEvent): number => {
  switch (event._tag) {
    case "TimerSet":
      return event.due
    case "Created":
    case "Steered":
      return event.deadline ?? Infinity
    case "InputRequested":
      return dueAt(event.request, undefined)
    case "Settled":
      return event.retryAt ?? Infinity
    default:
      return Infinity
  }
}

export const layer: Layer.Layer<never, never, TaskStore | TaskLog | Tasks | Settler> = Layer.effectDiscard(
  Effect.gen(function*() {
    const store = yield* TaskStore
    const log = yield* TaskLog
    const tasks = yield* Tasks
    const settler = yield* Settler
    let next = 0
    let earlier = yield* Deferred.make<void>()

    const stop = log.onCommit((events) => {
      for (const { event } of events) {
        const due = dueOf(event)
        if (due < next) {
          next = due
          Deferred.doneUnsafe(earlier, Effect.void)
        }
      }
    })
    yield* Effect.addFinalizer(() => Effect.sync(stop))

    /** Does what is due of a question. A timer that finds nothing to do is one of a question that has changed. */
    const tend = (entry: Entry, timer: Timer, key: string): void => {
      const tended = log.dispatch(entry, { _tag: "TendInput", key, now: log.now() })
      if (Result.isSuccess(tended) && tended.success.length > 0) return
      const request = openInput(entry.state, key)
      const due = request === undefined ? Infinity : dueAt(request, standingOf(entry.state, key))
      if (due === Infinity) log.clearTimer(timer.task, timer.key)
      else log.moveTimer(timer.task, timer.key, due)
    }

    const wake = (entry: Entry, timer: Timer): void => {
      const question = questionOf(timer.key)
      if (question !== undefined) return tend(entry, timer, question)
      const fired = log.dispatch(entry, { _tag: "FireTimer", key: timer.key })
      if (Result.isFailure(fired)) log.clearTimer(timer.task, timer.key)
    }

    const fire = Effect.fnUntraced(function*(timer: Timer) {
      if (timer.key === "deadline") return yield* tasks.expire(timer.task)
      if (timer.key === settlementTimer) return yield* settler.again(timer.task)
      const entry = yield* log.acquire(timer.task)
      if (entry === undefined) return log.clearTimer(timer.task, timer.key)
      wake(entry, timer)
      log.release(entry)
    })

    const fireDue = Effect.gen(function*() {
      while (true) {
        const due = yield* store.timersDue(log.now(), page)
        yield* Effect.forEach(due, fire, { discard: true })
        yield* log.barrier
        if (due.length < page) return
      }
    })

    const loop = Effect.gen(function*() {
      while (true) {
        earlier = yield* Deferred.make<void>()
        next = Infinity
        next = Math.min(next, (yield* store.nextTimer) ?? Infinity)
        const wait = Math.min(next - (yield* Clock.currentTimeMillis), patience)
        if (wait > 0) yield* Effect.timeoutOption(Deferred.await(earlier), wait)
        yield* fireDue
      }
    })
    yield* loop.pipe(
      Effect.tapError((error) => Effect.logWarning("Timers wait for the store", error.message)),
      Effect.ignore,
      Effect.andThen(Effect.sleep("1 second")),
      Effect.repeat({ while: () => log.stoppedBy === undefined }),
      Effect.forkScoped
    )
  })
)
