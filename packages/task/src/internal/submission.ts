/**
 * How work comes in: from outside with a receipt, from a parent without waiting.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import { type Budget, grantOf, plus, problemOf } from "../Budget.ts"
import { type CallLimits, cycle, refusalFrom } from "../Lineage.ts"
import { canonical, check } from "../Payload.ts"
import { type NotGranted, owners, poolOf, reserve } from "../Pools.ts"
import { defaultRetention, type Task, type TaskId } from "../Task.ts"
import { CallRefused, DeadlineTooShort, KeyReused, type SubmitError, TaskNotFound } from "../TaskError.ts"
import type { Entry, TaskLog } from "../TaskLog.ts"
import type { Creation } from "../TaskMachine.ts"
import type { Submit, SubmitChild, Tasks } from "../Tasks.ts"
import type { Receipt, StoreError, TaskStore } from "../TaskStore.ts"
import { InvalidInput, QueueFull, type Worker, type Workers } from "../Worker.ts"
import { digest } from "./digest.ts"
import { prefixOf } from "./forking.ts"
import { wholeMillis } from "./millis.ts"
import { reusable, type Reused } from "./reuse.ts"
import { span } from "./span.ts"
import { makeTurns } from "./turns.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly workers: Workers["Service"]
  /** What the code of this process calls itself. */
  readonly code: string | undefined
  /** Of runs that are submitted without one. */
  readonly budget: Budget | undefined
  readonly limits: CallLimits
}

/**
 * Whether the agent's queue takes no more of this principal's tasks. Who has none in it is let in beyond its limit, up to
 * twice as many: one that floods it shuts out itself, not the others.
 */
const isFull = (worker: Worker, principal: string): boolean => {
  const { queue } = worker.contract
  const waiting = worker.waiting()
  return waiting >= queue && (waiting >= 2 * queue || (worker.waitingOf?.(principal) ?? waiting) > 0)
}

/** A request that may become a task. */
interface Call {
  readonly request: Submit
  readonly worker: Worker
  readonly input: Json
  readonly principal: string
  /** What it takes over from the task it retries. */
  readonly reused: ReadonlyArray<Reused>
}

/** The first of several submits with one key makes the task, the others find it. */
const receipts = ({ log, store }: Services) => {
  const inTurn = makeTurns()
  /** Those that wait for their commit. */
  const open = new Map<string, Receipt>()

  const sign = (scope: string, receipt: Receipt): void => {
    open.set(scope, receipt)
    log.addReceipt(receipt)
    log.afterCommit(() => open.delete(scope))
  }

  return (
    { input, principal, request: { agent } }: Call,
    key: string,
    begin: (sign: (task: TaskId) => void) => Effect.Effect<Task, QueueFull | DeadlineTooShort | StoreError>
  ) => {
    const scope = JSON.stringify([principal, agent, key])
    const hash = digest(canonical(input))
    const begun = Effect.gen(function*() {
      const known = open.get(scope) ?? (yield* store.receipt(principal, agent, key))
      if (known !== undefined) {
        if (known.digest !== hash) return yield* new KeyReused({ key, task: known.task })
        yield* log.barrier
        const row = yield* store.load(known.task)
        // deleted while we looked: the key is free again
        if (row !== undefined) return row.state
      }
      return yield* begin((task) => sign(scope, { principal, agent, key, task, digest: hash }))
    })
    return inTurn(scope, begun)
  }
}

const codeOf = (code: string | undefined) => code === undefined ? {} : { code }

const rootCreation = (
  { code, log }: Pick<Services, "code" | "log">,
  { input, principal, request, reused, worker }: Call,
  id: TaskId
): Creation => ({
  run: id,
  parent: null,
  key: null,
  agent: request.agent,
  input,
  // what is reused is written before the first attempt
  attempt: worker.hasPlace() && reused.length === 0 ? 1 : 0,
  deadline: earliest(request.deadline ?? null, clockOf(log, request.budget)),
  spec: {
    version: worker.contract.version,
    ...codeOf(code),
    principal,
    idempotencyKey: request.idempotencyKey ?? null,
    depth: request.ancestry?.depth ?? 0,
    priority: request.priority ?? 0,
    ttl: request.ttl === undefined ? null : wholeMillis(request.ttl),
    retention: wholeMillis(request.retention ?? defaultRetention),
    budget: request.budget ?? null,
    onParentExit: "stop",
    retryOf: request.retryOf ?? null,
    ...request.forkOf === undefined ? {} : { forkOf: request.forkOf },
    trace: {
      traceId: request.trace?.traceId ?? log.ids.traceId(),
      spanId: log.ids.spanId(),
      parentSpanId: request.trace?.parentSpanId ?? null
    },
    meta: request.meta ?? null
  }
})

/** When the time a budget grants is over. */
const clockOf = (log: TaskLog["Service"], budget: Budget | undefined): number | null => {
  const time = budget?.wallClock ?? null
  return time === null ? null : log.now() + time
}

const childCreation = ({ code, log }: Pick<Services, "code" | "log">, request: SubmitChild): Creation => {
  const parent = request.parent.state
  const pool = poolOf(parent)
  return {
    run: parent.run,
    parent: parent.id,
    key: request.key,
    agent: request.worker.contract.name,
    input: request.input,
    attempt: request.worker.hasPlace() ? 1 : 0,
    deadline: earliest(earliest(request.deadline, parent.deadline), clockOf(log, request.budget)),
    spec: {
      version: request.worker.contract.version,
      ...codeOf(code),
      principal: parent.spec.principal,
      idempotencyKey: null,
      depth: parent.spec.depth + 1,
      priority: parent.spec.priority,
      ttl: null,
      retention: parent.spec.retention,
      budget: request.budget ?? null,
      onParentExit: request.onParentExit,
      retryOf: null,
      trace: {
        traceId: parent.spec.trace.traceId,
        spanId: log.ids.spanId(),
        parentSpanId: parent.spec.trace.spanId
      },
      meta: null,
      ...pool === undefined ? {} : { pool }
    }
  }
}

/** Work that cannot be done in time is not begun. */
const fits = ({ contract: { name, takes = 0 } }: Worker, deadline: number | null, now: number) => {
  if (deadline === null) return undefined
  const left = Math.max(0, deadline - now)
  return left > 0 && left >= takes ? undefined : new DeadlineTooShort({ agent: name, left, takes })
}

/**
 * Takes a call, and what the child is granted, from the budgets above: in the commit of its first fact. What it is granted
 * can come back, a mere call cannot.
 */
const grant = (
  log: TaskLog["Service"],
  { budget, fanOut, parent: { state } }: SubmitChild,
  id: TaskId
): Result.Result<void, NotGranted> => {
  if (poolOf(state) === undefined) return Result.succeed(undefined)
  const amounts = plus({ calls: 1 }, budget === undefined ? {} : grantOf(budget))
  const place = { level: state.spec.depth + 1, fanOut: fanOut ?? 1 }
  return reserve(log, owners(log, state), { id, amounts, place, ...budget === undefined ? { kept: true } : {} })
}

const earliest = (a: number | null, b: number | null): number | null => a === null ? b : b === null ? a : Math.min(a, b)

/** Its code finds what it reuses in its journal, as after a restart. */
const resumeWhenDurable = (log: TaskLog["Service"], worker: Worker, entry: Entry): void =>
  log.afterCommit((error) => error === undefined ? worker.resume(entry) : log.release(entry))

const checkAncestry = Effect.fnUntraced(function*(
  { limits, store }: Services,
  { agent, ancestry }: Submit,
  input: Json
) {
  const reason = ancestry === undefined ? undefined : yield* refusalFrom(store, limits, { ...ancestry, agent, input })
  if (reason !== undefined) return yield* new CallRefused({ agent, reason })
})

/** A key may lead to a task that waits for the very call. */
const unlessCircle = (task: Task, { ancestry }: Submit): Effect.Effect<Task, CallRefused> => {
  const { agent, id } = task
  const above = ancestry?.chain.findIndex((ancestor) => ancestor.task === id) ?? -1
  if (above < 0) return Effect.succeed(task)
  return Effect.fail(new CallRefused({ agent, reason: cycle(ancestry!.chain, above, agent) }))
}

/** Why a worker does not take the call. */
const notNow = (
  log: TaskLog["Service"],
  worker: Worker,
  { principal, request }: Call
): QueueFull | DeadlineTooShort | undefined => {
  const { queue } = worker.contract
  if (!worker.hasPlace() && isFull(worker, principal)) {
    return new QueueFull({ agent: request.agent, limit: queue, retryAfter: 1_000 })
  }
  return fits(worker, earliest(request.deadline ?? null, clockOf(log, request.budget)), log.now())
}

const invalidBudget = (agent: string, budget: Budget | undefined): InvalidInput | undefined => {
  const problem = budget === undefined ? undefined : problemOf(budget)
  if (problem === undefined) return undefined
  return new InvalidInput({ agent, path: `budget.${problem.path}`, message: problem.message })
}

/** A task that takes a key so that nothing else can, and never runs. */
const stillborn = (services: Services, call: Call, sign: (task: TaskId) => void): Effect.Effect<Task, StoreError> => {
  const { log } = services
  const id = log.ids.next(log.now())
  const entry = log.create({ ...rootCreation(services, call, id), attempt: 0 }, id)
  sign(id)
  log.dispatch(entry, {
    _tag: "Cancel",
    by: call.request.givenUpBy!,
    reason: "The call was given up before it arrived"
  })
  log.dispatch(entry, { _tag: "Settle", how: "stopped", took: 0 })
  const { state } = entry
  log.release(entry)
  return Effect.as(log.barrier, state as Task)
}

const childMaker = (services: Services): Tasks["Service"]["submitChild"] => (request) => {
  const { log } = services
  const id = log.ids.next(log.now())
  const creation = childCreation(services, request)
  const tooShort = fits(request.worker, creation.deadline, log.now())
  if (tooShort !== undefined) return Result.fail(tooShort)
  const granted = grant(log, request, id)
  if (Result.isFailure(granted)) return Result.fail(granted.failure)
  const entry = log.create(creation, id)
  request.worker.start(entry, request.input)
  return Result.succeed(entry)
}

/** Submits, and writes what is reused with the task. */
type Submitted = (request: Submit, reused: ReadonlyArray<Reused>) => Effect.Effect<Task, SubmitError>

/** New tasks that take something over from a recorded one. */
const again = ({ store }: Pick<Services, "store">, submitted: Submitted): Pick<Tasks["Service"], "retry" | "fork"> => {
  const retry: Tasks["Service"]["retry"] = Effect.fn("Tasks.retry")(function*(id, options) {
    const journal = yield* store.journal(id)
    const created = journal?.events[0]?.event
    if (journal === undefined || created?._tag !== "Created") return yield* new TaskNotFound({ id })
    const { agent, input, spec } = created
    const again = {
      agent,
      input,
      principal: options?.principal ?? spec.principal,
      priority: spec.priority,
      retention: spec.retention,
      ttl: spec.ttl ?? undefined,
      budget: spec.budget ?? undefined,
      retryOf: id
    }
    return yield* submitted(again, options?.fresh === true ? [] : reusable(journal))
  })

  const fork: Tasks["Service"]["fork"] = Effect.fn("Tasks.fork")(function*(request) {
    const { by, id } = request
    const journal = yield* store.journal(id)
    const created = journal?.events[0]?.event
    if (journal === undefined || created?._tag !== "Created") return yield* new TaskNotFound({ id })
    const reused = yield* Effect.fromResult(prefixOf(journal, request))
    const { agent, input, spec } = created
    const forked = {
      agent,
      input: request.input === undefined ? input : request.input,
      principal: by,
      priority: spec.priority,
      retention: spec.retention,
      budget: spec.budget ?? undefined,
      forkOf: { task: id, at: request.at ?? request.answer?.key ?? "" },
      trace: { traceId: spec.trace.traceId, parentSpanId: spec.trace.spanId }
    }
    return yield* submitted(forked, reused)
  })

  return { retry, fork }
}

export const make = (services: Services): Pick<Tasks["Service"], "submit" | "submitChild" | "retry" | "fork"> => {
  const { log, workers } = services
  const once = receipts(services)

  const begin = (
    call: Call,
    sign: (task: TaskId) => void
  ): Effect.Effect<Task, QueueFull | DeadlineTooShort | StoreError> =>
    Effect.suspend((): Effect.Effect<Task, QueueFull | DeadlineTooShort | StoreError> => {
      const { input, request: { agent } } = call
      // its server may have been restarted while a receipt was looked up
      const worker = workers.find(agent) ?? call.worker
      if (log.trouble !== undefined) return Effect.fail(log.trouble)
      if (call.request.givenUpBy !== undefined) return stillborn(services, call, sign)
      const refusal = notNow(log, worker, call)
      if (refusal !== undefined) return Effect.fail(refusal)
      const id = log.ids.next(log.now())
      const entry = log.create(rootCreation(services, { ...call, worker }, id), id)
      for (const reused of call.reused) log.dispatch(entry, reused)
      sign(id)
      const { state } = entry
      if (call.reused.length === 0) worker.start(entry, input)
      else resumeWhenDurable(log, worker, entry)
      return Effect.as(log.barrier, state as Task)
    })

  const submitted = Effect.fnUntraced(function*(
    request: Submit,
    reused: ReadonlyArray<Reused>
  ): Effect.fn.Return<Task, SubmitError> {
    const worker = yield* workers.get(request.agent)
    const input = yield* worker.accept(request.input)
    const tooLarge = check(`The input of "${request.agent}"`, input) ??
      check("The request's _meta", request.meta ?? null)
    if (tooLarge !== undefined) return yield* tooLarge
    const budget = request.budget ?? services.budget
    const invalid = invalidBudget(request.agent, budget)
    if (invalid !== undefined) return yield* invalid
    if (log.trouble !== undefined) return yield* log.trouble
    yield* checkAncestry(services, request, input)
    const call = { request: { ...request, budget }, worker, input, principal: request.principal ?? "local", reused }
    if (request.idempotencyKey === undefined) return yield* begin(call, () => {})
    const task = yield* once(call, request.idempotencyKey, (sign) => begin(call, sign))
    return yield* unlessCircle(task, request)
  }, span("Tasks.submit"))

  const submit: Tasks["Service"]["submit"] = (request) => submitted(request, [])

  return { submit, submitChild: childMaker(services), ...again(services, submitted) }
}
