/**
 * First in, first out; whoever is in the line can leave it, at no cost that grows with its length.
 */
export class Line<A> {
  private items: Array<A> = []
  private head = 0
  /** Where the first item stands, counted from the beginning of time. */
  private passed = 0
  private readonly places = new Map<A, number>()

  get size(): number {
    return this.places.size
  }

  /** Stands at the end, unless it is in the line already. */
  join(item: A): void {
    if (this.places.has(item)) return
    this.places.set(item, this.passed + this.items.length)
    this.items.push(item)
  }

  leave(item: A): boolean {
    const left = this.places.delete(item)
    if (left && this.items.length > 2 * this.places.size + 1_024) this.closeRanks()
    return left
  }

  /** How many stand before the item; `undefined` when it is not in the line. */
  before(item: A): number | undefined {
    const place = this.places.get(item)
    if (place === undefined) return undefined
    let count = 0
    for (let index = this.head; this.passed + index < place; index++) {
      if (this.places.get(this.items[index]!) === this.passed + index) count++
    }
    return count
  }

  /** Takes out whoever has stood longest. */
  next(): A | undefined {
    while (this.head < this.items.length) {
      const item = this.items[this.head]!
      const isThere = this.places.get(item) === this.passed + this.head
      this.head++
      if (!isThere) continue
      this.leave(item)
      return item
    }
    return undefined
  }

  /** Forgets those who went or left. */
  private closeRanks(): void {
    const { head, items, passed } = this
    const kept = items.filter((item, index) => index >= head && this.places.get(item) === passed + index)
    this.passed = passed + items.length
    this.items = []
    this.head = 0
    this.places.clear()
    for (const item of kept) this.join(item)
  }
}
