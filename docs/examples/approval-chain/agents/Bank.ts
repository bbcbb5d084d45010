/** The world outside: what suppliers are owed, and what was transferred. */
import * as Effect from "effect/Effect"

/** Cents a supplier is owed now; somebody may change it at any time. */
export const owed = new Map<string, number>([["acme", 120_000], ["globex", 90_000], ["initech", 150_000]])

export const transfers: Array<{ readonly to: string; readonly cents: number; readonly account: string }> = []

export const read = (supplier: string): Effect.Effect<number> => Effect.sync(() => owed.get(supplier) ?? 0)

export const transfer = (to: string, cents: number, account: string): Effect.Effect<number> =>
  Effect.sync(() => transfers.push({ to, cents, account }))
