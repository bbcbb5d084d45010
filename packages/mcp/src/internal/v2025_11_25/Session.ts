/**
 * One session of MCP 2025-11-25: the tasks its client follows, the streams it can be reached on, and what it was asked.
 *
 * ```text
 *  call ─────┐                      ┌─ the stream of the call itself, while it waits
 *  tasks/get ├─► followed task ─────┼─ the standing stream (GET, or the pipe)
 *  tasks/result ┘      │            └─ the stream of tasks/result
 *                      └─ a question is put on the first of these that is open, once; again when that one closes
 * ```
 *
 * Everything here may be lost: a client that comes back follows its tasks anew, and what is open is offered again.
 */
import { untouched } from "@coppice/task/Policy"
import type { Task, TaskId } from "@coppice/task/Task"
import { isTerminal } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import { isEnding } from "@coppice/task/TaskEvent"
import type { OpenInput } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import { canAnswer, type Peer } from "../../Peer.ts"
import type { Door } from "../server/Door.ts"
import { toWire, wireKey } from "../server/inputs.ts"
import { hear, type Hearing, isGraveEnough, logOf, Outgoing, progressOf } from "../server/relay.ts"
import { askThrough, takesTask } from "./clientTask.ts"
import { related, task as toTask } from "./codec.ts"
import type { Stream } from "./Stream.ts"

/** A stream that belongs to one request; `rank` says how gladly it is used. */
interface Bound {
  readonly stream: Stream
  readonly rank: "call" | "result"
}

/** A question on its way. */
interface Question {
  readonly on: Stream
  readonly abort: AbortController
}

/** How often an answer that does not fit is asked for again. */
const attempts = 3

/** How many tasks one session follows; the one followed longest ago gives way. */
const mostFollowed = 10_000

class Followed {
  readonly bound = new Set<Bound>()
  readonly open = new Map<string, OpenInput>()
  readonly questions = new Map<string, Question>()
  readonly refused = new Map<string, number>()
  progress: ((envelope: Envelope) => JsonObject | undefined) | undefined
  isHeard = false
  hearing: Hearing | undefined
  readonly outgoing = new Outgoing()
  readonly task: Task
  /** Its status is told to the client: it knows the task by its handle. */
  isTask = false
  isOver: boolean

  constructor(task: Task) {
    this.task = task
    this.isOver = isTerminal(task.status)
  }
}

/** How many sessions this process has had. */
let made = 0

export class Session {
  private readonly door: Door
  private readonly id = String(++made)
  private readonly followed = new Map<TaskId, Followed>()
  private standing: Stream | undefined
  private logLevel = "info"
  capabilities: JsonObject = {}

  constructor(door: Door) {
    this.door = door
  }

  get peer(): Peer {
    return { ...this.door.caller, session: this.id, capabilities: this.capabilities }
  }

  /** The client said that it knows tasks. */
  get hasTasks(): boolean {
    return this.capabilities["tasks"] !== undefined
  }

  setLogLevel(level: string): void {
    this.logLevel = level
  }

  /** The standing stream was opened, or (`undefined`) closed. */
  stand(stream: Stream | undefined): void {
    const before = this.standing
    this.standing = stream
    if (before !== undefined && before !== stream) {
      for (const followed of this.followed.values()) this.lose(followed, before)
    }
    if (stream !== undefined) { for (const followed of this.followed.values()) this.offerAll(followed) }
  }

  /** How many tasks it follows. */
  get size(): number {
    return this.followed.size
  }

  /** Follows a task from now on; again and again is once. */
  follow(task: Task, options: { readonly isTask: boolean; readonly token?: string | number | undefined }) {
    return Effect.gen({ self: this }, function*() {
      const followed = this.entry(task)
      followed.isTask ||= options.isTask
      if (options.token !== undefined) followed.progress = progressOf(options.token)
      if (!followed.isHeard && !followed.isOver) {
        followed.isHeard = true
        followed.hearing = yield* Effect.onError(
          hear(this.door, task, (envelope) => this.heard(followed, envelope)),
          () => Effect.sync(() => followed.isHeard = false)
        )
      }
      this.letGo(followed)
      return followed
    })
  }

  private entry(task: Task): Followed {
    const known = this.followed.get(task.id)
    if (known !== undefined) return known
    const followed = new Followed(task)
    this.followed.set(task.id, followed)
    this.makeRoom()
    return followed
  }

  private makeRoom(): void {
    if (this.followed.size <= mostFollowed) return
    const [oldest] = this.followed
    if (oldest !== undefined) this.forget(oldest[1])
  }

  /** What has ended and has nobody waiting for it is followed no more. */
  private letGo(followed: Followed): void {
    if (!followed.isOver || followed.bound.size > 0) return
    followed.hearing?.stop()
    this.followed.delete(followed.task.id)
  }

  private forget(followed: Followed): void {
    followed.hearing?.stop()
    for (const key of [...followed.questions.keys()]) this.withdraw(followed, key)
    this.followed.delete(followed.task.id)
  }

  /** Uses the stream of a request for the task's messages; the returned function ends that. */
  bind(task: Task, stream: Stream, rank: Bound["rank"]): () => void {
    const followed = this.entry(task)
    const bound: Bound = { stream, rank }
    followed.bound.add(bound)
    this.offerAll(followed)
    return () => {
      followed.bound.delete(bound)
      this.lose(followed, stream)
      this.offerAll(followed)
      this.letGo(followed)
    }
  }

  /** What was asked on a stream that is gone may be asked on another. */
  private lose({ questions }: Followed, stream: Stream): void {
    for (const [key, question] of [...questions]) {
      if (question.on !== stream) continue
      questions.delete(key)
      question.abort.abort()
    }
  }

  // ---------------------------------------------------------------- facts

  private heard(followed: Followed, envelope: Envelope): void {
    const { event, task } = envelope
    const isRoot = task === followed.task.id
    switch (event._tag) {
      case "InputRequested": {
        const { agent, run } = followed.task
        const { request } = event
        const input: OpenInput = { task, run, agent, since: envelope.at, request, standing: untouched(request.key) }
        followed.open.set(wireKey(followed.task.id, task, event.request.key), input)
        this.offerAll(followed)
        return this.tellStatus(followed)
      }
      case "InputReceived":
      case "InputWithdrawn":
        this.close(followed, wireKey(followed.task.id, task, event.key))
        return this.tellStatus(followed)
      case "Progressed":
        if (isRoot) this.tell(followed, "notifications/progress", followed.progress?.(envelope))
        return
      case "Logged":
        if (isGraveEnough(event.level, this.logLevel)) this.tell(followed, "notifications/message", logOf(event))
        return
      default:
        if (!isEnding(event._tag)) return
        for (const [key, input] of [...followed.open]) if (isRoot || input.task === task) this.close(followed, key)
        if (!isRoot) return
        followed.isOver = true
        this.tellStatus(followed)
        this.letGo(followed)
    }
  }

  private tell({ bound, isTask, outgoing, task }: Followed, method: string, params: JsonObject | undefined): void {
    if (params === undefined) return
    const stream = [...bound][0]?.stream ?? this.standing
    const handle = this.door.calls.seal.handle(task.id)
    const told = stream?.tell(method, isTask ? { ...params, _meta: related(handle) } : params)
    if (told !== undefined) outgoing.add(told)
  }

  private tellStatus({ isTask, task }: Followed): void {
    const { standing } = this
    if (!isTask || standing === undefined) return
    const { calls, run } = this.door
    const view = Effect.flatMap(calls.verbs.get(task.id), (now) => calls.view(now))
    run(view).then(
      (view) => standing.tell("notifications/tasks/status", toTask(calls.seal.handle(task.id), view))
    ).catch(() => {})
  }

  // ---------------------------------------------------------------- questions

  private offerAll(followed: Followed): void {
    for (const key of followed.open.keys()) this.offer(followed, key)
  }

  private offer(followed: Followed, key: string): void {
    const input = followed.open.get(key)
    if (input === undefined || followed.questions.has(key) || (followed.refused.get(key) ?? 0) >= attempts) return
    const { showings } = this.door.calls
    if (!canAnswer(this.peer, input.request)) return showings.shown(this.peer, input)
    if (showings.isShut(this.peer, input)) return
    const stream = this.streamFor(followed)
    if (stream === undefined) return
    const { method, params } = toWire(followed.task.id, input)
    const question: Question = { on: stream, abort: new AbortController() }
    followed.questions.set(key, question)
    showings.shown(this.peer, input)
    const handle = this.door.calls.seal.handle(followed.task.id)
    const sent = {
      ...params,
      ...params["mode"] === "url" ? { elicitationId: `${handle}/${key}` } : {},
      ...followed.isTask ? { _meta: related(handle) } : {},
      ...takesTask(this.capabilities, method) ? { task: {} } : {}
    }
    askThrough(stream, method, sent, question.abort.signal).then(
      (answer) => this.answered(followed, { key, question, answer }),
      (error: unknown) => this.undelivered(followed, { key, question, error })
    )
  }

  /** The call's own stream, the standing one, or that of a `tasks/result`. */
  private streamFor({ bound }: Followed): Stream | undefined {
    const own = [...bound]
    return own.find(({ rank }) => rank === "call")?.stream ?? this.standing ?? own[0]?.stream
  }

  private answered(
    followed: Followed,
    { answer, key, question }: { key: string; question: Question; answer: unknown }
  ) {
    if (followed.questions.get(key) !== question) return
    const { calls, run } = this.door
    const given = Effect.flatMap(
      calls.verbs.get(followed.task.id),
      (task) => calls.answer(this.peer, task, { [key]: answer })
    )
    const settle = () => {
      if (followed.questions.get(key) !== question) return
      followed.questions.delete(key)
      const input = followed.open.get(key)
      // nobody has read it there: it is asked again when the client opens another way, not at once
      if (input === undefined || calls.showings.wasUnread(this.peer, input)) return
      // still open: the answer did not fit
      followed.refused.set(key, (followed.refused.get(key) ?? 0) + 1)
      this.offer(followed, key)
    }
    run(given).then(settle, settle)
  }

  /**
   * The client's user said no, or the client could not be asked: then the question waits for another door, and so does one
   * that was refused before anybody can have read it.
   */
  private undelivered(
    followed: Followed,
    { error, key, question }: { key: string; question: Question; error: unknown }
  ) {
    if (followed.questions.get(key) !== question) return
    followed.questions.delete(key)
    followed.refused.set(key, attempts)
    const isRejection = (error as { readonly code?: unknown } | undefined)?.code === -1
    const input = followed.open.get(key)
    if (input === undefined) return
    const { calls, run } = this.door
    const { peer } = this
    if (!isRejection) {
      return calls.showings.failed(peer, input, (error as { readonly code?: unknown } | undefined)?.code)
    }
    const { by, isOwner } = peer
    const response = { action: "decline", content: null, by } as const
    const declined = calls.verbs.respond({ id: input.task, key: input.request.key, response, isOwner })
    run(Effect.ignore(calls.showings.unread(peer, input, response) ?? declined)).catch(() => {})
  }

  /** The question is over: whoever still shows it is told. */
  private close(followed: Followed, key: string): void {
    followed.open.delete(key)
    this.withdraw(followed, key)
  }

  private withdraw(followed: Followed, key: string): void {
    const question = followed.questions.get(key)
    followed.questions.delete(key)
    question?.abort.abort("The question was answered elsewhere")
  }

  end(): void {
    for (const followed of [...this.followed.values()]) this.forget(followed)
  }
}
