import { FairLine } from "./FairLine.ts"

/** Lines by priority: whoever has the highest goes first; among equals parties take turns, each in its own order. */
export class Ranks<A> {
  private readonly partyOf: (item: A) => string
  private readonly lines = new Map<number, FairLine<A>>()
  /** Of the lines, highest first. */
  private priorities: ReadonlyArray<number> = []
  private count = 0

  constructor(partyOf: (item: A) => string) {
    this.partyOf = partyOf
  }

  get size(): number {
    return this.count
  }

  sizeOf(party: string): number {
    let size = 0
    for (const line of this.lines.values()) size += line.sizeOf(party)
    return size
  }

  /** How many have at least this priority. */
  atLeast(priority: number): number {
    let size = 0
    for (const [other, line] of this.lines) if (other >= priority) size += line.size
    return size
  }

  /** The same as of one line: those with a higher priority are served before it. */
  before(item: A): { readonly ahead: number; readonly turns: number } | undefined {
    for (const [priority, line] of this.lines) {
      const found = line.before(item)
      if (found !== undefined) return { ...found, ahead: found.ahead + this.atLeast(priority + 1) }
    }
    return undefined
  }

  /** The highest priority anybody here has; `undefined` when nobody is. */
  get top(): number | undefined {
    return this.priorities.find((priority) => this.lines.get(priority)!.size > 0)
  }

  /** Stands at the end of its priority, unless it stands in that line already. */
  join(item: A, priority: number): void {
    const line = this.lines.get(priority) ?? this.open(priority)
    const before = line.size
    line.join(item)
    this.count += line.size - before
  }

  leave(item: A): boolean {
    for (const line of this.lines.values()) {
      if (!line.leave(item)) continue
      this.count--
      return true
    }
    return false
  }

  next(): A | undefined {
    const { top } = this
    if (top === undefined) return undefined
    this.count--
    return this.lines.get(top)!.next()
  }

  private open(priority: number): FairLine<A> {
    for (const [other, line] of this.lines) if (line.size === 0) this.lines.delete(other)
    const line = new FairLine(this.partyOf)
    this.lines.set(priority, line)
    this.priorities = [...this.lines.keys()].sort((a, b) => b - a)
    return line
  }
}
