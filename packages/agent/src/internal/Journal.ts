/**
 * What an execution is told, in the order of the log.
 *
 * A *delivery* is a fact the handler's code waits for: a step's result, a timer, an answer, a child's end. Live and
 * replayed executions receive the same deliveries in the same order, one at a time.
 */
import { softKey } from "@coppice/task/Budget"
import { isOutcomeKey } from "@coppice/task/Doubt"
import { isReused, type Move, moved, movedEntries, supplied } from "@coppice/task/Migration"
import type { Task, TaskId, TaskStatus } from "@coppice/task/Task"
import type { InputResponse, RecordedExit, TaskEvent } from "@coppice/task/TaskEvent"
import type { ChildRecord, Journal } from "@coppice/task/TaskStore"
import type { Json } from "effect/Schema"
import type { Intent, RecordedDoubts } from "./Doubts.ts"

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
  /** What the code gets for a key at once, whenever it asks: by a migration. Nothing is recorded for it. */
  readonly answers: ReadonlyMap<string, Json>
  /** What a fork is told before anything else, in order. */
  readonly prefix: ReadonlyArray<Delivery>
  /** How often progress was reported. */
  readonly reports: { readonly progress: number; readonly log: number; readonly partial: number }
  readonly losses: Losses
  readonly input: Json
  /** When the first attempt began. */
  readonly startedAt: number
  readonly lastSeq: number
  /** Whether what comes now is another attempt. */
  readonly isNext: boolean
  /** What became of the task when its code had changed. */
  readonly upgrade: Upgraded
  /** Timers that run, and when they are due. */
  readonly timers: ReadonlyMap<string, number>
  /** What was asked, by the question's key. */
  readonly questions: ReadonlyMap<string, string>
  /** Keys of children that were made under another one. */
  readonly childKeys: ReadonlyMap<TaskId, string>
  /** Where the last attempt began, if the task has recorded nothing since. */
  readonly silentSince: number | undefined
}

/** How the task came through changes of its code. */
interface Upgraded {
  /** How often somebody was asked. */
  readonly asked: number
  /** What was decided and not done yet; `open` while nobody has. */
  readonly pending: InputResponse | "open" | undefined
  /** What the newest code that went on with the task called itself; `undefined`: none has. */
  readonly version: string | undefined
  readonly code: string | undefined
}

/** Questions of the runtime itself have keys of this kind. */
export const upgradeKey = "upgrade"

const isUpgrade = (key: string): boolean => /^upgrade:\d+$/.test(key)

/** Of a task that has not begun. */
export const nothing: Omit<Recorded, "startedAt" | "input"> = {
  deliveries: [],
  begun: new Set(),
  children: new Map(),
  lapsed: new Map(),
  reused: new Map(),
  answers: new Map(),
  prefix: [],
  reports: { progress: 0, log: 0, partial: 0 },
  losses: { all: 0, rateLimited: 0, retryAt: 0 },
  doubts: { intents: new Map(), answers: new Map() },
  lastSeq: 0,
  isNext: false,
  upgrade: { asked: 0, pending: undefined, version: undefined, code: undefined },
  timers: new Map(),
  questions: new Map(),
  childKeys: new Map(),
  silentSince: undefined
}

/** Attempts that were lost. */
interface Losses {
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

type Mark = TaskEvent & { readonly _tag: "Upgraded" }

class Reader {
  deliveries: Array<Delivery> = []
  begun = new Set<string>()
  lapsed = new Map<string, number>()
  reused = new Map<string, Json>()
  answers = new Map<string, Json>()
  prefix: Array<Delivery> = []
  running = new Map<string, number>()
  readonly questions = new Map<string, string>()
  readonly childKeys = new Map<TaskId, string>()
  upgrade: Upgraded = nothing.upgrade
  private readonly marks: Array<Mark & { readonly seq: number }> = []
  readonly doubts = { intents: new Map<string, Intent>(), answers: new Map<string, InputResponse>() }
  attempt = 0
  losses: Losses = { all: 0, rateLimited: 0, retryAt: 0 }
  failed = 0
  reports = { progress: 0, log: 0, partial: 0 }
  input: Json = null
  private isFork = false
  startedAt = 0
  lastSeq = 0

  event(seq: number, at: number, event: TaskEvent): void {
    this.lastSeq = seq
    switch (event._tag) {
      case "Created":
        this.startedAt = at
        this.attempt = event.attempt
        this.input = event.input
        this.isFork = event.spec.forkOf !== undefined
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
      case "Partial":
        this.reports.partial++
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
        return this.takenOver(seq, at, event)
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
        return this.asked(event.request.key, event.request.message)
      case "InputWithdrawn":
        this.begun.delete(event.key)
        return
      case "Upgraded":
        return this.upgraded(seq, at, event)
      case "Steered":
        return this.told(seq, at, event)
      case "InputReceived":
        if (event.key === softKey) return
        if (isUpgrade(event.key)) {
          this.upgrade = { ...this.upgrade, pending: event.response }
          return
        }
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

  private takenOver(seq: number, at: number, event: TaskEvent & { readonly _tag: "StepReused" }): void {
    if (this.isFork) this.prefix.push({ key: event.key, seq, at, fact: factOf(event) })
    else this.reused.set(event.key, event.result)
  }

  private asked(key: string, message: string): void {
    if (isUpgrade(key)) {
      this.upgrade = { ...this.upgrade, asked: this.upgrade.asked + 1, pending: "open" }
      return
    }
    // the runtime's own questions are no part of the code
    if (isOutcomeKey(key) || key === softKey) return
    this.begun.add(key)
    this.questions.set(key, message)
  }

  private upgraded(seq: number, at: number, event: Mark): void {
    const { code, version } = event
    this.upgrade = { ...this.upgrade, pending: undefined, version, code }
    if (event.input !== undefined) this.input = event.input
    this.marks.push({ ...event, seq })
    if (event.choice === "migrate") this.move(event.moves)
    else this.forget(at)
  }

  /** What was recorded is found under other keys. */
  private move(moves: ReadonlyArray<Move>): void {
    const reused = this.deliveries.flatMap(({ fact, key }) =>
      fact._tag === "Step" && fact.exit._tag === "Success" && isReused(moves, key)
        ? [[key, fact.exit.value] as const]
        : []
    )
    this.deliveries = this.deliveries.flatMap((delivery) => {
      const key = moved(moves, delivery.key)
      return key === null ? [] : [{ ...delivery, key }]
    })
    this.begun = new Set([...this.begun].flatMap((key) => moved(moves, key) ?? []))
    this.lapsed = new Map(movedEntries(moves, this.lapsed))
    this.running = new Map(movedEntries(moves, this.running))
    this.reused = new Map(movedEntries(moves, this.reused))
    this.answers = new Map([...movedEntries(moves, this.answers), ...reused, ...supplied(moves)])
  }

  /** What was recorded counts no more: the next attempt is like a first one. */
  private forget(at: number): void {
    this.deliveries = []
    this.begun.clear()
    this.lapsed.clear()
    this.running.clear()
    this.reused.clear()
    this.answers.clear()
    this.prefix = []
    this.reports = { progress: 0, log: 0, partial: 0 }
    this.losses = nothing.losses
    this.failed = this.attempt
    this.startedAt = at
  }

  /** Another attempt begins. */
  lapse(): void {
    for (const [key, due] of this.running) this.lapsed.set(key, due)
    this.running.clear()
  }

  /** The children that count, under the keys they have now. */
  children(records: ReadonlyArray<ChildRecord>): ReadonlyArray<ChildRecord> {
    if (this.marks.length === 0) return records
    return records.flatMap((record) => {
      const key = this.marks.reduce<string | null>((key, mark) => this.childKey(mark, record, key), record.key)
      if (key === null) return []
      if (key !== record.key) this.childKeys.set(record.id, key)
      return [{ ...record, key }]
    })
  }

  /** The key of a child after the code changed; `null` when it counts no more. */
  private childKey(mark: Mark & { readonly seq: number }, child: ChildRecord, key: string | null): string | null {
    const isEarlier = (child.settledSeq ?? Infinity) < mark.seq
    if (key === null || mark.choice === "restart") return isEarlier ? null : key
    if (!isEarlier && !mark.children.includes(child.id)) return key
    if (child.ending?._tag === "Completed" && isReused(mark.moves, key)) this.answers.set(key, child.ending.result)
    return moved(mark.moves, key)
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

const silentSince = ({ events }: Journal): number | undefined => {
  const last = events.at(-1)
  const isBeginning = last?.event._tag === "Started" || last?.event._tag === "Created" && last.event.attempt > 0
  return isBeginning ? last.seq : undefined
}

/** What a fork's code is told. */
const factOf = ({ as, from: id, result }: TaskEvent & { readonly _tag: "StepReused" }): Fact => {
  switch (as) {
    case "failure":
      return { _tag: "Step", exit: { _tag: "Failure", error: result } }
    case "answer":
      return { _tag: "Input", response: result as unknown as InputResponse }
    case "pause":
      return { _tag: "Timer" }
    case "ending": {
      const ending = result as unknown as TaskEvent
      const status = ending._tag === "Completed" ? "completed" : ending._tag === "Failed" ? "failed" : "cancelled"
      return { _tag: "Child", id, status, ending }
    }
    default:
      return { _tag: "Step", exit: { _tag: "Success", value: result } }
  }
}

/** `isRestart`: who ran the task before is gone. */
export const read = (journal: Journal, isRestart: boolean): Recorded => {
  const reader = new Reader()
  for (const { at, event, seq } of journal.events) reader.event(seq, at, event)
  const { attempt } = reader
  const isNext = attempt > 0 && (isRestart || reader.failed === attempt)
  if (isNext) reader.lapse()
  const children = latest(reader.children(journal.children))
  for (const child of children.values()) reader.child(child)
  const { begun, childKeys, deliveries, doubts, lapsed, lastSeq, losses, questions, reports, reused, running } = reader
  const { answers, input, prefix, startedAt, upgrade } = reader
  deliveries.sort((a, b) => a.seq - b.seq)
  const told = { answers, deliveries, begun, children, childKeys, doubts, lapsed, questions, reused, reports }
  return {
    ...told,
    losses,
    input,
    prefix,
    startedAt,
    lastSeq,
    isNext,
    timers: running,
    upgrade,
    silentSince: silentSince(journal)
  }
}
