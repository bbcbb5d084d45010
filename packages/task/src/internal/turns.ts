import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

interface Turn {
  readonly semaphore: Semaphore.Semaphore
  users: number
}

/** Runs effects of the same key one after the other; keys nobody uses cost nothing. */
export const makeTurns = () => {
  const turns = new Map<string, Turn>()
  const enter = (key: string): Turn => {
    const turn = turns.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
    turn.users++
    turns.set(key, turn)
    return turn
  }
  const leave = (key: string, turn: Turn): void => {
    turn.users--
    if (turn.users === 0) turns.delete(key)
  }
  return <A, E, R>(key: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => enter(key)),
      (turn) => turn.semaphore.withPermit(effect),
      (turn) => Effect.sync(() => leave(key, turn))
    )
}
