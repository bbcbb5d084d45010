import { UnknownAgent, type Worker, type Workers } from "@coppice/task/Worker"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

type Callback = (worker: Worker | string) => void

/**
 * Calls that wait for their agent.
 *
 * Callers of an agent whose server is being restarted wait for it; an agent that was never served here is unknown.
 */
export class Callers {
  private readonly workers: Workers["Service"]
  /** Who waits for agents that are not here now; an agent that was once here has a list. */
  private readonly waiting = new Map<string, Array<Callback>>()

  constructor(workers: Workers["Service"]) {
    this.workers = workers
  }

  /** Calls back with the worker once it can take a task, or with a reason why there is none. */
  whenRoom(agent: string, callback: Callback): void {
    const worker = this.workers.find(agent)
    if (worker !== undefined) {
      return worker.whenRoom(() =>
        this.workers.find(agent) === worker ? callback(worker) : this.whenRoom(agent, callback)
      )
    }
    const waiting = this.waiting.get(agent)
    if (waiting !== undefined) waiting.push(callback)
    else callback(this.unknown(agent))
  }

  private unknown(agent: string): string {
    const exit = Effect.runSyncExit(Effect.flip(this.workers.get(agent)))
    return Exit.isSuccess(exit)
      ? exit.value.message
      : new UnknownAgent({ agent, suggestion: undefined, known: [] }).message
  }

  /** The agent takes tasks. */
  arrived(agent: string): void {
    const callbacks = this.waiting.get(agent) ?? []
    this.waiting.set(agent, [])
    for (const callback of callbacks) this.whenRoom(agent, callback)
  }
}
