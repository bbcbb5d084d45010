/**
 * `coppice answer <id>`: answers a task's question, with flags or field by field in the terminal.
 *
 * The id may be the asking task's or that of anything above it. The first valid answer wins; whoever comes later is told
 * who was faster.
 */
import type { TaskEvent } from "@coppice/api/Api"
import type { Question } from "@coppice/api/InboxApi"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import { askForm } from "../Ask.ts"
import { Connection } from "../Connection.ts"
import { badInput, exitCodes, type Failure, silent } from "../Failure.ts"
import { fieldsOf, hintOf } from "../Form.ts"
import { begin, type FormState, refused } from "../FormPrompt.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { readJson } from "../Input.ts"
import { line, muted, span, strong } from "../Line.ts"
import { tellShown } from "../Shown.ts"

export interface Options {
  readonly id: string
  readonly accept: string | undefined
  readonly decline: boolean
  readonly cancel: boolean
  readonly delegate: string | undefined
  readonly key: string | undefined
  readonly json: boolean
}

interface Decision {
  readonly action: "accept" | "decline" | "cancel"
  readonly content?: Json
}

/** What the flags decide; `undefined` when they decide nothing. */
const decided = Effect.fnUntraced(function*({ accept, cancel, decline, delegate }: Options) {
  const given = [accept !== undefined, decline, cancel, delegate !== undefined].filter(Boolean).length
  if (given > 1) return yield* badInput("Give one of --accept, --decline, --cancel and --delegate, not several")
  if (accept !== undefined) return { action: "accept", content: yield* readJson(accept, "--accept") } as const
  return given === 0 ? undefined : { action: decline ? "decline" : "cancel" } as const
})

/** The last answer the task got, for whoever comes too late. */
const lastAnswer = Effect.fnUntraced(function*(id: string) {
  const { call, client } = yield* Connection
  const { events } = yield* call(client.tasks.events({ params: { id }, query: {} }))
  const last = events.findLast(({ event }) => event._tag === "InputReceived")
  return last?.event._tag === "InputReceived"
    ? `; ${last.event.response.by} answered its last question (${last.event.response.action})`
    : ""
})

const nothingOpen = Effect.fnUntraced(function*(id: string, agent: string, status: string) {
  return yield* badInput(
    `Task ${id} (${agent}, ${status}) asks nothing now, and nothing below it does${yield* lastAnswer(id)}`,
    "coppice inbox lists every open question"
  )
})

const several = (questions: ReadonlyArray<Question>): Failure =>
  badInput(
    `There are ${questions.length} open questions there`,
    `say which: ${
      questions.map(({ request, task }) => `coppice answer ${task} --key ${JSON.stringify(request.key)}`).join("  or  ")
    }`
  )

/** The question meant: the only one of that task, or of what is below it; a person at a terminal gets the oldest. */
const findQuestion = Effect.fnUntraced(function*({ id, key }: Options, isAsking: boolean) {
  const { call, client } = yield* Connection
  const task = yield* call(client.tasks.get({ params: { id } }))
  const { questions } = yield* call(client.inbox.list({ query: { run: task.run, limit: 1_000 } }))
  const own = questions.filter((question) => question.task === task.id)
  const below = own.length > 0 ? own : yield* askedBelow(task.id, questions)
  const meant = below.filter(({ request }) => key === undefined || request.key === key)
  const [first] = [...meant].sort((a, b) => a.since - b.since)
  if (first === undefined) return yield* nothingOpen(task.id, task.agent, task.status)
  if (meant.length > 1 && !isAsking) return yield* several(meant)
  return first
})

const askedBelow = Effect.fnUntraced(function*(id: string, questions: ReadonlyArray<Question>) {
  if (questions.length === 0) return questions
  const { call, client } = yield* Connection
  const { tasks } = yield* call(client.tasks.tree({ params: { id }, query: { elsewhere: false } }))
  const ids = new Set<string>(tasks.map((task) => task.id))
  return questions.filter(({ task }) => ids.has(task))
})

const send = Effect.fnUntraced(function*({ request, task }: Question, decision: Decision) {
  const { call, client } = yield* Connection
  return yield* call(client.inbox.answer({ params: { id: task }, payload: { key: request.key, ...decision } }))
})

/** How the question was closed by this fact, if it was. */
const closing = (event: TaskEvent, key: string): string | undefined => {
  if (event._tag === "InputReceived" && event.key === key) {
    return `${event.response.by} answered first (${event.response.action})`
  }
  const isGone = event._tag === "InputWithdrawn" && event.key === key
  return isGone || ["Completed", "Failed", "Cancelled"].includes(event._tag) ? "the question was withdrawn" : undefined
}

/** Waits until the question is closed, by whomever, and says by whom. */
const closedElsewhere = Effect.fnUntraced(function*({ request, task }: Question) {
  const { facts } = yield* Connection
  const last = yield* facts({ task }).pipe(
    Stream.filter(({ event }) => closing(event, request.key) !== undefined),
    Stream.runHead
  )
  return last._tag === "Some" ? closing(last.value.event, request.key) ?? "" : yield* Effect.never
})

/** Asks until the service takes the answer. */
const ask = Effect.fnUntraced(function*(question: Question) {
  const { err } = yield* Host
  let state: FormState = begin(question)
  yield* Effect.forkChild(tellShown([question]))
  while (true) {
    const asked = yield* askForm(state, closedElsewhere(question))
    if (asked._tag === "Leave") {
      writeLines(err, [line(muted("Left open."))])
      return undefined
    }
    if (asked._tag === "Closed") {
      writeLines(err, [line(span("? ", "wait"), strong(question.agent), `: ${asked.why}`)])
      return yield* silent(exitCodes.badInput)
    }
    const { action, content } = asked
    const sent = yield* Effect.result(send(question, { action, ...(content === undefined ? {} : { content }) }))
    if (sent._tag === "Success") return { task: sent.success, action }
    if (sent.failure.code !== "invalid_answer") return yield* sent.failure
    state = refused(state, sent.failure.message)
  }
})

const noFlags = ({ agent, request }: Question): Failure => {
  const fields = request.mode === "form" ? fieldsOf(request.schema) : []
  const wanted = fields.map((field) => `${field.key ?? "answer"}: ${hintOf(field)}`).join("; ")
  return badInput(
    `${agent} asks: ${request.message}${wanted === "" ? "" : ` (${wanted})`}`,
    "without a terminal, answer with --accept JSON, --decline or --cancel"
  )
}

/** Whether the question still stands after an answer: it needs more of them. */
const stands = Effect.fnUntraced(function*({ request, run, task }: Question) {
  if ((request.policy?.quorum ?? 1) === 1) return undefined
  const { call, client } = yield* Connection
  const { questions } = yield* call(client.inbox.list({ query: { run, limit: 1_000 } }))
  return questions.find((other) => other.task === task && other.request.key === request.key)
})

/** What became of an answer. */
const said = Effect.fnUntraced(function*(question: Question, action: Decision["action"]) {
  const open = action === "accept" ? yield* stands(question) : undefined
  if (open !== undefined) return `voted, ${open.standing.votes.length} of ${open.request.policy?.quorum} agreed`
  return action === "accept" ? "answered" : action === "decline" ? "declined" : "dismissed"
})

const delegateTo = Effect.fnUntraced(function*({ request, task }: Question, to: string) {
  const { call, client } = yield* Connection
  return yield* call(client.inbox.delegate({ params: { id: task }, payload: { key: request.key, to } }))
})

export const answer = Effect.fn("answer")(function*(options: Options) {
  const { canAsk, out } = yield* Host
  const decision = yield* decided(options)
  const isAsking = decision === undefined && options.delegate === undefined && canAsk
  const question = yield* findQuestion(options, isAsking)
  const tell = (what: string) =>
    writeLines(out, [line(span("✔ ", "good"), strong(question.agent), `: ${what}`, muted(`  ${question.task}`))])
  if (options.delegate !== undefined) {
    const task = yield* delegateTo(question, options.delegate)
    return options.json ? writeJson(out, task) : tell(`delegated to ${options.delegate}`)
  }
  if (decision === undefined && !isAsking) return yield* noFlags(question)
  const answered = decision === undefined
    ? yield* ask(question)
    : { task: yield* send(question, decision), action: decision.action }
  if (answered === undefined) return
  if (options.json) return writeJson(out, answered.task)
  tell(yield* said(question, answered.action))
})
