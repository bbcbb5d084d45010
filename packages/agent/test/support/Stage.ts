/**
 * A supervisor in virtual time with children that live until a test kills them.
 */
import * as Backoff from "@coppice/task/Backoff"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Supervisor from "../../src/Supervisor.ts"

export interface Part extends Partial<Supervisor.ChildSpec> {
  /** What it does before it has begun. */
  readonly begin?: Effect.Effect<unknown, unknown> | undefined
  /** What it does once it was told to stop. */
  readonly end?: Effect.Effect<unknown> | undefined
}

/** Children that live until a test kills them, and what they did: `+a` has begun, `-a` is gone. */
export class Stage {
  private script: Array<{ readonly text: string; readonly at: number }> = []
  private readonly lives = new Map<string, Deferred.Deferred<unknown, unknown>>()

  child(id: string, { begin = Effect.void, end = Effect.void, ...part }: Part = {}): Supervisor.ChildSpec {
    const { note, lives } = this
    const start = Effect.gen(function*() {
      yield* Effect.addFinalizer(() => Effect.andThen(end, note(`-${id}`)))
      yield* begin
      const life = yield* Deferred.make<unknown, unknown>()
      lives.set(id, life)
      yield* note(`+${id}`)
      return Deferred.await(life)
    })
    return { id, restart: "permanent", shutdown: "1 second", start, ...part }
  }

  readonly note = (text: string): Effect.Effect<void> =>
    Effect.map(Clock.currentTimeMillis, (at) => void this.script.push({ text, at }))

  /** Ends a child and lets everything happen that needs no time. */
  kill(id: string, exit: Exit.Exit<unknown, unknown> = Exit.die("killed")): Effect.Effect<void> {
    return Effect.andThen(Effect.suspend(() => Deferred.done(this.lives.get(id)!, exit)), settled)
  }

  /** What happened since the last look. */
  read(): string {
    return this.script.splice(0).map(({ text }) => text).join(" ")
  }

  /** The same with the times. */
  readTimes(): string {
    return this.script.splice(0).map(({ at, text }) => `${text}@${at}`).join(" ")
  }
}

/** Everything that can happen without time passing has happened. */
export const settled = Effect.gen(function*() {
  for (let i = 0; i < 30; i++) yield* Effect.yieldNow
  yield* TestClock.adjust(0)
})

export const calm: Supervisor.SupervisorOptions = {
  strategy: "one_for_one",
  intensity: 5,
  period: "30 seconds",
  backoff: Backoff.none
}

export interface Play {
  readonly stage: Stage
  readonly supervisor: Supervisor.Supervisor
  /** Stops the supervisor. */
  readonly close: Effect.Effect<void>
}

/** A supervisor with a stage; the cast has begun. */
export const play = Effect.fnUntraced(function*(
  options: Partial<Supervisor.SupervisorOptions>,
  cast: Readonly<Record<string, Part>>
) {
  // a clock nobody has moved yet warns at the first sleep, and does so interruptibly, even in a finalizer
  yield* TestClock.adjust(0)
  const stage = new Stage()
  const scope = yield* Scope.make()
  const supervisor = yield* Scope.provide(Supervisor.make({ ...calm, ...options }), scope)
  for (const [id, part] of Object.entries(cast)) yield* supervisor.add(stage.child(id, part))
  assert.strictEqual(stage.read(), Object.keys(cast).map((id) => `+${id}`).join(" "))
  const close = Scope.close(scope, Exit.void)
  return { stage, supervisor, close } satisfies Play
})
