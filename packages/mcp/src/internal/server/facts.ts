/**
 * Tells whoever follows a run of its facts, after their commit and at a cost that does not grow with the others followed.
 */
import type { TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import type { TaskLog } from "@coppice/task/TaskLog"

type Listener = (envelope: Envelope) => void

export class Facts {
  private readonly runs = new Map<TaskId, Set<Listener>>()
  readonly close: () => void

  constructor(log: TaskLog["Service"]) {
    this.close = log.onCommit((events) => {
      if (this.runs.size === 0) return
      for (const envelope of events) {
        const listeners = this.runs.get(envelope.run)
        // a copy: whoever is told may take itself out
        if (listeners !== undefined) { for (const listener of [...listeners]) listener(envelope) }
      }
    })
  }

  /** Runs somebody follows. */
  get size(): number {
    return this.runs.size
  }

  follow(run: TaskId, listener: Listener): () => void {
    const listeners = this.runs.get(run)
    if (listeners === undefined) this.runs.set(run, new Set([listener]))
    else listeners.add(listener)
    return () => {
      const left = this.runs.get(run)
      left?.delete(listener)
      if (left?.size === 0) this.runs.delete(run)
    }
  }
}
