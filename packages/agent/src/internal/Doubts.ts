/**
 * What became of a step nobody has seen end, and how a person is asked when nothing else can tell.
 */
import type { TaskId } from "@coppice/task/Task"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import type { Json, JsonObject } from "effect/Schema"
import { LazyMap } from "./lazy.ts"

const prefix = "outcome_unknown:"

/** No agent's question has a key like this: names have no colon, and other keys begin with `ask:` or `remote:`. */
export const isOutcomeKey = (key: string): boolean => key.startsWith(prefix)

/** The key of the question about the `run`-th time a step's body was about to run; `again`: answers that did not fit. */
export const outcomeKey = (step: string, run: number, again: number): string =>
  `${prefix}${step}:${run}${again === 0 ? "" : `.${again}`}`

const choices: ReadonlyArray<{ readonly const: string; readonly title: string }> = [
  { const: "did_happen", title: "It happened: take the result" },
  { const: "did_not_happen", title: "It did not happen: run it" },
  { const: "give_up", title: "Nobody can tell: fail the step" }
]

const form: JsonObject = {
  type: "object",
  properties: {
    outcome: { type: "string", title: "What became of it", oneOf: choices as never },
    result: { type: "string", title: "Its result as JSON, when it happened", description: "Empty means null" }
  },
  required: ["outcome"]
}

/** The question whether a step happened. */
export const question = (key: string, step: string, doubt: string, idempotencyKey: string): InputRequest => ({
  key,
  mode: "form",
  message: `Did step "${step}" happen? ${doubt} Its idempotency key is ${idempotencyKey}`,
  schema: form,
  url: null,
  deadline: null,
  about: "outcome_unknown"
})

export type Outcome =
  | { readonly _tag: "Happened"; readonly result: Json }
  | { readonly _tag: "DidNotHappen" }
  | { readonly _tag: "GivenUp"; readonly by: string }
  | { readonly _tag: "Unreadable"; readonly problem: string }

/** What a person's answer says. Whoever declines or dismisses the question cannot tell either. */
export const outcomeOf = ({ action, by, content }: InputResponse): Outcome => {
  const { outcome, result } = (action === "accept" ? content : {}) as {
    readonly outcome?: Json
    readonly result?: Json
  }
  if (outcome === "did_not_happen") return { _tag: "DidNotHappen" }
  if (outcome !== "did_happen") return { _tag: "GivenUp", by }
  if (typeof result !== "string" || result.trim() === "") return { _tag: "Happened", result: null }
  try {
    return { _tag: "Happened", result: JSON.parse(result) }
  } catch {
    return { _tag: "Unreadable", problem: "the result is not JSON" }
  }
}

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
