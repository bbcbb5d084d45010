import type { Decision } from "../Audit.ts"
import type { TaskId } from "../Task.ts"
import type { Envelope, TaskEvent } from "../TaskEvent.ts"
import {
  type Artifact,
  type Batch,
  type Note,
  type Receipt,
  settlementTimer,
  type StoreError,
  type TaskRow,
  type Timer
} from "../TaskStore.ts"
import * as asking from "./asking.ts"
import { decisionOf } from "./auditing.ts"
import type { Resident } from "./residents.ts"

/** Everything decided since the last commit began, and who waits for it. */
export class OpenBatch {
  readonly events: Array<Envelope> = []
  readonly dirty: Array<Resident> = []
  /** Resident parents that hear of a settled child with this batch. */
  readonly inbound: Array<Resident> = []
  readonly woken = new Set<TaskId>()
  readonly timersSet: Array<Timer> = []
  readonly timersCleared: Array<{ readonly task: TaskId; readonly key: string | null }> = []
  readonly receipts: Array<Receipt> = []
  readonly artifacts: Array<Artifact> = []
  readonly cursors = new Map<string, number>()
  readonly notes: Array<Note> = []
  readonly decisions: Array<Decision> = []
  private readonly cancelled = new Set<TaskId>()
  readonly after: Array<(error: StoreError | undefined) => void> = []

  get isEmpty(): boolean {
    return this.events.length === 0 && this.dirty.length === 0 && this.woken.size === 0 &&
      this.timersSet.length === 0 && this.timersCleared.length === 0 && this.receipts.length === 0 &&
      this.artifacts.length === 0 && this.cursors.size === 0 &&
      this.notes.length === 0 && this.decisions.length === 0
  }

  /** What a fact means for the audit. */
  decide({ state }: Resident, event: TaskEvent, at: number): void {
    const isBelow = state.parent !== null && this.cancelled.has(state.parent)
    const decision = decisionOf(state, event, at, isBelow)
    if (decision !== undefined) this.decisions.push(decision)
    if (event._tag === "Cancelled") this.cancelled.add(state.id)
  }

  /** What a fact means for the clock. */
  timers(task: Resident, event: TaskEvent): void {
    const { id } = task.state
    switch (event._tag) {
      case "TimerSet":
        return this.setTimer(task, event.key, event.due)
      case "Steered":
        return event.deadline === undefined ? undefined : this.setTimer(task, "deadline", event.deadline)
      case "InputRequested":
        return this.watch(task, event.request.key)
      case "InputReminded":
      case "InputEscalated":
        return this.watch(task, event.key)
      case "InputReceived":
      case "InputWithdrawn":
        if (task.timed) this.timersCleared.push({ task: id, key: asking.timerOf(event.key) })
        return
      case "TimerFired":
        this.timersCleared.push({ task: id, key: event.key })
        return
      case "Completed":
      case "Failed":
      case "Cancelled":
        if (task.timed) this.timersCleared.push({ task: id, key: null })
        return
      case "Settled":
        if (event.retryAt !== undefined) this.timersSet.push({ task: id, key: settlementTimer, due: event.retryAt })
        // the word before was open as well
        else if (task.state.rest?.at !== undefined) this.timersCleared.push({ task: id, key: settlementTimer })
    }
  }

  private setTimer(task: Resident, key: string, due: number): void {
    task.timed = true
    this.timersSet.push({ task: task.state.id, key, due })
  }

  /** Has the clock look after an open question when something is due of it. */
  private watch(task: Resident, key: string): void {
    const request = asking.openInput(task.state, key)
    const due = request === undefined ? Infinity : asking.dueAt(request, asking.standingOf(task.state, key))
    // the clock clears a timer that has nothing left to do
    if (due === Infinity) return
    const timer = asking.timerOf(key)
    // a question of this name was closed in this batch, and clearing comes last
    const closed = this.timersCleared.findIndex((one) => one.task === task.state.id && one.key === timer)
    if (closed >= 0) this.timersCleared.splice(closed, 1)
    this.setTimer(task, timer, due)
  }

  /** What the store is asked to write: the rows as they are now. From here on the tasks are clean. */
  seal(epoch: number): Batch {
    const created: Array<TaskRow> = []
    const changed: Array<TaskRow> = []
    for (const task of this.dirty) {
      const { createdSeq, endedSeq, parked, settledSeq, state } = task
      // many facts, such as the results of steps, leave the row as it was
      if (state !== task.rowState || parked !== task.rowParked) {
        const rows = task.dirt === 2 ? created : changed
        rows.push({ state, parked, createdSeq, endedSeq, settledSeq })
      }
      task.rowState = state
      task.rowParked = parked
      task.dirt = 0
    }
    const { artifacts, cursors, decisions, events, notes, receipts, timersCleared, timersSet, woken } = this
    return {
      epoch,
      events,
      created,
      changed,
      woken: [...woken],
      timersSet,
      timersCleared,
      receipts,
      artifacts,
      cursors,
      ...notes.length === 0 ? {} : { notes },
      ...decisions.length === 0 ? {} : { decisions }
    }
  }

  finish(error: StoreError | undefined): void {
    for (const callback of this.after) callback(error)
  }
}
