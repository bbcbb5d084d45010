/**
 * Following a task of 2025-11-25.
 *
 * `tasks/result` is kept open while there is room: it returns at the very end, and servers put their questions on its
 * stream. Beside it, or without it, the task is polled; a pushed status is as good as a poll. Questions are requests of
 * the server, on whichever stream is open, and their answers carry the task they belong to.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { hash } from "node:crypto"
import { Bell } from "./Bell.ts"
import type { Heard } from "./Connection.ts"
import { Desk } from "./Desk.ts"
import type { McpError } from "./errors.ts"
import { type Following, intervalOf, listenFor, poll } from "./follow.ts"
import { bareParams, relatedMeta, withMeta } from "./meta.ts"
import { type Answer, isQuestionMethod, type Question, toQuestion } from "./questions.ts"
import { idText, isRequest, type RpcId, type RpcReply, type RpcRequest } from "./rpc.ts"
import { isOver, type TaskEnd, type TaskSnapshot, toCallResult, toSnapshot } from "./task.ts"

/** The question a request asks. It has no name, so what it says is its name: equal questions have equal ones. */
export const questionOf = (request: RpcRequest): Question | undefined => {
  const { method } = request
  if (!isQuestionMethod(method)) return undefined
  const params = bareParams(request)
  const key = hash("sha256", JSON.stringify([method, params]), "base64url").slice(0, 22)
  return toQuestion(key, method, params)
}

/** The reply that carries an answer back. */
export const replyTo = (id: RpcId, answer: Answer, task: string | undefined): RpcReply => {
  if (answer._tag === "Refusal") return { jsonrpc: "2.0", id, error: { code: answer.code, message: answer.message } }
  const result = task === undefined ? answer.result : withMeta(answer.result, relatedMeta(task))
  return { jsonrpc: "2.0", id, result }
}

/** While `tasks/result` is open a poll only shows that the connection lives. */
const whileHeld = 5_000
/** How long a poll that saw the end leaves it to the open `tasks/result` to bring the result. */
const grace = 1_000
/** How long a `tasks/result` that was cut rests before it is opened again, milliseconds. */
const reopen = 1_000

interface State {
  readonly following: Following
  readonly bell: Bell
  readonly desk: Desk
  isHeld: boolean
  last: TaskSnapshot | undefined
}

const note = (state: State, snapshot: TaskSnapshot): void => {
  state.last = snapshot
  state.following.alive()
  state.following.options.onUpdate?.(snapshot)
}

const hear = (state: State, message: Heard): void => {
  const { connection, reference } = state.following
  if (isRequest(message)) {
    const question = questionOf(message)
    if (question === undefined) return
    state.desk.put(
      String(message.id),
      question,
      (answer) => connection.deliver(replyTo(message.id, answer, reference.taskId))
    )
    return
  }
  if (message.method === "notifications/cancelled") {
    return state.desk.withdraw(idText(message.params?.["requestId"]))
  }
  const snapshot = message.params === undefined ? undefined : toSnapshot(message.params)
  if (snapshot === undefined) return
  note(state, snapshot)
  // the open request brings the rest by itself
  if (!state.isHeld) state.bell.ring()
}

const ask = (state: State): Effect.Effect<TaskSnapshot, McpError> =>
  Effect.tap(poll(state.following), (snapshot) => Effect.sync(() => note(state, snapshot)))

const result = ({ following: { connection, reference } }: State): Effect.Effect<TaskEnd, McpError> =>
  Effect.flatMap(
    connection.request("tasks/result", { taskId: reference.taskId }, { lane: "stream" }),
    (reply): Effect.Effect<TaskEnd, McpError> => {
      const result = toCallResult(reply)
      if (result !== undefined) return Effect.succeed({ _tag: "Completed", result })
      return Effect.fail(connection.fail("tasks/result", { _tag: "InvalidReply", detail: "it holds no tool result" }))
    }
  )

/** What an error of `tasks/result` means: the task's own end, or that the server does not want to be asked yet. */
const explained = (state: State, error: McpError): Effect.Effect<TaskEnd | undefined, McpError> =>
  Effect.gen(function*() {
    const { reason } = error
    if (reason._tag !== "Rpc") return yield* error
    const { status, statusMessage } = yield* ask(state)
    if (status === "cancelled") return { _tag: "Cancelled", message: statusMessage } as const
    if (!isOver(status)) return undefined
    const { code, data, message } = reason
    const fault = { code, message, ...data === undefined ? {} : { data } }
    return { _tag: "Failed", fault } as const
  })

const fetched = (state: State): Effect.Effect<TaskEnd | undefined, McpError> =>
  Effect.catch(result(state), (error) => explained(state, error))

/** One `tasks/result`, marked as open while it is. `"cut"`: the connection lives, the request does not. */
const held = (state: State): Effect.Effect<TaskEnd | "cut" | undefined, McpError> =>
  Effect.suspend(() => {
    state.isHeld = true
    return fetched(state)
  }).pipe(
    Effect.ensuring(Effect.sync(() => {
      state.isHeld = false
    })),
    Effect.catchIf(
      (error) => error.isTransient && state.following.connection.closedBy === undefined,
      () => Effect.succeed("cut" as const)
    )
  )

/** Keeps `tasks/result` open. Never ends when the server does not hold it. */
const hold = (state: State): Effect.Effect<TaskEnd, McpError> =>
  Effect.gen(function*() {
    for (;;) {
      const end = yield* held(state)
      if (end === undefined) return yield* Effect.never
      if (end !== "cut") return end
      // the poll finds out whether the server is there
      state.bell.ring()
      yield* Effect.sleep(reopen)
    }
  })

const watch = (state: State): Effect.Effect<TaskEnd, McpError, Scope.Scope> =>
  Effect.gen(function*() {
    const { bell, following } = state
    if (following.options.isNew === true) yield* bell.wait(wait(state))
    for (;;) {
      const snapshot = yield* ask(state)
      if (snapshot.status === "cancelled") return { _tag: "Cancelled", message: snapshot.statusMessage }
      if (isOver(snapshot.status)) {
        if (state.isHeld) yield* Effect.sleep(grace)
        const end = yield* fetched(state)
        if (end !== undefined) return end
      }
      // questions come on the stream of `tasks/result`
      if (snapshot.status === "input_required" && !state.isHeld) {
        yield* Effect.forkScoped(Effect.ignore(hold(state)))
      }
      yield* bell.wait(wait(state))
    }
  })

const wait = (state: State): number => {
  const interval = intervalOf(state.following, state.last)
  return state.isHeld ? Math.max(interval, whileHeld) : interval
}

/** Follows a task over one connection. */
export const follow = (following: Following): Effect.Effect<TaskEnd, McpError, Scope.Scope> =>
  Effect.gen(function*() {
    const { connection, fork, holds, options, reference } = following
    const state: State = {
      following,
      bell: new Bell(),
      desk: new Desk(fork, options),
      isHeld: false,
      last: undefined
    }
    const release = [connection.follow(reference.taskId, (message) => hear(state, message))]
    const { progressToken } = reference
    if (progressToken !== undefined) {
      release.push(listenFor(connection, progressToken, options))
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const off of release) off()
        state.desk.keepOnly(new Set())
      })
    )
    const waiting = Effect.flatMap(holds.withPermitsIfAvailable(1)(hold(state)), (end) =>
      Option.isSome(end) ? Effect.succeed(end.value) : Effect.never)
    return yield* Effect.raceFirst(waiting, watch(state))
  })
