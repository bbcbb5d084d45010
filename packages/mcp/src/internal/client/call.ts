/**
 * `tools/call` of both revisions: sent once, sent again only when that cannot run the tool twice.
 *
 * ```text
 *  2025-11-25   task asked for where tool and server allow it ──► { task } | result
 *  2026-07-28   the server decides ──► task | result | input_required ──► answers, and the call again with them
 * ```
 */
import * as Effect from "effect/Effect"
import type * as Semaphore from "effect/Semaphore"
import type { Connection, Heard } from "./Connection.ts"
import { answered } from "./Desk.ts"
import { brief, type McpError } from "./errors.ts"
import { type CallProgress, listenFor } from "./follow.ts"
import { paramHeaders } from "./headers.ts"
import { type CallContext, contextMeta } from "./meta.ts"
import type { Ask } from "./questions.ts"
import { at, isRequest, type JsonObject, type RpcId, textAt } from "./rpc.ts"
import { silence, type Watch } from "./silence.ts"
import {
  type CallResult,
  questionsOf,
  type TaskReference,
  type TaskSnapshot,
  toCallResult,
  toSnapshot
} from "./task.ts"
import type { Tool } from "./tools.ts"
import { questionOf, replyTo } from "./v2025_11_25.ts"

export interface CallOptions {
  /** Whether the call may become a task. [prefer] */
  readonly task?: "prefer" | "forbid" | undefined
  /** How long the server shall keep the task, milliseconds (2025-11-25). */
  readonly ttl?: number | undefined
  /** How long to wait for the first reply, milliseconds; without it for ever. */
  readonly timeout?: number | undefined
  readonly context?: CallContext | undefined
  /** Added to `_meta` as it is. */
  readonly meta?: JsonObject | undefined
  readonly onProgress?: ((progress: CallProgress) => void) | undefined
  /** Names the progress of this call; of its own making without it. */
  readonly progressToken?: string | undefined
  /** Answers what is asked before there is a task; without it the client's own. */
  readonly ask?: Ask | undefined
  /** Run before each request of the call leaves: a tool that asks first is called again with the answers. */
  readonly beforeSend?: Effect.Effect<void> | undefined
  /** Run when a request of the call ended with questions: nothing of it is under way until the next one. */
  readonly whenAsked?: Effect.Effect<void> | undefined
}

/** What came of a call at once. */
export type CallOutcome =
  | { readonly _tag: "Completed"; readonly result: CallResult }
  | { readonly _tag: "Started"; readonly reference: TaskReference; readonly snapshot: TaskSnapshot }

export interface Call {
  readonly connection: Connection
  readonly name: string
  readonly args: JsonObject
  readonly tool: Tool | undefined
  readonly options: CallOptions
  readonly progressToken: string | undefined
  readonly fork: (effect: Effect.Effect<void>) => unknown
  /** Requests that may be under way at once. A call that asks somebody holds none. */
  readonly calls: Semaphore.Semaphore
  /** How a server that is gone is noticed; a child process that ends is noticed by itself. */
  readonly watch: Watch | undefined
}

/** Rounds of questions before a call is given up. */
const rounds = 100

/** Whether the call asks to become a task (2025-11-25). */
const isAugmented = ({ connection, options, tool }: Call): boolean =>
  !connection.isModern && options.task !== "forbid" && tool !== undefined && tool.taskSupport !== "forbidden" &&
  at(connection.agreement.capabilities, "tasks", "requests", "tools", "call") !== undefined

const paramsOf = (call: Call, isTask: boolean): JsonObject => {
  const { args, name, options, progressToken } = call
  const meta = {
    ...options.meta,
    ...contextMeta(options.context ?? {}),
    ...progressToken === undefined ? {} : { progressToken }
  }
  return {
    name,
    arguments: args,
    ...isTask ? { task: options.ttl === undefined ? {} : { ttl: options.ttl } } : {},
    ...Object.keys(meta).length === 0 ? {} : { _meta: meta }
  }
}

/** Answers what a server asks on the call's own stream (2025-11-25). */
const hear = ({ connection, fork, options }: Call) => {
  const asked = new Map<RpcId, { interruptUnsafe(): void }>()
  return (message: Heard): boolean => {
    if (!isRequest(message)) {
      const id = at(message.params, "requestId")
      const fiber = message.method === "notifications/cancelled" ? asked.get(id as RpcId) : undefined
      fiber?.interruptUnsafe()
      return fiber !== undefined
    }
    const question = questionOf(message)
    if (question === undefined || message.params?.["task"] !== undefined) return false
    const answer = Effect.flatMap(
      answered(options.ask, question),
      (answer) => connection.deliver(replyTo(message.id, answer, undefined))
    )
    asked.set(message.id, fork(Effect.ignore(answer)) as { interruptUnsafe(): void })
    return true
  }
}

const invalid = ({ connection }: Call, detail: string): McpError =>
  connection.fail("tools/call", { _tag: "InvalidReply", detail })

const started = (call: Call, value: unknown): CallOutcome | undefined => {
  const { connection, progressToken } = call
  const snapshot = typeof value === "object" && value !== null ? toSnapshot(value as JsonObject) : undefined
  if (snapshot === undefined) return undefined
  connection.openTasks++
  const { pollInterval, taskId } = snapshot
  const reference: TaskReference = {
    generation: connection.agreement.generation,
    taskId,
    ...connection.isModern || connection.session === undefined ? {} : { session: connection.session },
    ...pollInterval === undefined ? {} : { pollInterval },
    ...progressToken === undefined || connection.isModern ? {} : { progressToken }
  }
  return { _tag: "Started", reference, snapshot }
}

const outcome = (call: Call, reply: JsonObject, isTask: boolean): Effect.Effect<CallOutcome, McpError> => {
  const { connection } = call
  const type = reply["resultType"]
  if (connection.isModern && type === "task") {
    const made = started(call, reply)
    return made === undefined ? Effect.fail(invalid(call, "it describes no task")) : Effect.succeed(made)
  }
  if (connection.isModern && type !== undefined && type !== "complete") {
    return Effect.fail(invalid(call, `result type ${brief(JSON.stringify(type))} is unknown`))
  }
  if (isTask && reply["task"] !== undefined) {
    const made = started(call, reply["task"])
    return made === undefined ? Effect.fail(invalid(call, "it describes no task")) : Effect.succeed(made)
  }
  const result = toCallResult(reply)
  if (result === undefined) return Effect.fail(invalid(call, "it has no content"))
  return Effect.succeed({ _tag: "Completed", result })
}

/** The answers to what an `input_required` result asks, and the state it wants back. */
const answersTo = (call: Call, reply: JsonObject): Effect.Effect<JsonObject, McpError> =>
  Effect.gen(function*() {
    const asked = questionsOf(reply)
    const answers = yield* Effect.forEach(
      asked,
      (question) => Effect.map(answered(call.options.ask, question), (answer) => ({ question, answer })),
      { concurrency: "unbounded" }
    )
    const refused = answers.find(({ answer }) => answer._tag === "Refusal")
    if (refused?.answer._tag === "Refusal") {
      const what = `the tool asks "${refused.question.message}", and the answer is: ${refused.answer.message}`
      return yield* call.connection.fail("tools/call", { _tag: "Unsupported", what })
    }
    const responses = answers.map(({ answer, question }) =>
      [question.key, answer._tag === "Result" ? answer.result : {}] as const
    )
    const state = textAt(reply, "requestState")
    return {
      ...responses.length === 0 ? {} : { inputResponses: Object.fromEntries(responses) },
      ...state === undefined ? {} : { requestState: state }
    }
  })

/** Sends the call over one connection and sees it through its questions. */
export const send = (call: Call): Effect.Effect<CallOutcome, McpError> =>
  Effect.gen(function*() {
    const { args, connection, options, tool } = call
    const isTask = isAugmented(call)
    const params = paramsOf(call, isTask)
    const headers = connection.isModern && tool !== undefined ? paramHeaders(tool.marks, args) : {}
    const request = {
      lane: "call",
      headers,
      timeout: options.timeout,
      hear: hear(call),
      orphaned: isTask ? (reply: JsonObject) => abandon(connection, reply) : undefined
    } as const
    let more: JsonObject = {}
    for (let round = 0; round < rounds; round++) {
      if (options.beforeSend !== undefined) yield* options.beforeSend
      const sent = connection.request("tools/call", { ...params, ...more }, request)
      const watched = call.watch === undefined ? sent : Effect.raceFirst(sent, silence(connection, call.watch))
      const reply = yield* call.calls.withPermit(watched)
      if (!connection.isModern || reply["resultType"] !== "input_required") return yield* outcome(call, reply, isTask)
      if (options.whenAsked !== undefined) yield* options.whenAsked
      more = yield* answersTo(call, reply)
    }
    return yield* invalid(call, `it still asks questions after ${rounds} rounds`)
  }).pipe(listening(call))

/**
 * Gives up a call that may have been made, by its key, at a Coppice. Nothing is started by it, so it may be repeated. A
 * Coppice that does not know of this finds the call's task, or makes one and answers with it.
 */
export const giveUp = (call: Call, timeout: number): Effect.Effect<CallOutcome, McpError> => {
  const { args, connection, tool } = call
  const headers = connection.isModern && tool !== undefined ? paramHeaders(tool.marks, args) : {}
  // it may be waited for as long as a stream is
  const sent = connection.request("tools/call", paramsOf(call, false), { lane: "stream", headers, timeout })
  return Effect.flatMap(sent, (reply) => outcome(call, reply, false))
}

/** A task whose caller went away before it heard of it. */
const abandon = (connection: Connection, reply: JsonObject): void => {
  const taskId = textAt(reply, "task", "taskId")
  if (taskId === undefined || at(connection.agreement.capabilities, "tasks", "cancel") === undefined) return
  connection.send({ jsonrpc: "2.0", id: `abandon-${taskId}`, method: "tasks/cancel", params: { taskId } })
}

const listening = ({ connection, options, progressToken }: Call) => <A, E>(effect: Effect.Effect<A, E>) => {
  if (progressToken === undefined) return effect
  return Effect.acquireUseRelease(
    Effect.sync(() => listenFor(connection, progressToken, options)),
    () => effect,
    (release) => Effect.sync(release)
  )
}
