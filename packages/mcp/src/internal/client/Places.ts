/**
 * How many calls of one agent a server gets at once, and who waits for the next.
 */
export class Places {
  private readonly limit: number
  private readonly queue: number
  private taken = 0
  private readonly line = new Set<() => void>()
  private readonly room = new Set<() => void>()

  constructor(limit: number, queue: number) {
    this.limit = limit
    this.queue = queue
  }

  get waiting(): number {
    return this.line.size
  }

  get isFree(): boolean {
    return this.taken < this.limit
  }

  /** Begins now or when a place is free. What it returns gives the place, or the turn, back. */
  enter(begin: () => void): () => void {
    let state: "waiting" | "in" | "out" = "waiting"
    const enter = () => {
      state = "in"
      this.taken++
      begin()
    }
    const leave = () => {
      if (state === "in") this.taken--
      else this.line.delete(enter)
      if (state !== "out") {
        state = "out"
        this.next()
      }
    }
    if (this.isFree) enter()
    else this.line.add(enter)
    return leave
  }

  private next(): void {
    for (const enter of this.line) {
      if (!this.isFree) return
      this.line.delete(enter)
      enter()
    }
    this.letIn()
  }

  /** Calls back when one more may be handed over; at once when one may. */
  whenRoom(callback: () => void): void {
    if (this.hasRoom) callback()
    else this.room.add(callback)
  }

  private get hasRoom(): boolean {
    return this.isFree || this.waiting < this.queue
  }

  private letIn(): void {
    for (const callback of this.room) {
      if (!this.hasRoom) return
      this.room.delete(callback)
      callback()
    }
  }

  /** Nobody is served any more: whoever waits for room looks elsewhere. */
  close(): void {
    const waiting = [...this.room]
    this.room.clear()
    for (const callback of waiting) callback()
  }
}
