/**
 * What an execution is told, in the order of the log.
 *
 * A *delivery* is a fact the handler's code waits for: a step's result, a timer, an answer, a child's end. Live and
 * replayed executions receive the same deliveries in the same order, one at a time.
 */
import type { Task, TaskId, TaskStatus } from "@coppice/task/Task"
import type { InputResponse, RecordedExit, TaskEvent } from "@coppice/task/TaskEvent"
import type { ChildRecord, Journal } from "@coppice/task/TaskStore"
import type { Json } from "effect/Schema"
import { type Intent, isOutcomeKey, type RecordedDoubts } from "./Doubts.ts"

export type Fact =
  | { readonly _tag: "Step"; readonly exit: RecordedExit }
  | { readonly _tag: "Timer" }
  | { readonly _tag: "Input"; readonly response: InputResponse }
  | { readonly _tag: "Told"; readonly by: string; readonly message: string }
  | { readonly _tag: "Child"; readonly id: TaskId; readonly status: TaskStatus; readonly ending: TaskEvent }

export interface Delivery {
  readonly key: string
  readonly seq: number
  readonly at: number
  readonly fact: Fact
}

/** What a person tells a running task comes under this key. */
export const toldKey = "steer"

/** What earlier executions of the task left: deliveries in order, and everything that was begun. */
export interface Recorded {
  readonly deliveries: ReadonlyArray<Delivery>
  /** Keys of everything begun, whether it ended or not. */
  readonly begun: ReadonlySet<string>
  readonly children: ReadonlyMap<string, ChildRecord>
  /** Timers of an earlier attempt, and when they are due: its unwinding may have cleared them. */
  readonly lapsed: ReadonlyMap<string, number>
  /** What the code gets for a key instead of doing it: results of the task this one retries. */
  readonly reused: ReadonlyMap<string, Json>
  /** Steps whose body was about to run, and what was said about them. */
  readonly doubts: RecordedDoubts
  /** How often progress was reported. */
  readonly reports: { readonly progress: number; readonly log: number }
  readonly losses: Losses
  /** When the first attempt began. */
  readonly startedAt: number
  readonly lastSeq: number
  /** Whether what comes now is another attempt. */
  readonly isNext: boolean
}

/** Of a task that has not begun. */
export const nothing: Omit<Recorded, "startedAt"> = {
  deliveries: [],
  begun: new Set(),
  children: new Map(),
  lapsed: new Map(),
  reused: new Map(),
  reports: { progress: 0, log: 0 },
  losses: { all: 0, rateLimited: 0, retryAt: 0 },
  doubts: { intents: new Map(), answers: new Map() },
  lastSeq: 0,
  isNext: false
}

/** Attempts that were lost. */
export interface Losses {
  readonly all: number
  /** Those among them that were only sent away until later. */
  readonly rateLimited: number
  /** When the next attempt may begin, while the last one was lost. */
  readonly retryAt: number
}

/** The child was cancelled by its parent: by a caller that no longer waited, or by an attempt that unwound. */
export const isCancelledByParent = (ending: TaskEvent | null): boolean =>
  ending?._tag === "Cancelled" && ending.by === "parent"

/** One child under each key: where there are several, all but one were unwound by attempts that failed. */
const latest = (children: ReadonlyArray<ChildRecord>): ReadonlyMap<string, ChildRecord> => {
  const byKey = new Map<string, ChildRecord>()
  for (const child of children) {
    const known = byKey.get(child.key)
    if (known === undefined || isCancelledByParent(known.ending)) byKey.set(child.key, child)
  }
  return byKey
}

class Reader {
  readonly deliveries: Array<Delivery> = []
  readonly begun = new Set<string>()
  readonly lapsed = new Map<string, number>()
  readonly reused = new Map<string, Json>()
  readonly doubts = { intents: new Map<string, Intent>(), answers: new Map<string, InputResponse>() }
  private readonly running = new Map<string, number>()
  attempt = 0
  losses: Losses = { all: 0, rateLimited: 0, retryAt: 0 }
  failed = 0
  readonly reports = { progress: 0, log: 0 }
  startedAt = 0
  lastSeq = 0

  event(seq: number, at: number, event: TaskEvent): void {
    this.lastSeq = seq
    switch (event._tag) {
      case "Created":
        this.startedAt = at
        this.attempt = event.attempt
        return
      case "Started":
        this.attempt = event.attempt
        this.losses = { ...this.losses, retryAt: 0 }
        if (event.attempt === 1) this.startedAt = at
        return this.lapse()
      case "AttemptFailed":
        return this.lost(event)
      case "Progressed":
        this.reports.progress++
        return
      case "Logged":
        this.reports.log++
        return
      case "StepIntended": {
        const known = this.doubts.intents.get(event.key)
        this.doubts.intents.set(event.key, { runs: (known?.runs ?? 0) + 1, from: event.from ?? known?.from })
        return
      }
      case "StepRecorded":
        return this.deliver(event.key, seq, at, { _tag: "Step", exit: event.exit })
      case "StepReused":
        this.reused.set(event.key, event.result)
        return
      case "TimerSet":
        this.begun.add(event.key)
        this.running.set(event.key, event.due)
        this.lapsed.delete(event.key)
        return
      case "TimerFired":
        this.running.delete(event.key)
        this.lapsed.delete(event.key)
        return this.deliver(event.key, seq, at, { _tag: "Timer" })
      case "InputRequested":
        // the runtime's own questions are no part of the code
        if (!isOutcomeKey(event.request.key)) this.begun.add(event.request.key)
        return
      case "InputWithdrawn":
        this.begun.delete(event.key)
        return
      case "Steered":
        return this.told(seq, at, event)
      case "InputReceived":
        if (isOutcomeKey(event.key)) {
          this.doubts.answers.set(event.key, event.response)
          return
        }
        return this.deliver(event.key, seq, at, { _tag: "Input", response: event.response })
    }
  }

  private lost(event: TaskEvent & { readonly _tag: "AttemptFailed" }): void {
    const { all, rateLimited } = this.losses
    const more = event.class === "rate_limited" ? 1 : 0
    this.losses = { all: all + 1, rateLimited: rateLimited + more, retryAt: event.retryAt ?? 0 }
    this.failed = event.attempt
  }

  /** Another attempt begins. */
  lapse(): void {
    for (const [key, due] of this.running) this.lapsed.set(key, due)
    this.running.clear()
  }

  child({ ending, id, key, settledAt, settledSeq, status }: ChildRecord): void {
    this.begun.add(key)
    if (settledSeq === null || ending === null) return
    this.lastSeq = Math.max(this.lastSeq, settledSeq)
    this.deliver(key, settledSeq, settledAt ?? 0, { _tag: "Child", id, status, ending })
  }

  /** Nothing had to be begun for it, and nobody has to read it. */
  private told(seq: number, at: number, { by, message }: TaskEvent & { readonly _tag: "Steered" }): void {
    if (message !== undefined) this.deliveries.push({ key: toldKey, seq, at, fact: { _tag: "Told", by, message } })
  }

  private deliver(key: string, seq: number, at: number, fact: Fact): void {
    this.begun.add(key)
    this.deliveries.push({ key, seq, at, fact })
  }
}

/** The ending of a task that was ended from outside, told from its state. */
export const endingOf = ({ reason, status, statusMessage }: Task): TaskEvent =>
  status === "cancelled"
    ? { _tag: "Cancelled", by: "", reason: statusMessage }
    : { _tag: "Failed", reason: reason ?? "defect", message: statusMessage ?? "", error: null }

/** `isRestart`: who ran the task before is gone. */
export const read = (journal: Journal, isRestart: boolean): Recorded => {
  const reader = new Reader()
  for (const { at, event, seq } of journal.events) reader.event(seq, at, event)
  const { attempt } = reader
  const isNext = attempt > 0 && (isRestart || reader.failed === attempt)
  if (isNext) reader.lapse()
  const children = latest(journal.children)
  for (const child of children.values()) reader.child(child)
  const { begun, deliveries, doubts, lapsed, lastSeq, losses, reports, reused, startedAt } = reader
  deliveries.sort((a, b) => a.seq - b.seq)
  return { deliveries, begun, children, lapsed, reused, doubts, reports, losses, startedAt, lastSeq, isNext }
}
