/**
 * Questions of a remote task, asked as the task's own: a person finds them in the inbox, whoever had them.
 *
 * A question is a fact of the log before anybody can answer it, and so is its answer before the server gets it. After a
 * crash the server asks again; an answer that was given but not delivered is then found in the log, and nobody is asked
 * twice. That an answer was delivered is recorded too: an equal question later is another one.
 */
import type { InputResponse } from "@coppice/task/TaskEvent"
import type { Entry, TaskLog } from "@coppice/task/TaskLog"
import * as Effect from "effect/Effect"
import { accept, type Answer, type Ask, cancel, decline, type Question, refuse } from "./questions.ts"
import { isObject } from "./rpc.ts"

const toAnswer = (question: Question, { action, content }: InputResponse): Answer => {
  if (action === "decline") return decline
  if (action !== "accept") return cancel
  return question.kind === "url" ? accept() : accept(isObject(content) ? content : {})
}

const answeredPrefix = "remote:answered:"

/** The step that says an answer reached the server. */
const answeredKey = (key: string): string => `${answeredPrefix}${key}`

export class RemoteInbox {
  private readonly entry: Entry
  private readonly log: TaskLog["Service"]
  /** Answers in the log, by key. */
  private readonly answers = new Map<string, InputResponse>()
  private readonly delivered: Set<string>
  private readonly waiting = new Map<string, (response: InputResponse) => void>()
  /** The question asked under each of the server's names, while it is open. */
  private readonly keys = new Map<string, string>()

  constructor(options: {
    readonly entry: Entry
    readonly log: TaskLog["Service"]
    readonly answers: ReadonlyMap<string, InputResponse>
    /** Keys of recorded steps. */
    readonly steps: Iterable<string>
  }) {
    this.entry = options.entry
    this.log = options.log
    for (const [key, response] of options.answers) this.answers.set(key, response)
    this.delivered = new Set([...options.steps].filter((key) => key.startsWith(answeredPrefix)))
  }

  private get attempt(): number {
    return this.entry.state.attempt
  }

  /** The first of this question's keys whose answer has not been delivered. */
  private keyFor(question: Question): string {
    for (let n = 0;; n++) {
      const key = n === 0 ? `remote:${question.key}` : `remote:${question.key}:${n}`
      if (!this.delivered.has(answeredKey(key))) return key
    }
  }

  /** Asks a person, and waits. */
  readonly ask: Ask = (question) =>
    Effect.suspend(() => {
      if (question.kind !== "form" && question.kind !== "url") {
        return Effect.succeed(refuse(-32_601, "Coppice answers forms and addresses only"))
      }
      const key = this.keyFor(question)
      this.keys.set(question.key, key)
      const known = this.answers.get(key)
      if (known !== undefined) return Effect.succeed(toAnswer(question, known))
      this.request(key, question)
      return Effect.map(this.response(key), (response) => toAnswer(question, response))
    })

  private request(key: string, { kind, message, schema, url }: Question): void {
    if (this.isOpen(key)) return
    const request = {
      key,
      mode: kind === "url" ? "url" : "form",
      message,
      schema: kind === "url" ? null : schema ?? null,
      url: url ?? null,
      deadline: null
    } as const
    this.log.dispatch(this.entry, { _tag: "RequestInput", attempt: this.attempt, request })
  }

  private isOpen(key: string): boolean {
    return this.entry.state.inputs.some((input) => input.key === key)
  }

  private response(key: string): Effect.Effect<InputResponse> {
    return Effect.callback((resume) => {
      this.waiting.set(key, (response) => resume(Effect.succeed(response)))
      return Effect.sync(() => this.waiting.delete(key))
    })
  }

  /** An answer is in the log. */
  received(key: string, response: InputResponse): void {
    this.answers.set(key, response)
    const resume = this.waiting.get(key)
    this.waiting.delete(key)
    resume?.(response)
  }

  /** The server has the answer. */
  readonly answered = (question: Question): void => {
    const key = this.keys.get(question.key)
    if (key === undefined) return
    this.keys.delete(question.key)
    const step = answeredKey(key)
    this.delivered.add(step)
    const startedAt = this.log.now()
    const exit = { _tag: "Success", value: null } as const
    this.log.dispatch(this.entry, {
      _tag: "RecordStep",
      attempt: this.attempt,
      key: step,
      name: "answer",
      exit,
      startedAt
    })
  }

  /** The server was heard of, and nobody waits for these answers any more: they are not asked now. */
  withdrawIdle(): void {
    for (const { key } of this.entry.state.inputs) {
      if (!this.waiting.has(key)) this.log.dispatch(this.entry, { _tag: "WithdrawInput", attempt: this.attempt, key })
    }
  }
}
