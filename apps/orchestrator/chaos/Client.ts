/**
 * A client of the service that does not give up, and remembers every word it was given.
 *
 * Whenever a reply is lost it asks again: submits with the same idempotency key, answers and cancels as they were. What
 * the service has acknowledged goes into the journal, and so does that a reply was lost: then it may have happened.
 */
import type { Envelope, TaskId } from "@coppice/api/Api"
import * as ApiClient from "@coppice/api/ApiClient"
import * as ApiError from "@coppice/api/ApiError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Ack } from "./History.ts"
import type { Address } from "./Service.ts"

/** The service's word that what was asked cannot be done; asking again would not help. */
export type Refusal = ApiError.ApiError

const isRefusal = (error: unknown): error is Refusal => {
  const status = ApiError.isApiError(error) ? ApiError.statusOf(error) : 500
  return status < 500 && status !== 429
}

const isConflict = (refusal: Refusal): boolean => ApiError.statusOf(refusal) === 409

/** How long a request may take; a wait for a result asks anew. */
const requestLimit = "30 seconds"

/** Longest wait in one request, seconds. */
const wait = 20

type WithoutTime<A> = A extends unknown ? Omit<A, "at"> : never

export class Client {
  readonly journal: Array<Ack> = []
  /** Events of the stream in the order they came. */
  readonly seen: Array<Envelope> = []
  /** How often the stream did not know an id it had given out. */
  resets = 0
  private address: Address | undefined
  private api: ApiClient.ApiClient | undefined
  private readonly asked = new Set<string>()

  /** Where the service is from now on; `undefined` while there is none. */
  moved(address: Address | undefined): void {
    this.address = address
    this.api = undefined
  }

  private readonly connect = Effect.gen({ self: this }, function*() {
    while (this.address === undefined) yield* Effect.sleep("10 millis")
    this.api ??= yield* ApiClient.make(this.address)
    return this.api
  })

  private note(ack: WithoutTime<Ack>): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (at) => {
      this.journal.push({ ...ack, at })
    })
  }

  /** Asks until there is an answer. */
  private ask<A>(
    what: string,
    request: (api: ApiClient.ApiClient) => Effect.Effect<A, unknown>
  ): Effect.Effect<A, Refusal> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const api = yield* this.connect
        const result = yield* Effect.result(Effect.timeout(request(api), requestLimit))
        if (Result.isSuccess(result)) return result.success
        if (isRefusal(result.failure)) return yield* Effect.fail(result.failure)
        const { code, message } = ApiClient.describe(result.failure, "the service")
        yield* this.note({ _tag: "Unknown", what, why: `${code}: ${message}` })
        yield* Effect.sleep("30 millis")
      }
    })
  }

  readonly submit = Effect.fnUntraced({ self: this }, function*(agent: string, input: Json, key: string) {
    const task = yield* this.ask(
      "submit",
      (api) => api.tasks.submit({ payload: { agent, input, idempotencyKey: key } })
    )
    yield* this.note({ _tag: "Submitted", agent, input, key, task: task.id })
    return task.id
  })

  readonly questions = Effect.fnUntraced({ self: this }, function*(run: string) {
    const { questions } = yield* this.ask("inbox", (api) => api.inbox.list({ query: { run } }))
    for (const { request, task } of questions) {
      const id = `${task} ${request.key}`
      if (this.asked.has(id)) continue
      this.asked.add(id)
      yield* this.note({ _tag: "Asked", task, key: request.key })
    }
    return questions
  })

  /** Accepts a question. False when the service says that it is not open any more. */
  readonly answer = Effect.fnUntraced({ self: this }, function*(task: string, key: string, content: Json) {
    const payload = { key, action: "accept", content } as const
    const result = yield* Effect.result(
      this.ask("answer", (api) => api.inbox.answer({ params: { id: task }, payload }))
    )
    if (Result.isSuccess(result)) yield* this.note({ _tag: "Answered", task, key, content })
    else if (!isConflict(result.failure)) return yield* Effect.fail(result.failure)
    return Result.isSuccess(result)
  })

  /** How a task ended, or that it has not within the wait. */
  readonly read = Effect.fnUntraced({ self: this }, function*(task: string) {
    return yield* this.ask("result", (api) => api.tasks.result({ params: { id: task }, query: { wait } }))
  })

  /** Waits for the end. */
  readonly result = Effect.fnUntraced({ self: this }, function*(task: string) {
    while (true) {
      const result = yield* this.read(task)
      if (result.task.endedAt === null) continue
      yield* this.note({ _tag: "Result", task, result })
      return result
    }
  })

  /** Cancels a task. False when the service says that it has ended. */
  readonly cancel = Effect.fnUntraced({ self: this }, function*(task: string) {
    const payload = { reason: "the harness changed its mind" }
    const result = yield* Effect.result(
      this.ask("cancel", (api) => api.tasks.cancel({ params: { id: task }, payload }))
    )
    if (Result.isSuccess(result)) yield* this.note({ _tag: "Cancelled", task, report: result.success })
    else if (!isConflict(result.failure)) return yield* Effect.fail(result.failure)
    return Result.isSuccess(result)
  })

  readonly report = Effect.fnUntraced({ self: this }, function*(task: string) {
    return yield* this.ask("report", (api) => api.tasks.cancelReport({ params: { id: task }, query: { wait } }))
  })

  /** Waits until everything below a task has come to rest. */
  readonly settled = Effect.fnUntraced({ self: this }, function*(task: string) {
    while (true) {
      const report = yield* this.report(task)
      if (!report.converged) continue
      yield* this.note({ _tag: "Settled", task, report })
      return report
    }
  })

  /** Why a task has not ended, for people. */
  readonly why = Effect.fnUntraced({ self: this }, function*(task: string) {
    const { causes, waits } = yield* this.ask("why", (api) => api.tasks.why({ params: { id: task } }))
    return [...waits, ...causes].map(({ agent, message, on }) => `${agent} waits on ${on}: ${message}`)
  })

  /** All runs. */
  readonly runs = Effect.gen({ self: this }, function*() {
    const ids: Array<string> = []
    let cursor: TaskId | undefined
    while (true) {
      const query = { roots: true, limit: 500, ...cursor === undefined ? {} : { cursor } }
      const page = yield* this.ask("list", (api) => api.tasks.list({ query }))
      ids.push(...page.tasks.map(({ id }) => id))
      if (page.next === null) return ids
      cursor = page.next
    }
  })

  readonly tree = Effect.fnUntraced({ self: this }, function*(run: string) {
    return (yield* this.ask("tree", (api) => api.tasks.tree({ params: { id: run }, query: { elsewhere: false } })))
      .tasks
  })

  /** Every fact of a run. */
  readonly events = Effect.fnUntraced({ self: this }, function*(run: string) {
    const events: Array<Envelope> = []
    let since = 0
    while (true) {
      const query = { since, limit: 1_000, of: "tree" } as const
      const page = yield* this.ask("events", (api) => api.tasks.events({ params: { id: run }, query }))
      events.push(...page.events)
      if (!page.more) return events
      since = page.next
    }
  })

  /** Follows the whole log from its first fact, across every death of the service. Never ends by itself. */
  readonly follow = Effect.gen({ self: this }, function*() {
    let last: string | undefined
    while (true) {
      const api = yield* this.connect
      const headers = last === undefined ? {} : { "last-event-id": last }
      const stream = Stream.unwrap(api.events.stream({ query: last === undefined ? { since: "0" } : {}, headers }))
      yield* Effect.ignore(Stream.runForEach(stream, (frame) =>
        Effect.sync(() => {
          last = frame.id
          if (frame.event === "message") this.seen.push(frame.data)
          else if (frame.event === "reset") this.resets++
        })))
      yield* Effect.sleep("10 millis")
    }
  })
}
