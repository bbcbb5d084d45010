/**
 * The one front door: every path (CLI, console, HTTP, MCP, another agent) ends in these verbs.
 *
 * Verbs that write succeed only when what they did is durable. Reads see committed facts only.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import * as Stream from "effect/Stream"
import { checkAnswer, type InvalidAnswer } from "./Form.ts"
import { digest } from "./internal/digest.ts"
import { canonical, check, type PayloadTooLarge } from "./Payload.ts"
import { Settler } from "./Settler.ts"
import { type Budget, defaultRetention, isTerminal, type ParentExit, type Settlement, type Task, type TaskId } from "./Task.ts"
import { type Envelope, type InputResponse, isEnding, type TaskEvent } from "./TaskEvent.ts"
import { isTaskId } from "./TaskIds.ts"
import { type Entry, TaskLog } from "./TaskLog.ts"
import type { Refused } from "./TaskMachine.ts"
import { type Artifact, type EventQuery, type OpenInput, type StoreError, type TaskQuery, type TaskRow, TaskStore } from "./TaskStore.ts"
import { type InvalidInput, QueueFull, type UnknownAgent, type Worker, Workers } from "./Worker.ts"

/** A request for work. Times in Unix milliseconds, durations in milliseconds. */
export interface Submit {
  readonly agent: string
  readonly input: Json
  readonly principal?: string | undefined
  /** With it, a repeated submit of the same input returns the first one's task; it lives as long as that task. */
  readonly idempotencyKey?: string | undefined
  readonly deadline?: number | undefined
  readonly ttl?: number | undefined
  readonly retention?: number | undefined
  readonly priority?: number | undefined
  readonly budget?: Budget | undefined
  readonly retryOf?: TaskId | undefined
  readonly trace?: { readonly traceId: string; readonly parentSpanId: string } | undefined
  readonly meta?: JsonObject | undefined
}

/** What a parent's call adds: who calls, under which key. */
export interface SubmitChild {
  readonly parent: Entry
  readonly key: string
  readonly input: Json
  readonly worker: Worker
  readonly deadline: number | null
  readonly onParentExit: ParentExit
}

/** There is no such task, or the caller may not know of it. */
export class TaskNotFound extends Data.TaggedError("TaskNotFound")<{ readonly id: string }> {
  override get message(): string {
    return `No task "${this.id}"`
  }
}

/** More than one task has an id with this beginning. */
export class AmbiguousId extends Data.TaggedError("AmbiguousId")<{
  readonly prefix: string
  readonly candidates: ReadonlyArray<TaskId>
}> {
  override get message(): string {
    return `"${this.prefix}" is the beginning of several task ids: ${this.candidates.join(", ")}`
  }
}

/** The idempotency key was used before, with another input. */
export class KeyReused extends Data.TaggedError("KeyReused")<{ readonly key: string; readonly task: TaskId }> {
  override get message(): string {
    return `Idempotency key "${this.key}" was used for task ${this.task} with another input; use a new key`
  }
}

/** The run cannot be removed because something of it still runs. */
export class StillRunning extends Data.TaggedError("StillRunning")<{ readonly run: TaskId }> {
  override get message(): string {
    return `Run ${this.run} has not ended; cancel it first`
  }
}

/** Which part of the log to follow: one task, one run, or all; after the sequence number `since`. */
export interface Watch {
  readonly run?: TaskId | undefined
  readonly task?: TaskId | undefined
  readonly since: number
}

export type SubmitError = UnknownAgent | InvalidInput | QueueFull | KeyReused | PayloadTooLarge | StoreError
export type RespondError = TaskNotFound | Refused | InvalidAnswer | StoreError

/** How a task ended. */
export interface Outcome {
  readonly task: Task
  readonly ending: TaskEvent
}

/** Every descendant of a cancelled task and how it came to rest; `null` while it has not. */
export interface CancelReport {
  readonly task: TaskId
  readonly converged: boolean
  readonly nodes: ReadonlyArray<{
    readonly id: TaskId
    readonly parent: TaskId | null
    readonly agent: string
    readonly status: Task["status"]
    readonly settlement: Settlement | null
    /** Milliseconds from its end to its rest. */
    readonly took: number | null
  }>
}

export class Tasks extends Context.Service<Tasks, {
  readonly submit: (request: Submit) => Effect.Effect<Task, SubmitError>
  /**
   * Creates a child now and starts it. Not durable when this returns: the caller's barrier is the child's own first
   * visible effect, or its end. Only for workers of this process.
   */
  readonly submitChild: (request: SubmitChild) => Entry
  readonly get: (id: TaskId) => Effect.Effect<Task, TaskNotFound | StoreError>
  /** Finds a task by its id or by an unambiguous beginning of it. */
  readonly resolve: (prefix: string) => Effect.Effect<TaskId, TaskNotFound | AmbiguousId | StoreError>
  readonly list: (query: TaskQuery) => Effect.Effect<ReadonlyArray<Task>, StoreError>
  readonly tree: (id: TaskId) => Effect.Effect<ReadonlyArray<Task>, TaskNotFound | StoreError>
  readonly input: (id: TaskId) => Effect.Effect<Json, TaskNotFound | StoreError>
  /** Waits for the end. The waiter is woken by the commit, never by a poll. */
  readonly result: (id: TaskId) => Effect.Effect<Outcome, TaskNotFound | StoreError>
  readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<Envelope>, StoreError>
  /** The log after `since`, then what is added to it, without gap or repetition. Never ends by itself. */
  readonly watch: (query: Watch) => Stream.Stream<Envelope, StoreError>
  readonly inbox: (query: {
    readonly run?: TaskId | undefined
    readonly limit?: number | undefined
  }) => Effect.Effect<ReadonlyArray<OpenInput>, StoreError>
  /** Answers a task's open question; the only one when `key` is left out. First valid answer wins. */
  readonly respond: (request: {
    readonly id: TaskId
    readonly key?: string | undefined
    readonly response: InputResponse
  }) => Effect.Effect<Task, RespondError>
  /** Sets the whole subtree to `cancelled` in one commit. An ended task is refused. */
  readonly cancel: (request: {
    readonly id: TaskId
    readonly by: string
    readonly reason?: string | undefined
  }) => Effect.Effect<CancelReport, TaskNotFound | Refused | StoreError>
  /** The same from within the process, without waiting for the commit. */
  readonly cancelNow: (entry: Entry, by: string, reason: string | null) => void
  readonly cancelReport: (id: TaskId) => Effect.Effect<CancelReport, TaskNotFound | StoreError>
  /** Fails a task whose deadline has passed and cancels what is below it. */
  readonly expire: (id: TaskId) => Effect.Effect<void, StoreError>
  /** Submits the task's input again as a new task that knows which one it retries. */
  readonly retry: (id: TaskId, options?: {
    readonly principal?: string | undefined
  }) => Effect.Effect<Task, SubmitError | TaskNotFound>
  /** Removes an ended run. Returns how many tasks went. */
  readonly delete: (run: TaskId) => Effect.Effect<number, TaskNotFound | StillRunning | StoreError>
  readonly putArtifact: (artifact: Omit<Artifact, "digest">) => Effect.Effect<string, StoreError>
  readonly artifact: (digest: string) => Effect.Effect<Artifact | undefined, StoreError>
}>()("@coppice/task/Tasks") {}

const notFound = (id: string) => Effect.fail(new TaskNotFound({ id }))

const make = Effect.gen(function*() {
  const store = yield* TaskStore
  const log = yield* TaskLog
  const workers = yield* Workers
  const settler = yield* Settler
  const waiters = new Map<TaskId, Set<() => void>>()
  const watchers = new Set<(events: ReadonlyArray<Envelope>) => void>()
  const keys = new Map<string, { readonly task: TaskId; readonly digest: string }>()

  const stop = log.onCommit((events) => {
    for (const watcher of watchers) watcher(events)
    if (waiters.size === 0) return
    for (const { event, task } of events) {
      if (!isEnding(event._tag)) continue
      const waiting = waiters.get(task)
      if (waiting !== undefined) for (const wake of waiting) wake()
    }
  })
  yield* Effect.addFinalizer(() => Effect.sync(stop))

  const guard = Effect.suspend(() => log.trouble === undefined ? Effect.void : Effect.fail(log.trouble))

  const load = Effect.fnUntraced(function*(id: TaskId): Effect.fn.Return<TaskRow, TaskNotFound | StoreError> {
    const row = yield* store.load(id)
    return row === undefined ? yield* notFound(id) : row
  })

  const acquire = Effect.fnUntraced(function*(id: TaskId): Effect.fn.Return<Entry, TaskNotFound | StoreError> {
    const entry = yield* log.acquire(id)
    return entry === undefined ? yield* notFound(id) : entry
  })

  const earlier = Effect.fnUntraced(function*(request: Submit, principal: string, input: Json) {
    const key = request.idempotencyKey
    if (key === undefined) return undefined
    const scope = JSON.stringify([principal, request.agent, key])
    const hash = digest(canonical(input))
    const receipt = keys.get(scope) ?? (yield* store.receipt(principal, request.agent, key))
    if (receipt === undefined) return { scope, hash, task: undefined }
    if (receipt.digest !== hash) return yield* new KeyReused({ key, task: receipt.task })
    return { scope, hash, task: receipt.task }
  })

  const submit = Effect.fn("Tasks.submit")(function*(request: Submit): Effect.fn.Return<Task, SubmitError> {
    const worker = yield* workers.get(request.agent)
    const input = yield* worker.accept(request.input)
    const tooLarge = check(`The input of "${request.agent}"`, input)
    if (tooLarge !== undefined) return yield* tooLarge
    const principal = request.principal ?? "local"
    yield* guard
    const known = yield* earlier(request, principal, input)
    if (known?.task !== undefined) {
      yield* log.barrier
      return (yield* Effect.orDie(load(known.task))).state
    }
    if (worker.waiting() >= worker.contract.queue) {
      return yield* new QueueFull({ agent: request.agent, limit: worker.contract.queue, retryAfter: 1_000 })
    }
    const id = log.ids.next(log.now())
    const entry = log.create(rootCreation(request, principal, worker, input, id), id)
    if (known !== undefined) remember(known.scope, known.hash, request, principal, id)
    const state = entry.state
    worker.start(entry, input)
    yield* log.barrier
    return state
  })

  const remember = (scope: string, hash: string, request: Submit, principal: string, task: TaskId): void => {
    log.addReceipt({ principal, agent: request.agent, key: request.idempotencyKey!, task, digest: hash })
    keys.set(scope, { task, digest: hash })
    log.afterCommit(() => keys.delete(scope))
  }

  const rootCreation = (request: Submit, principal: string, worker: Worker, input: Json, id: TaskId) => ({
    run: id,
    parent: null,
    key: null,
    agent: request.agent,
    input,
    attempt: worker.hasPlace() ? 1 as const : 0 as const,
    deadline: request.deadline ?? null,
    spec: {
      version: worker.contract.version,
      principal,
      idempotencyKey: request.idempotencyKey ?? null,
      depth: 0,
      priority: request.priority ?? 0,
      ttl: request.ttl ?? null,
      retention: request.retention ?? defaultRetention,
      budget: request.budget ?? null,
      onParentExit: "stop" as const,
      retryOf: request.retryOf ?? null,
      trace: {
        traceId: request.trace?.traceId ?? log.ids.traceId(),
        spanId: log.ids.spanId(),
        parentSpanId: request.trace?.parentSpanId ?? null
      },
      meta: request.meta ?? null
    }
  })

  const submitChild = (request: SubmitChild): Entry => {
    const parent = request.parent.state
    const id = log.ids.next(log.now())
    const entry = log.create({
      run: parent.run,
      parent: parent.id,
      key: request.key,
      agent: request.worker.contract.name,
      input: request.input,
      attempt: request.worker.hasPlace() ? 1 : 0,
      deadline: earliest(request.deadline, parent.deadline),
      spec: {
        version: request.worker.contract.version,
        principal: parent.spec.principal,
        idempotencyKey: null,
        depth: parent.spec.depth + 1,
        priority: parent.spec.priority,
        ttl: null,
        retention: parent.spec.retention,
        budget: null,
        onParentExit: request.onParentExit,
        retryOf: null,
        trace: {
          traceId: parent.spec.trace.traceId,
          spanId: log.ids.spanId(),
          parentSpanId: parent.spec.trace.spanId
        },
        meta: null
      }
    }, id)
    request.worker.start(entry, request.input)
    return entry
  }

  const resolve = Effect.fn("Tasks.resolve")(function*(prefix: string) {
    const text = prefix.toLowerCase()
    if (isTaskId(text)) return text
    const candidates = yield* store.findIds(text, 6)
    if (candidates.length === 0) return yield* notFound(prefix)
    if (candidates.length > 1) return yield* new AmbiguousId({ prefix, candidates })
    return candidates[0]!
  })

  /** Calls back at the task's end, until taken back. */
  const onEnd = (id: TaskId, wake: () => void): () => void => {
    const waiting = waiters.get(id) ?? new Set()
    waiters.set(id, waiting.add(wake))
    return () => {
      waiting.delete(wake)
      if (waiting.size === 0) waiters.delete(id)
    }
  }

  const outcome = Effect.fnUntraced(function*(id: TaskId) {
    const row = yield* load(id)
    const ending = isTerminal(row.state.status) ? yield* store.ending(id) : undefined
    return ending === undefined ? undefined : { task: row.state as Task, ending }
  })

  const result = Effect.fn("Tasks.result")(function*(id: TaskId): Effect.fn.Return<Outcome, TaskNotFound | StoreError> {
    const end = yield* Deferred.make<void>()
    const unregister = onEnd(id, () => Deferred.doneUnsafe(end, Effect.void))
    return yield* Effect.gen(function*() {
      const ended = yield* outcome(id)
      if (ended !== undefined) return ended
      yield* Deferred.await(end)
      return (yield* outcome(id))!
    }).pipe(Effect.ensuring(Effect.sync(unregister)))
  })

  /** The next facts after `since`, at once or when they come. Subscribed before it reads, so nothing is missed. */
  const following = Effect.fnUntraced(function*(query: Watch, since: number) {
    while (true) {
      const news = yield* Deferred.make<void>()
      const watcher = (events: ReadonlyArray<Envelope>) => {
        if (events.some((envelope) => concerns(query, envelope))) Deferred.doneUnsafe(news, Effect.void)
      }
      watchers.add(watcher)
      const page = yield* Effect.gen(function*() {
        const page = yield* store.events({ ...query, since, limit: watchPage })
        if (page.length === 0) yield* Deferred.await(news)
        return page
      }).pipe(Effect.ensuring(Effect.sync(() => watchers.delete(watcher))))
      if (page.length > 0) return [page, page.at(-1)!.seq] as const
    }
  })

  const watch: Tasks["Service"]["watch"] = (query) =>
    Stream.unfold(query.since, (since) => following(query, since)).pipe(Stream.flatMap(Stream.fromIterable))

  const respond = Effect.fn("Tasks.respond")(function*(request: Parameters<Tasks["Service"]["respond"]>[0]) {
    yield* guard
    const entry = yield* acquire(request.id)
    return yield* Effect.gen(function*() {
      const key = request.key ?? entry.state.inputs[0]?.key ?? ""
      const asked = entry.state.inputs.find((input) => input.key === key)
      const { response } = request
      if (asked !== undefined && response.action === "accept" && asked.mode === "form") {
        yield* Effect.fromResult(checkAnswer(asked.schema, response.content))
      }
      yield* Effect.fromResult(log.dispatch(entry, { _tag: "Respond", key, response }))
      yield* log.barrier
      return entry.state as Task
    }).pipe(Effect.ensuring(Effect.sync(() => log.release(entry))))
  })

  /** Ends every active task below `rows` and the resident ones the store does not know yet. Parents first. */
  const cancelBelow = (root: Entry, rows: ReadonlyArray<TaskRow>, by: string, reason: string | null): void => {
    const nodes = new Map<TaskId, Entry>()
    for (const row of rows) if (row.state.id !== root.state.id) nodes.set(row.state.id, log.adopt(row))
    const visit = (id: TaskId): void => {
      for (const child of log.liveChildren(id)) {
        if (!nodes.has(child.state.id)) nodes.set(child.state.id, log.adopt(child))
        visit(child.state.id)
      }
    }
    visit(root.state.id)
    for (const entry of nodes.values()) {
      if (!isTerminal(entry.state.status)) log.dispatch(entry, { _tag: "Cancel", by, reason })
    }
    for (const entry of nodes.values()) rest(entry)
  }

  /** A node nobody runs is at rest as soon as its children are. Gives the pin back. */
  const rest = (entry: Entry): void => {
    if (entry.held || entry.state.settlement !== null) log.release(entry)
    else settler.settle(entry, "stopped")
  }

  const cancelNow = (entry: Entry, by: string, reason: string | null): void => {
    if (isTerminal(entry.state.status)) return
    const pinned = log.adopt(entry)
    log.dispatch(pinned, { _tag: "Cancel", by, reason })
    cancelBelow(pinned, [], by, reason)
    rest(pinned)
  }

  const cancel = Effect.fn("Tasks.cancel")(function*(request: Parameters<Tasks["Service"]["cancel"]>[0]) {
    yield* guard
    const entry = yield* acquire(request.id)
    const rows = yield* store.subtree(request.id)
    const decided = log.dispatch(entry, { _tag: "Cancel", by: request.by, reason: request.reason ?? null })
    if (Result.isFailure(decided)) {
      log.release(entry)
      return yield* decided.failure
    }
    cancelBelow(entry, rows.filter(isActive), request.by, request.reason ?? null)
    rest(entry)
    yield* log.barrier
    return yield* cancelReport(request.id)
  })

  const cancelReport = Effect.fn("Tasks.cancelReport")(function*(id: TaskId) {
    yield* load(id)
    const rows = yield* store.subtree(id)
    const nodes = rows.map(({ state }) => ({
      id: state.id,
      parent: state.parent,
      agent: state.agent,
      status: state.status,
      settlement: state.settlement,
      took: state.settledAt === null || state.endedAt === null ? null : state.settledAt - state.endedAt
    }))
    return { task: id, converged: nodes.every((node) => node.settlement !== null), nodes }
  })

  const expire = Effect.fnUntraced(function*(id: TaskId) {
    const entry = yield* log.acquire(id)
    if (entry === undefined) return
    const rows = yield* store.subtree(id)
    const message = "The deadline passed"
    const decided = log.dispatch(entry, { _tag: "Fail", attempt: null, reason: "deadline", message, error: null })
    if (Result.isFailure(decided)) {
      log.clearTimer(id, "deadline")
      return log.release(entry)
    }
    cancelBelow(entry, rows.filter(isActive), "deadline", "The deadline of a task above passed")
    rest(entry)
  })

  const retry = Effect.fn("Tasks.retry")(function*(id: TaskId, options?: { readonly principal?: string | undefined }) {
    const task = (yield* load(id)).state
    const input = yield* store.input(id)
    return yield* submit({
      agent: task.agent,
      input: input ?? null,
      principal: options?.principal ?? task.spec.principal,
      priority: task.spec.priority,
      retention: task.spec.retention,
      retryOf: id
    })
  })

  const remove = Effect.fn("Tasks.delete")(function*(run: TaskId) {
    yield* load(run)
    const rows = yield* store.subtree(run)
    if (rows.some((row) => row.state.settlement === null)) return yield* new StillRunning({ run })
    yield* log.barrier
    return yield* store.deleteRun(run)
  })

  const putArtifact = Effect.fn("Tasks.putArtifact")(function*(artifact: Omit<Artifact, "digest">) {
    yield* guard
    const name = digest(artifact.bytes)
    log.addArtifact({ ...artifact, digest: name })
    yield* log.barrier
    return name
  })

  return {
    submit,
    submitChild,
    get: (id: TaskId) => Effect.map(load(id), (row) => row.state as Task),
    resolve,
    list: (query: TaskQuery) => Effect.map(store.list(query), (rows) => rows.map((row) => row.state as Task)),
    tree: (id: TaskId) =>
      Effect.flatMap(store.subtree(id), (rows) =>
        rows.length === 0 ? notFound(id) : Effect.succeed(rows.map((row) => row.state as Task))),
    input: (id: TaskId) =>
      Effect.flatMap(store.input(id), (input) => input === undefined ? notFound(id) : Effect.succeed(input)),
    result,
    events: store.events,
    watch,
    inbox: (query: { readonly run?: TaskId | undefined; readonly limit?: number | undefined }) =>
      store.openInputs({ run: query.run, limit: query.limit ?? 1_000 }),
    respond,
    cancel,
    cancelNow,
    cancelReport,
    expire,
    retry,
    delete: remove,
    putArtifact,
    artifact: store.artifact
  }
})

/** How many facts a watcher reads at once: what bounds a slow reader's memory. */
const watchPage = 500

const isActive = (row: TaskRow): boolean => row.state.settlement === null

const earliest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

const concerns = (query: Watch, envelope: Envelope): boolean =>
  (query.run === undefined || envelope.run === query.run) && (query.task === undefined || envelope.task === query.task)

export const layer: Layer.Layer<Tasks, never, TaskStore | TaskLog | Workers | Settler> = Layer.effect(Tasks, make)
