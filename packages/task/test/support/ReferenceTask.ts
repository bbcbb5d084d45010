/**
 * The states of a task, written down a second time and as plainly as possible. It knows nothing of facts.
 */
import type { Command, RefusalReason } from "../../src/TaskMachine.ts"

export class ReferenceTask {
  status = "working"
  attempt: number
  settled = false
  readonly open = new Set<string>()

  constructor(attempt: number) {
    this.attempt = attempt
  }

  get isOver(): boolean {
    return this.status === "completed" || this.status === "failed" || this.status === "cancelled"
  }

  /** Why the command is refused; `undefined` when it is obeyed. */
  obey(command: Command): RefusalReason["_tag"] | undefined {
    if (command._tag === "Settle") {
      if (!this.isOver) return "NotEnded"
      this.settled = true
      return undefined
    }
    if (command._tag === "Refund" && !this.settled) return undefined
    if (this.isOver) return "AlreadyEnded"
    const wanted = command._tag === "Start" ? this.attempt + 1 : this.attempt
    if ("attempt" in command && command.attempt !== null && command.attempt !== wanted) return "StaleAttempt"
    return this.obeyAlive(command)
  }

  private obeyAlive(command: Command): RefusalReason["_tag"] | undefined {
    switch (command._tag) {
      case "Start":
        this.attempt++
        return undefined
      case "ReuseStep":
        return this.attempt === 0 ? undefined : "StaleAttempt"
      case "RequestInput":
        if (this.open.has(command.request.key)) return "DuplicateInput"
        this.open.add(command.request.key)
        this.status = "input_required"
        return undefined
      case "Respond":
      case "WithdrawInput":
        if (!this.open.delete(command.key)) return "UnknownInput"
        if (this.open.size === 0) this.status = "working"
        return undefined
      case "Complete":
        return this.end("completed", true)
      case "Fail":
        return this.end("failed", ["agent_error", "defect", "replay_mismatch", "budget"].includes(command.reason))
      case "Cancel":
        return this.end("cancelled", false)
      default:
        return undefined
    }
  }

  private end(status: string, settled: boolean): undefined {
    this.status = status
    this.settled = settled
    this.open.clear()
  }
}
