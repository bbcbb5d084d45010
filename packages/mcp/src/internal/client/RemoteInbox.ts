/**
 * Questions of a remote task, asked as the task's own: a person finds them in the inbox, whoever had them.
 *
 * A question is a fact of the log before anybody can answer it, and so is its answer before the server gets it. After a
 * crash the server asks again; an answer that was given but not delivered is then found in the log, and nobody is asked
 * twice. That an answer was delivered is recorded too: an equal question later is another one.
 */
import * as Doubt from "@coppice/task/Doubt"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import type { Entry, TaskLog } from "@coppice/task/TaskLog"
import * as Effect from "effect/Effect"
import { hash } from "node:crypto"
import { code } from "./meta.ts"
import { accept, type Answer, type Ask, cancel, decline, type Question, refuse } from "./questions.ts"
import { isObject } from "./rpc.ts"

const toAnswer = (question: Question, { action, content }: InputResponse): Answer => {
  if (action === "decline") return decline
  if (action !== "accept") return cancel
  return question.kind === "url" ? accept() : accept(isObject(content) ? content : {})
}

/** A name for what is asked, whatever the server calls it. */
const digestOf = ({ kind, params }: Question): string =>
  hash("sha256", JSON.stringify([kind, params]), "base64url").slice(0, 22)

/** What questions about the call's outcome are about. */
const doubted = "remote:call"

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
  /** Answers about the call's outcome that could not be taken. */
  private misfits = 0
  /** The server's names are unique in the task's life. */
  isUnique = false

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

  /** The first of an equal question's keys whose answer has not been delivered; a name that is unique is its own. */
  private keyFor(question: Question): string {
    const first = `remote:${question.key}`
    if (this.isUnique) return first
    for (let n = 0;; n++) {
      const key = n === 0 ? first : `${first}:${n}`
      if (!this.delivered.has(answeredKey(key))) return key
    }
  }

  /** Asks for the task: a person answers, and waits for nothing. */
  readonly ask: Ask = (question) => this.asked(question, () => this.keyFor(question))

  /**
   * Asks for one call that is no task yet. A call that begins anew asks the same questions in the same order, and finds
   * the answers it had.
   */
  conversation(): Ask {
    const counts = new Map<string, number>()
    return (question) =>
      this.asked(question, () => {
        const name = digestOf(question)
        const n = counts.get(name) ?? 0
        counts.set(name, n + 1)
        return `remote:call:${name}:${n}`
      })
  }

  private asked(question: Question, keyOf: () => string): Effect.Effect<Answer> {
    return Effect.suspend(() => {
      if (question.kind !== "form" && question.kind !== "url") {
        return Effect.succeed(refuse(code.methodNotFound, "Coppice answers forms and addresses only"))
      }
      const key = keyOf()
      this.keys.set(question.key, key)
      const known = this.answers.get(key)
      if (known !== undefined) return Effect.succeed(toAnswer(question, known))
      this.request(key, question)
      return Effect.map(this.response(key), (response) => toAnswer(question, response))
    })
  }

  private request(key: string, { kind, message, schema, url }: Question): void {
    this.open({
      key,
      mode: kind === "url" ? "url" : "form",
      message,
      schema: kind === "url" ? null : schema ?? null,
      url: url ?? null,
      deadline: null
    })
  }

  /** Once: an earlier process may have asked it. */
  private open(request: InputRequest): void {
    if (this.entry.state.inputs.some((input) => input.key === request.key)) return
    this.log.dispatch(this.entry, { _tag: "RequestInput", attempt: this.attempt, request })
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
    this.consume(key)
  }

  private consume(key: string): void {
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

  // ---------------------------------------------------------------- what became of the call

  /** The how-manieth time the call is in doubt: those before are settled. */
  private get doubts(): number {
    let n = 0
    while (this.delivered.has(answeredKey(Doubt.outcomeKey(doubted, n, 0)))) n++
    return n
  }

  private get doubtKey(): string {
    return Doubt.outcomeKey(doubted, this.doubts, this.misfits)
  }

  /** What somebody has said of the call that is in doubt now. */
  get doubtAnswer(): InputResponse | undefined {
    return this.answers.get(this.doubtKey)
  }

  /** Asks a person what became of the call. */
  doubt(message: string): Effect.Effect<InputResponse> {
    return Effect.suspend(() => {
      const key = this.doubtKey
      const known = this.answers.get(key)
      if (known !== undefined) return Effect.succeed(known)
      this.open(Doubt.question(key, message))
      return this.response(key)
    })
  }

  /** The answer cannot be taken: the next one counts. */
  refuseDoubt(): void {
    this.misfits++
  }

  /** The call is known not to have happened. A later doubt is another one. */
  settleDoubt(): void {
    this.consume(Doubt.outcomeKey(doubted, this.doubts, 0))
    this.misfits = 0
  }

  /** Nobody has to be asked about the call any more. */
  withdrawDoubt(): void {
    const { doubts } = this
    this.withdraw((key) => Doubt.isAbout(key, doubted, doubts))
  }

  // ---------------------------------------------------------------- withdrawing

  /** These are all the questions the task has: what else is open is not asked any more. */
  keepOnly(questions: ReadonlyArray<Question>): void {
    const keys = new Set(questions.map(({ key }) => `remote:${key}`))
    this.withdraw((key) => !keys.has(key))
  }

  /** The task goes on: what nobody waits for is not asked any more. */
  withdrawIdle(): void {
    this.withdraw((key) => !this.waiting.has(key))
  }

  private withdraw(isOver: (key: string) => boolean): void {
    for (const { key } of this.entry.state.inputs) {
      if (isOver(key)) this.log.dispatch(this.entry, { _tag: "WithdrawInput", attempt: this.attempt, key })
    }
  }
}
