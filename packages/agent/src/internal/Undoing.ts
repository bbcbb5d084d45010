/**
 * Ended tasks whose sagas have something to undo, and whose code nobody runs: the process died while it undid, or the task
 * was not in memory when it was cancelled.
 *
 * Such a task is replayed to the end of its log, where its code is interrupted as the cancel would have done it, so that
 * its compensations run. What they do is not recorded: a kill in the middle has them run again, under the same keys.
 */
import type { TaskId } from "@coppice/task/Task"
import type { Entry } from "@coppice/task/TaskLog"
import type { TaskStore } from "@coppice/task/TaskStore"
import * as Exit from "effect/Exit"
import type { AgentServer } from "./AgentServer.ts"
import { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"
import { read } from "./Journal.ts"
import type { Probation } from "./Probation.ts"

export class Undoing {
  private readonly host: Host
  private readonly store: TaskStore["Service"]
  private readonly probation: Probation
  private readonly quarantine: number
  private readonly begin: (execution: Execution) => void
  private readonly reading = new Set<TaskId>()

  constructor(
    services: { readonly host: Host; readonly store: TaskStore["Service"]; readonly probation: Probation },
    quarantine: number,
    begin: (execution: Execution) => void
  ) {
    this.host = services.host
    this.store = services.store
    this.probation = services.probation
    this.quarantine = quarantine
    this.begin = begin
  }

  /** Takes over the caller's pin. */
  bringBack(server: AgentServer, entry: Entry): void {
    const { id } = entry.state
    if (entry.held || this.reading.has(id)) return this.host.log.release(entry)
    this.reading.add(id)
    this.host.fork(this.host.pools.with(entry, this.store.journal(id))).addObserver((exit) => {
      this.reading.delete(id)
      const journal = Exit.isSuccess(exit) ? exit.value : undefined
      if (journal === undefined || server.isRetired || entry.held) return this.leave(entry)
      const past = read(journal, false)
      const deaths = this.probation.deathsOf(id, past.silentSince)
      if (deaths < this.quarantine) return this.begin(new Execution(server, entry, past.input, past))
      this.host.pools.drop(id)
      this.host.settler.settle(entry, "unknown")
    })
  }

  /** A later sweep finds it again. */
  private leave(entry: Entry): void {
    if (!entry.held) this.host.pools.drop(entry.state.id)
    this.host.log.release(entry)
  }
}
