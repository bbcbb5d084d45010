/**
 * What a person most likely meant when they misspelt a name: for agents, settings, commands and keys of a request.
 */

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
const distance = (left: string, right: string): number => {
  let before: Array<number> = []
  let row = Array.from({ length: right.length + 1 }, (_, i) => i)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1
      let best = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost)
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1)
      }
      next.push(best)
    }
    before = row
    row = next
  }
  return row[right.length]!
}

/** The candidate a person most likely meant, or `undefined` when none is close. */
export const nearest = (word: string, candidates: ReadonlyArray<string>): string | undefined => {
  let best: string | undefined
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase())
    if (d < least) {
      least = d
      best = candidate
    }
  }
  return best
}
