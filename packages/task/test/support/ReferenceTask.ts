/**
 * The states of a task, written down a second time and as plainly as possible. It knows nothing of facts.
 */
import type { Command, RefusalReason } from "../../src/TaskMachine.ts"

/** An open question: who has accepted what, and who gave their right to whom. */
interface Open {
  readonly quorum: number
  readonly deadline: number
  readonly votes: Map<string, unknown>
  readonly delegations: Array<readonly [by: string, to: string]>
}

/** Whether an open question is over with this. */
const closes = ({ deadline, delegations, quorum, votes }: Open, command: Command): boolean => {
  switch (command._tag) {
    case "WithdrawInput":
      return true
    case "TendInput":
      return deadline <= command.now
    case "Delegate": {
      const last = delegations.findLast(([by, to]) => by === command.by || to === command.by)
      if (last?.[0] === command.by && last[1] === command.to) return false
      votes.delete(command.by)
      delegations.push([command.by, command.to])
      return false
    }
    case "Respond": {
      const { action, by, content } = command.response
      if (action !== "accept" || quorum === 1) return true
      votes.set(by, content)
      return [...votes.values()].filter((vote) => vote === content).length >= quorum
    }
    default:
      return false
  }
}

export class ReferenceTask {
  status = "working"
  attempt: number
  settled = false
  readonly open = new Map<string, Open>()

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
        this.open.set(command.request.key, {
          quorum: command.request.policy?.quorum ?? 1,
          deadline: command.request.deadline ?? Infinity,
          votes: new Map(),
          delegations: []
        })
        this.status = "input_required"
        return undefined
      case "Respond":
      case "WithdrawInput":
      case "TendInput":
      case "Delegate":
      case "OfferInput": {
        const open = this.open.get(command.key)
        if (open === undefined) return "UnknownInput"
        if (closes(open, command)) this.open.delete(command.key)
        if (this.open.size === 0) this.status = "working"
        return undefined
      }
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
