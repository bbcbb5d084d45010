import { Line } from "./Line.ts"

/**
 * One line for each party, served in turn: who brings a thousand waits for the others as often as they wait for it.
 */
export class FairLine<A> {
  private readonly partyOf: (item: A) => string
  private readonly lines = new Map<string, Line<A>>()
  /** Parties that have somebody waiting, whose turn is next first. */
  private readonly turns = new Line<string>()
  private count = 0

  constructor(partyOf: (item: A) => string) {
    this.partyOf = partyOf
  }

  get size(): number {
    return this.count
  }

  sizeOf(party: string): number {
    return this.lines.get(party)?.size ?? 0
  }

  /**
   * How many are served before the item when nobody else comes, and how many parties have their turn before its own has
   * the next one; `undefined` when it is not in the line.
   */
  before(item: A): { readonly ahead: number; readonly turns: number } | undefined {
    const party = this.partyOf(item)
    const rounds = this.lines.get(party)?.before(item)
    const turns = this.turns.before(party)
    if (rounds === undefined || turns === undefined) return undefined
    let ahead = rounds
    for (const [other, line] of this.lines) {
      if (other === party) continue
      const isSooner = this.turns.before(other)! < turns
      ahead += Math.min(line.size, rounds + (isSooner ? 1 : 0))
    }
    return { ahead, turns }
  }

  /** Stands at the end of its party's line, unless it is in it already. */
  join(item: A): void {
    const party = this.partyOf(item)
    let line = this.lines.get(party)
    if (line === undefined) this.lines.set(party, line = new Line())
    this.change(party, line, () => line.join(item))
    this.turns.join(party)
  }

  leave(item: A): boolean {
    const party = this.partyOf(item)
    const line = this.lines.get(party)
    return line !== undefined && this.change(party, line, () => line.leave(item))
  }

  /** Takes out whoever has stood longest of the party whose turn it is. */
  next(): A | undefined {
    const party = this.turns.next()
    const line = party === undefined ? undefined : this.lines.get(party)
    if (party === undefined || line === undefined) return undefined
    const item = this.change(party, line, () => line.next())
    if (line.size > 0) this.turns.join(party)
    return item
  }

  /** A party with nobody waiting is forgotten. */
  private change<B>(party: string, line: Line<A>, act: () => B): B {
    const before = line.size
    const result = act()
    this.count += line.size - before
    if (line.size === 0) {
      this.lines.delete(party)
      this.turns.leave(party)
    }
    return result
  }
}
