import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { TaskId } from "../Task.ts"
import { type Envelope, isEnding, type TaskEvent } from "../TaskEvent.ts"
import type { TaskLog } from "../TaskLog.ts"
import type { Outcome } from "../Tasks.ts"
import { StoreError } from "../TaskStore.ts"

/** Rung once: by the commit it waits for, or by the end of the log. */
export type Bell = Deferred.Deferred<Outcome | undefined, StoreError>

/** Which part of the log somebody follows. */
export interface Concern {
  readonly run?: TaskId | undefined
  readonly task?: TaskId | undefined
}

const concerns = ({ run, task }: Concern, envelope: Envelope): boolean =>
  (run === undefined || envelope.run === run) && (task === undefined || envelope.task === task)

/**
 * Who waits for facts that are not committed yet. Waiting for one task's end costs the same however many others are
 * waited for.
 */
export const makeBells = (log: TaskLog["Service"]) => {
  const ends = new Map<TaskId, Set<Bell>>()
  const followers = new Map<Bell, Concern>()
  let closed: StoreError | undefined

  const ring = (bell: Bell, outcome?: Outcome): boolean =>
    Deferred.doneUnsafe(bell, closed === undefined ? Effect.succeed(outcome) : Effect.fail(closed))

  /** The outcome, when it is final: a task that ended by itself has settled with that fact, and never changes again. */
  const outcomeOf = (id: TaskId, ending: TaskEvent): Outcome | undefined => {
    const entry = log.resident(id)
    if (entry === undefined || entry.settledSeq === null || entry.settledSeq !== entry.endedSeq) return undefined
    return { task: entry.state, ending }
  }

  const close = (error: StoreError): void => {
    closed = error
    for (const bell of [...ends.values()].flatMap((bells) => [...bells])) ring(bell)
    for (const bell of Array.from(followers.keys())) ring(bell)
  }

  // copies: whoever is told takes itself out and, following on, may put itself in again
  const stopHearing = log.onCommit((events) => {
    for (const [bell, concern] of Array.from(followers)) {
      if (events.some((envelope) => concerns(concern, envelope))) ring(bell)
    }
    if (ends.size === 0) return
    for (const { event, task } of events) {
      if (!isEnding(event._tag)) continue
      const bells = ends.get(task)
      if (bells !== undefined) { for (const bell of Array.from(bells)) ring(bell, outcomeOf(task, event)) }
    }
  })
  const stopListening = log.onStop(close)

  const hang = (add: (bell: Bell) => void) =>
    Effect.sync((): Bell => {
      const bell = Deferred.makeUnsafe<Outcome | undefined, StoreError>()
      if (closed === undefined) add(bell)
      else ring(bell)
      return bell
    })

  const takeEnd = (id: TaskId, bell: Bell): void => {
    const bells = ends.get(id)
    bells?.delete(bell)
    if (bells?.size === 0) ends.delete(id)
  }

  return {
    /** Uses a bell that the task's end rings. */
    onEnd: <A, E>(id: TaskId, use: (bell: Bell) => Effect.Effect<A, E>) =>
      Effect.acquireUseRelease(
        hang((bell) => {
          const bells = ends.get(id)
          if (bells === undefined) ends.set(id, new Set([bell]))
          else bells.add(bell)
        }),
        use,
        (bell) => Effect.sync(() => takeEnd(id, bell))
      ),
    /** Uses a bell that the next fact of that concern rings. */
    onFact: <A, E>(concern: Concern, use: (bell: Bell) => Effect.Effect<A, E>) =>
      Effect.acquireUseRelease(
        hang((bell) => followers.set(bell, concern)),
        use,
        (bell) => Effect.sync(() => followers.delete(bell))
      ),
    close: (): void => {
      stopHearing()
      stopListening()
      close(new StoreError({ reason: "Stopped", message: "The service is stopping" }))
    }
  }
}

export type Bells = ReturnType<typeof makeBells>
