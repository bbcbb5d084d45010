import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Fact } from "./Journal.ts"
import { LazyMap } from "./lazy.ts"

/** Something the code waits for under a key of the log. */
export interface Operation<A, E> {
  readonly key: string
  /** Begins it: only called when the log does not know the key, and never while replaying. */
  begin(): void
  interpret(fact: Fact): Effect.Effect<A, E>
  /** Takes it back because the waiting fiber was interrupted. */
  withdraw(): Effect.Effect<void>
  /** The waiting fiber was interrupted, but the task goes on or has ended: only stops what runs here. */
  halt(): Effect.Effect<void>
  /** The task has ended, the log answers no more, and the waiting fiber cannot be interrupted: it is answered here. */
  orphaned(): void
}

/** What of an operation does not depend on its answer. */
export type Beginning = Pick<Operation<unknown, unknown>, "key" | "begin" | "orphaned">

/** A fiber that waits for a fact. */
export interface Wait {
  readonly fiber: Fiber.Fiber<unknown, unknown> | undefined
  resume(fact: Fact): void
  fail(cause: Cause.Cause<never>): void
  /** Of an operation, as opposed to a fact that is only awaited. */
  readonly operation: Beginning | undefined
  /** It was told to stop because the handler has returned. */
  isTold: boolean
  isOrphaned: boolean
}

/** A class, not an object of closures: a task may wait for ten thousand calls at once. */
class OperationWait<A, E> implements Wait {
  readonly fiber = Fiber.getCurrent()
  readonly operation: Operation<A, E>
  isTold = false
  isOrphaned = false
  private readonly answer: (effect: Effect.Effect<A, E>) => void

  constructor(operation: Operation<A, E>, answer: (effect: Effect.Effect<A, E>) => void) {
    this.operation = operation
    this.answer = answer
  }

  resume(fact: Fact): void {
    this.answer(this.operation.interpret(fact))
  }

  fail(cause: Cause.Cause<never>): void {
    this.answer(Effect.failCause(cause))
  }
}

/** Everything the fibers of one execution wait for, by key. */
export class Waits extends LazyMap<string, Wait> {
  /** Called in the fiber that waits. */
  begin<A, E>(operation: Operation<A, E>, resume: (effect: Effect.Effect<A, E>) => void): void {
    this.set(operation.key, new OperationWait(operation, resume))
  }

  /** For a fiber that has to see the fact: it is told nothing else. */
  await(key: string, resume: () => void): void {
    const wait = { fiber: undefined, resume, fail: resume, operation: undefined }
    this.set(key, { ...wait, isTold: true, isOrphaned: true })
  }
}
