/**
 * Time, turns and chance of several processes, all in this one.
 *
 * ```text
 *   one turn:   pick a process ─► its oldest job ─► every microtask that follows ─► next turn
 *   nothing to do:  time jumps to whoever wakes next
 * ```
 *
 * Which process has the next turn, and how long a turn takes, is decided by the seed. A job belongs to the process that
 * was running when it was scheduled, so code need not know that it is simulated. A seed runs in one go, without giving
 * the real event loop a turn: nothing outside can move anything inside.
 */
import type { Dice } from "./dice.ts"
import { dice } from "./dice.ts"
import { install } from "./globals.ts"
import { Timers, type VirtualTimer } from "./timers.ts"

/** Unix milliseconds at which every world begins. */
const beginning = 1_800_000_000_000

/** What dies, stops and has a clock of its own: one life of a node, a client, the network. */
export class Process {
  readonly name: string
  isAlive = true
  isPaused = false
  /** How far its wall clock is from the time that passes, milliseconds. */
  skew = 0
  /** What runs at the next turn, and what a timer has made due. */
  readonly immediates: Array<VirtualTimer> = []
  readonly due: Array<VirtualTimer> = []

  constructor(name: string) {
    this.name = name
  }

  get isReady(): boolean {
    return this.isAlive && !this.isPaused && (this.immediates.length > 0 || this.due.length > 0)
  }
}

/** Empties the queues of `process.nextTick` and of microtasks: what Node itself does after every callback. */
const drain = (process as unknown as { readonly _tickCallback?: () => void })._tickCallback

/** More turns than any scenario takes: code that schedules itself for ever. */
const mostTurns = 20_000_000

export class World {
  readonly seed: number
  /** Milliseconds since the world began, with fractions. */
  elapsed = 0
  turns = 0
  /** The process that runs; jobs scheduled now are its own. */
  current: Process
  readonly chance: Dice
  /** What `Math.random` and `crypto` draw from. */
  readonly noise: Dice
  private readonly order: Dice
  private readonly processes: Array<Process> = []
  private readonly timers = new Timers()

  constructor(seed: number) {
    this.seed = seed
    this.chance = dice(seed, "chance")
    this.noise = dice(seed, "noise")
    this.order = dice(seed, "order")
    this.current = this.process("world")
  }

  process(name: string): Process {
    const made = new Process(name)
    this.processes.push(made)
    return made
  }

  /** It dies now: nothing it had scheduled happens any more. */
  kill(process: Process): void {
    process.isAlive = false
    process.immediates.length = 0
    process.due.length = 0
    this.processes.splice(this.processes.indexOf(process), 1)
  }

  // ---------------------------------------------------------------- what globals ask

  /** Unix milliseconds as the running process sees them. */
  get wall(): number {
    return beginning + this.elapsed + this.current.skew
  }

  setImmediate(callback: () => void): VirtualTimer {
    const timer = this.timers.make(this.current, callback)
    timer.queued = true
    this.current.immediates.push(timer)
    return timer
  }

  setTimer(callback: () => void, delay: number, repeats: boolean): VirtualTimer {
    const timer = this.timers.make(this.current, callback)
    const millis = delay >= 1 && delay <= 2 ** 31 - 1 ? delay : 1
    if (repeats) timer.interval = millis
    this.timers.add(timer, this.elapsed + millis)
    return timer
  }

  refresh(timer: VirtualTimer, delay: number): void {
    if (!timer.cancelled) this.timers.add(timer, this.elapsed + delay)
  }

  // ---------------------------------------------------------------- what the simulation does

  /** Runs `job` as a turn of `process`, `delay` milliseconds from now. */
  after(process: Process, delay: number, job: () => void): VirtualTimer {
    const timer = this.timers.make(process, job)
    if (delay <= 0) {
      timer.queued = true
      process.immediates.push(timer)
    } else this.timers.add(timer, this.elapsed + delay)
    return timer
  }

  /** Runs `job` now, as `process`. */
  as<A>(process: Process, job: () => A): A {
    const before = this.current
    this.current = process
    try {
      return job()
    } finally {
      this.current = before
    }
  }

  /** Makes turns until `isOver`, or until `millis` have passed. True when it is over. */
  run(isOver: () => boolean, millis: number): boolean {
    const end = this.elapsed + millis
    while (!isOver()) {
      if (this.elapsed > end || !this.turn(end)) return false
    }
    return true
  }

  private turn(end: number): boolean {
    this.wake()
    let ready = this.processes.filter((process) => process.isReady)
    while (ready.length === 0) {
      const next = this.timers.next
      if (next === undefined || next > end) return false
      this.elapsed = Math.max(this.elapsed, next)
      this.wake()
      ready = this.processes.filter((process) => process.isReady)
    }
    const process = ready.length === 1 ? ready[0]! : this.order.pick(ready)
    const isDue = process.immediates.length === 0 || (process.due.length > 0 && this.order.chance(0.5))
    const timer = (isDue ? process.due : process.immediates).shift()!
    this.take(process, timer)
    return true
  }

  private take(process: Process, timer: VirtualTimer): void {
    timer.queued = false
    if (timer.cancelled) return
    if (++this.turns > mostTurns) throw new Error(`The world makes no end of turns (seed ${this.seed})`)
    this.current = process
    if (timer.interval !== undefined) this.timers.add(timer, this.elapsed + timer.interval)
    timer.callback()
    drain!()
    // a turn takes up to 20 microseconds
    this.elapsed += this.order.next() / 50
  }

  /** Timers whose time has come wait for a turn of their process. */
  private wake(): void {
    for (let timer = this.timers.take(this.elapsed); timer !== undefined; timer = this.timers.take(this.elapsed)) {
      if (!timer.process.isAlive) continue
      timer.queued = true
      timer.process.due.push(timer)
    }
  }
}

/** Runs `body` in a world, in one turn of the real event loop. */
export const inWorld = <A>(world: World, body: () => A): A => {
  if (drain === undefined) throw new Error("Simulations need Node: this runtime cannot empty its queue of microtasks")
  const restore = install(world)
  try {
    return body()
  } finally {
    restore()
  }
}
