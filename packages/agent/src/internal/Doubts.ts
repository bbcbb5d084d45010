/**
 * What the log knows of steps nobody has seen end, and who waits for a person's word on one.
 */
import type { TaskId } from "@coppice/task/Task"
import type { InputResponse } from "@coppice/task/TaskEvent"
import { LazyMap } from "./lazy.ts"

/** That a step's body was about to run: how often, and for which task it was first. */
export interface Intent {
  readonly runs: number
  readonly from: TaskId | undefined
}

/** What the log knows of such steps: intents by the step's key, answers by the question's. */
export interface RecordedDoubts {
  readonly intents: ReadonlyMap<string, Intent>
  readonly answers: ReadonlyMap<string, InputResponse>
}

/** What an execution knows of them, and who waits for an answer. */
export class Doubts {
  readonly intents: RecordedDoubts["intents"]
  private readonly answers = new LazyMap<string, InputResponse>()
  private readonly waiting = new LazyMap<string, () => void>()
  private readonly news = new LazyMap<string, () => void>()

  constructor({ answers, intents }: RecordedDoubts) {
    this.intents = intents
    for (const [key, response] of answers) this.answers.set(key, response)
  }

  get hasNews(): boolean {
    return this.news.size > 0
  }

  get(key: string): InputResponse | undefined {
    return this.answers.get(key)
  }

  add(key: string, response: InputResponse): void {
    this.answers.set(key, response)
    const waiting = this.waiting.get(key)
    if (waiting === undefined) return
    this.waiting.delete(key)
    this.news.set(key, waiting)
  }

  /** Calls back in a turn of the execution, which has a place by then. */
  wait(key: string, callback: () => void): void {
    this.waiting.set(key, callback)
  }

  forget(key: string): void {
    this.waiting.delete(key)
    this.news.delete(key)
  }

  /** Tells one of those who waited; false when there is nothing to tell. */
  tell(): boolean {
    for (const [key, callback] of this.news) {
      this.news.delete(key)
      callback()
      return true
    }
    return false
  }
}
