/**
 * Steps that are undone, in reverse, when what they belong to fails.
 */
import { canonical } from "@coppice/task/Payload"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { CurrentStep } from "./CurrentStep.ts"
import * as Human from "./Human.ts"
import { fingerprint } from "./internal/digest.ts"
import type { SagaPart } from "./internal/step.ts"
import * as Step from "./Step.ts"
import type { TaskContext } from "./TaskContext.ts"

/** A step that has been done, and how it is undone. */
interface Done {
  /** Of the step, as the log has it. */
  readonly key: string
  readonly name: string
  readonly input: Schema.Json
  readonly undo: Effect.Effect<unknown, unknown, any>
}

/** What the saga around a fiber has done so far, in order; `undefined` outside of one. */
const CurrentSaga = Context.Reference<Array<Done> | undefined>("@coppice/agent/CurrentSaga", {
  defaultValue: () => undefined
})

/** A compensation is tried again after 1 s, 2 s, 4 s … at most a minute apart, ten times; then a person is asked. */
const again = Schedule.modifyDelay(
  Schedule.exponential("1 second"),
  ({ duration }) => Effect.succeed(Duration.min(duration, Duration.minutes(1)))
)

const tries = 10

const Stuck = Schema.Struct({ what: Schema.Literals(["try_again", "undone_by_hand", "leave_it"]) })

/**
 * Runs a step whose effect is undone by `compensate` when the saga around it fails. Results are recorded as JSON.
 *
 * **Gotchas**
 *
 * `compensate` runs at least once, with an idempotency key of its own (`Step.idempotencyKey`, the same every time). A step
 * that failed, or was interrupted before it was recorded, is not compensated: give it a `verify` where that matters.
 */
export const step = <A, E, R, R2>(
  name: string,
  input: Schema.Json,
  body: Effect.Effect<A, E, R>,
  options: { readonly compensate: (result: A) => Effect.Effect<unknown, unknown, R2> }
): Effect.Effect<A, E, R | R2 | TaskContext> => {
  const keyed = Effect.flatMap(Step.idempotencyKey, (key) => Effect.map(body, (value) => ({ key, value })))
  return Effect.flatMap(CurrentSaga, (saga) =>
    saga === undefined
      ? Effect.die(new Error(`Saga.step("${name}") needs a Saga.run around it`))
      : Effect.uninterruptibleMask((restore) =>
        Effect.map(restore(recorded(name, input, keyed, { compensable: true })), ({ key, value }) => {
          saga.push({
            key: key.slice(key.indexOf("/") + 1),
            name,
            input,
            undo: under(`${key}/undo`, Effect.suspend(() => options.compensate(value)))
          })
          return value
        })
      )) as Effect.Effect<A, E, R | R2 | TaskContext>
}

/** A step, recorded as what it is in its saga. */
const recorded = <A, E, R>(
  name: string,
  input: Schema.Json,
  body: Effect.Effect<A, E, R>,
  saga: SagaPart
): Effect.Effect<A, E, R | TaskContext> => (Step.run as Function)(name, input, body, { saga })

/** Every try of a compensation has one key, whichever step it runs in. */
const under = <A, E, R>(idempotencyKey: string, body: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    CurrentStep,
    (step) => Effect.provideService(body, CurrentStep, { attempt: step?.attempt ?? 1, idempotencyKey })
  )

/**
 * Runs the effect; when it fails, or is interrupted by a cancel or a lost race, its steps are undone, the last one first.
 *
 * **Details**
 *
 * Each compensation is a recorded step: after a kill they go on where they were. One that fails is tried again after 1 s,
 * doubling to a minute, ten times; then a person says whether to try again, that it was undone by hand, or to leave it.
 * The saga then fails as its effect had.
 *
 * **Gotchas**
 *
 * A defect is not compensated: it costs an attempt, and the next one goes on where the steps are.
 *
 * A retry of the task does again what was undone, under new idempotency keys, and keeps what was left as it is. Of a task
 * that was cancelled it does all steps of sagas again, also of one that had succeeded before.
 *
 * After a cancel, or a passed deadline, the log of the task is closed. Compensations still run, and the task is not at rest
 * before they have; but they are not recorded, so a kill in the middle has all of them run again, under the same keys. One
 * that takes longer than a handler may take to stop (5 seconds) is given up, and nobody is asked about one that fails.
 * Where that must not be, cancel by a message or a question the handler answers with a failure.
 */
export const run = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | TaskContext> =>
  Effect.suspend(() => {
    const done: Array<Done> = []
    return Effect.onExit(
      Effect.provideService(effect, CurrentSaga, done),
      (exit) => Exit.isSuccess(exit) || Cause.hasDies(exit.cause) ? Effect.void : undoAll(done)
    )
  }) as Effect.Effect<A, E, R | TaskContext>

const undoAll = (done: ReadonlyArray<Done>): Effect.Effect<void, never, TaskContext> =>
  Effect.forEach(done.toReversed(), (entry) => undo(entry, 1), { discard: true })

const undo = (done: Done, round: number): Effect.Effect<void, never, TaskContext> => {
  const { input, key, name, undo: effect } = done
  const part = { compensates: key }
  const tried: Effect.Effect<void, string, TaskContext> = Effect.retry(effect, { schedule: again, times: tries }).pipe(
    Effect.asVoid,
    Effect.mapError(messageOf)
  )
  return Effect.matchEffect(recorded(`undo ${name}`, [input, round], tried, part), {
    onSuccess: () => Effect.void,
    onFailure: (why) =>
      Effect.flatMap(stuck(name, input, why), (what) => {
        if (what === "try_again") return undo(done, round + 1)
        return what === "leave_it" ? Effect.void : recorded(`undone ${name}`, [input, round], Effect.void, part)
      })
  })
}

const stuck = (name: string, input: Schema.Json, why: string) =>
  Human.ask({ message: `Step "${name}" (${fingerprint(canonical(input))}) cannot be undone: ${why}`, form: Stuck })
    .pipe(
      Effect.map(({ what }) => what),
      Effect.catch(() => Effect.succeed("leave_it" as const))
    )

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : typeof error === "string" ? error : JSON.stringify(error) ?? "").slice(
    0,
    500
  )
