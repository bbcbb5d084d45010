/**
 * The log of the service as it grows, over one connection for the whole page.
 *
 * ```text
 *   connecting ──► live ──► offline ──► connecting …          paused: still connected, nothing is shown
 * ```
 *
 * A connection that breaks is opened again after the last fact seen; the service then tells what was missed. Facts go to the
 * listeners in batches, at most one every quarter of a second. When too many wait (a hidden tab, a long pause), or the
 * service no longer knows the place, or a fact is missing, a batch says `all`: read anew what you show.
 */
import type { Envelope } from "@coppice/api/Api"
import * as Sequence from "./Sequence.ts"

export interface Batch {
  readonly facts: ReadonlyArray<Envelope>
  /** The facts are not all there was. */
  readonly all: boolean
}

export interface LiveState extends Sequence.Sequence {
  readonly phase: "connecting" | "live" | "offline"
  readonly paused: boolean
  /** Facts that wait for the end of a pause. */
  readonly held: number
  /** How often the service could not go on from the last fact seen. */
  readonly resets: number
  /** How often it was connected again. */
  readonly reconnects: number
}

/** One connection; `EventSource` in a browser. */
export interface Source {
  readonly close: () => void
}

export interface Callbacks {
  readonly onPlace: (kind: "ready" | "reset", since: number) => void
  readonly onFact: (envelope: Envelope) => void
  readonly onBroken: () => void
}

export interface Surroundings {
  readonly connect: (since: number | undefined, callbacks: Callbacks) => Source
  readonly after: (millis: number, run: () => void) => () => void
}

/** Between two batches, milliseconds. */
export const batchInterval = 250

/** More facts than this are not worth telling one by one. */
export const mostHeld = 2_000

/** Before the next try to connect, milliseconds; the last one again and again. */
const delays = [500, 1_000, 2_000, 5_000]

export class LiveStore {
  private readonly around: Surroundings
  private readonly watchers = new Set<() => void>()
  private readonly readers = new Set<(batch: Batch) => void>()
  private state: LiveState = {
    ...Sequence.start,
    phase: "connecting",
    paused: false,
    held: 0,
    resets: 0,
    reconnects: 0
  }
  private facts: Array<Envelope> = []
  private all = false
  private source: Source | undefined
  private stopFlush: (() => void) | undefined
  private stopRetry: (() => void) | undefined
  private tries = 0
  private isOpen = false
  /** Somebody has read something before the first connection stood: it may be older than where that begins. */
  private isShown = false

  constructor(around: Surroundings) {
    this.around = around
  }

  readonly get = (): LiveState => this.state

  readonly watch = (watcher: () => void): () => void => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  /** Calls back with every batch. */
  readonly read = (reader: (batch: Batch) => void): () => void => {
    this.readers.add(reader)
    return () => this.readers.delete(reader)
  }

  readonly open = (): void => {
    this.isOpen = true
    this.connect()
  }

  readonly close = (): void => {
    this.isOpen = false
    this.source?.close()
    this.stopRetry?.()
    this.stopFlush?.()
    this.source = this.stopRetry = this.stopFlush = undefined
  }

  /** Shows nothing new from here on. */
  readonly pause = (): void => this.set({ paused: true })

  /** Shows what has come in the meantime, then everything as it comes. */
  readonly resume = (): void => {
    this.set({ paused: false, held: 0 })
    this.flush()
  }

  /** From now on the page reads. */
  readonly shown = (): void => {
    if (this.state.last === undefined) this.isShown = true
  }

  /** Nobody has looked for long: the connection is worth more to another tab, for browsers have few of them. */
  readonly sleep = (): void => {
    this.source?.close()
    this.stopRetry?.()
    this.source = this.stopRetry = undefined
  }

  /** The network is back, or somebody looks again: no reason to wait. */
  readonly wake = (): void => {
    if (this.isOpen && this.source === undefined) this.connect()
    if (!this.state.paused) this.flush()
  }

  private connect(): void {
    this.stopRetry?.()
    this.stopRetry = undefined
    const current = { open: true }
    const only = <A extends ReadonlyArray<unknown>>(run: (...args: A) => void) => (...args: A) => {
      if (current.open) run(...args)
    }
    const source = this.around.connect(this.state.last, {
      onPlace: only((kind, since) => this.placed(kind, since)),
      onFact: only((envelope) => this.told(envelope)),
      onBroken: only(() => {
        current.open = false
        this.broken()
      })
    })
    this.source = {
      close: () => {
        current.open = false
        source.close()
      }
    }
  }

  private placed(kind: "ready" | "reset", since: number): void {
    const { last, phase, reconnects, resets } = this.state
    const isAgain = phase === "offline" || this.tries > 0
    this.tries = 0
    const isReset = kind === "reset" || last !== undefined && since !== last
    this.set({
      ...Sequence.jump(this.state, since),
      phase: "live",
      reconnects: reconnects + (isAgain ? 1 : 0),
      resets: resets + (isReset ? 1 : 0)
    })
    if (isReset || last === undefined && this.isShown) this.hold(undefined)
  }

  private told(envelope: Envelope): void {
    const [verdict, sequence] = Sequence.accept(this.state, envelope.seq)
    // watchers hear of places with the next batch
    this.state = { ...this.state, ...sequence }
    if (verdict === "duplicate") return
    if (verdict === "gap") this.all = true
    this.hold(envelope)
  }

  /** Keeps a fact, or the news that facts are missing, for the next batch. */
  private hold(envelope: Envelope | undefined): void {
    if (envelope === undefined || this.facts.length >= mostHeld) {
      this.all = true
      this.facts = []
    }
    if (envelope !== undefined && !this.all) this.facts.push(envelope)
    if (this.state.paused) return this.set({ held: this.state.held + (envelope === undefined ? 0 : 1) })
    this.stopFlush ??= this.around.after(batchInterval, () => {
      this.stopFlush = undefined
      if (!this.state.paused) this.flush()
    })
  }

  private flush(): void {
    const { all, facts } = this
    if (!all && facts.length === 0) return
    this.facts = []
    this.all = false
    for (const reader of this.readers) reader({ all, facts })
    this.set({})
  }

  private broken(): void {
    this.source?.close()
    this.source = undefined
    this.set({ phase: "offline" })
    const delay = delays[Math.min(this.tries++, delays.length - 1)]!
    this.stopRetry = this.around.after(delay, () => this.connect())
  }

  private set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change }
    for (const watcher of this.watchers) watcher()
  }
}
