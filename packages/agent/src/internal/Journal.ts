/**
 * What an execution is told, in the order of the log.
 *
 * A *delivery* is a fact the handler's code waits for: a step's result, a timer, an answer, a child's end. Live and
 * replayed executions receive the same deliveries in the same order, one at a time.
 */
import type { TaskId, TaskStatus } from "@coppice/task/Task"
import type { InputResponse, RecordedExit, TaskEvent } from "@coppice/task/TaskEvent"
import type { ChildRecord, Journal } from "@coppice/task/TaskStore"

export type Fact =
  | { readonly _tag: "Step"; readonly exit: RecordedExit }
  | { readonly _tag: "Timer" }
  | { readonly _tag: "Input"; readonly response: InputResponse }
  | { readonly _tag: "Child"; readonly id: TaskId; readonly status: TaskStatus; readonly ending: TaskEvent }

export interface Delivery {
  readonly key: string
  readonly seq: number
  readonly at: number
  readonly fact: Fact
}

/** What earlier executions of the task left: deliveries in order, and everything that was begun. */
export interface Recorded {
  readonly deliveries: ReadonlyArray<Delivery>
  /** Keys of everything begun, whether it ended or not. */
  readonly begun: ReadonlySet<string>
  readonly children: ReadonlyMap<string, TaskId>
  readonly lastSeq: number
}

interface FailedAttempt {
  readonly seq: number
  readonly delivered: number
}

/**
 * A failed attempt cancels its children while it unwinds. The next attempt must not see that as an answer, it calls
 * again: such a child counts as never begun.
 */
const unwound = (child: ChildRecord, failures: ReadonlyArray<FailedAttempt>): boolean =>
  child.ending?._tag === "Cancelled" && child.ending.by === "parent" &&
  child.settledSeq !== null &&
  failures.some((failure) => failure.delivered < child.settledSeq! && child.settledSeq! < failure.seq)

/** The last child under each key: an earlier one under the same key was unwound. */
const latest = (children: ReadonlyArray<ChildRecord>): ReadonlyArray<ChildRecord> => {
  const byKey = new Map<string, ChildRecord>()
  for (const child of children) {
    const known = byKey.get(child.key)
    if (known === undefined || known.id < child.id) byKey.set(child.key, child)
  }
  return [...byKey.values()]
}

export const read = (journal: Journal): Recorded => {
  const deliveries: Array<Delivery> = []
  const begun = new Set<string>()
  const children = new Map<string, TaskId>()
  const failures: Array<FailedAttempt> = []
  let lastSeq = 0
  for (const { at, event, seq } of journal.events) {
    lastSeq = seq
    switch (event._tag) {
      case "AttemptFailed":
        failures.push({ seq, delivered: event.delivered })
        break
      case "StepRecorded":
        begun.add(event.key)
        deliveries.push({ key: event.key, seq, at, fact: { _tag: "Step", exit: event.exit } })
        break
      case "TimerSet":
        begun.add(event.key)
        break
      case "TimerFired":
        deliveries.push({ key: event.key, seq, at, fact: { _tag: "Timer" } })
        break
      case "InputRequested":
        begun.add(event.request.key)
        break
      case "InputReceived":
        deliveries.push({ key: event.key, seq, at, fact: { _tag: "Input", response: event.response } })
        break
    }
  }
  for (const child of latest(journal.children)) {
    if (unwound(child, failures)) continue
    begun.add(child.key)
    children.set(child.key, child.id)
    if (child.settledSeq === null || child.ending === null) continue
    lastSeq = Math.max(lastSeq, child.settledSeq)
    deliveries.push({
      key: child.key,
      seq: child.settledSeq,
      at: child.settledAt ?? 0,
      fact: { _tag: "Child", id: child.id, status: child.status, ending: child.ending }
    })
  }
  deliveries.sort((a, b) => a.seq - b.seq)
  return { deliveries, begun, children, lastSeq }
}
