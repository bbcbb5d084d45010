/**
 * What has been recorded under the keys of older code, for newer code to find: renamed, dropped or supplied.
 *
 * Keys are `kind:name`, such as `step:fetch`, `call:review` or `timer:60000`; what follows the name (an input, a number)
 * is kept. Data, not code: it is written into the log of each task it is applied to.
 */
import * as Schema from "effect/Schema"

export const Move = Schema.Union([
  /** What is recorded under `from` is found under `to`. */
  Schema.Struct({ from: Schema.String, to: Schema.String }),
  /** What is recorded under this key is forgotten. */
  Schema.Struct({ drop: Schema.String }),
  /** The result recorded under this key answers whoever asks for it, whenever, and nobody has to: for changed orders. */
  Schema.Struct({ reuse: Schema.String }),
  /** The result the code gets when it first asks for this key. */
  Schema.Struct({ supply: Schema.String, result: Schema.Json })
])
export type Move = typeof Move.Type

const isUnder = (key: string, prefix: string): boolean => key === prefix || key.startsWith(`${prefix}:`)

/** Whether what is recorded under the key becomes an answer instead of a demand. */
export const isReused = (moves: ReadonlyArray<Move>, key: string): boolean =>
  moves.some((move) => "reuse" in move && isUnder(key, move.reuse))

/** The key in the words of the newer code, by the first move that knows it; `null` when nobody has to ask for it. */
export const moved = (moves: ReadonlyArray<Move>, key: string): string | null => {
  for (const move of moves) {
    if ("drop" in move && isUnder(key, move.drop) || "reuse" in move && isUnder(key, move.reuse)) return null
    if ("to" in move && isUnder(key, move.from)) return move.to + key.slice(move.from.length)
  }
  return key
}

/** Entries under their new keys, without those that are dropped. */
export const movedEntries = <A>(
  moves: ReadonlyArray<Move>,
  entries: Iterable<readonly [string, A]>
): ReadonlyArray<readonly [string, A]> =>
  [...entries].flatMap(([key, value]) => {
    const now = moved(moves, key)
    return now === null ? [] : [[now, value] as const]
  })

/** What the code is given without anybody having recorded it. */
export const supplied = (moves: ReadonlyArray<Move>): ReadonlyArray<readonly [string, Schema.Json]> =>
  moves.flatMap((move) => "supply" in move ? [[move.supply, move.result] as const] : [])
