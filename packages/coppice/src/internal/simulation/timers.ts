import type { Process } from "./world.ts"

/** What `setTimeout` returns in a world. */
export interface VirtualTimer {
  readonly process: Process
  readonly callback: () => void
  readonly order: number
  due: number
  interval: number | undefined
  cancelled: boolean
  /** It is no longer in the heap but waits for its turn. */
  queued: boolean
}

const isBefore = (a: VirtualTimer, b: VirtualTimer, dueA: number, dueB: number): boolean =>
  dueA === dueB ? a.order < b.order : dueA < dueB

interface Item {
  readonly due: number
  readonly timer: VirtualTimer
}

/** A heap of timers by their time; cancelled ones and those set anew are skipped when their old time comes. */
export class Timers {
  private readonly heap: Array<Item> = []
  private count = 0

  make(process: Process, callback: () => void): VirtualTimer {
    return { process, callback, order: this.count++, due: 0, interval: undefined, cancelled: false, queued: false }
  }

  add(timer: VirtualTimer, due: number): void {
    timer.due = due
    this.heap.push({ due, timer })
    this.up(this.heap.length - 1)
  }

  /** The time of whoever is next. */
  get next(): number | undefined {
    this.skip()
    return this.heap[0]?.due
  }

  /** The next timer that is due at `now`. */
  take(now: number): VirtualTimer | undefined {
    this.skip()
    const first = this.heap[0]
    if (first === undefined || first.due > now) return undefined
    this.pop()
    return first.timer
  }

  private skip(): void {
    for (let first = this.heap[0]; first !== undefined; first = this.heap[0]) {
      const { due, timer } = first
      if (!timer.cancelled && timer.due === due && timer.process.isAlive) return
      this.pop()
    }
  }

  private pop(): void {
    const last = this.heap.pop()!
    if (this.heap.length === 0) return
    this.heap[0] = last
    this.down()
  }

  private isBefore(i: number, j: number): boolean {
    const a = this.heap[i]!
    const b = this.heap[j]!
    return isBefore(a.timer, b.timer, a.due, b.due)
  }

  private swap(i: number, j: number): void {
    const { heap } = this
    ;[heap[i], heap[j]] = [heap[j]!, heap[i]!]
  }

  private up(start: number): void {
    for (let i = start; i > 0;) {
      const parent = (i - 1) >>> 1
      if (!this.isBefore(i, parent)) return
      this.swap(i, parent)
      i = parent
    }
  }

  private down(): void {
    for (let i = 0;;) {
      const left = 2 * i + 1
      if (left >= this.heap.length) return
      const right = left + 1
      const child = right < this.heap.length && this.isBefore(right, left) ? right : left
      if (!this.isBefore(child, i)) return
      this.swap(i, child)
      i = child
    }
  }
}
