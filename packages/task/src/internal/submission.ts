/**
 * How work comes in: from outside with a receipt, from a parent without waiting.
 */
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { canonical, check } from "../Payload.ts"
import { defaultRetention, type Task, type TaskId } from "../Task.ts"
import { KeyReused, type SubmitError, TaskNotFound } from "../TaskError.ts"
import type { Entry, TaskLog } from "../TaskLog.ts"
import type { Creation } from "../TaskMachine.ts"
import type { Submit, SubmitChild, Tasks } from "../Tasks.ts"
import type { StoreError, TaskStore } from "../TaskStore.ts"
import { QueueFull, type Worker, type Workers } from "../Worker.ts"
import { digest } from "./digest.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly workers: Workers["Service"]
}

/** A key's place in the receipts, and what was found there. */
interface Known {
  readonly scope: string
  readonly digest: string
  readonly task: TaskId | undefined
}

/** Receipts, with those that wait for their commit. */
const receipts = ({ log, store }: Services) => {
  const open = new Map<string, { readonly task: TaskId; readonly digest: string }>()

  const find = Effect.fnUntraced(function*(
    { agent, idempotencyKey: key }: Submit,
    principal: string,
    input: Json
  ): Effect.fn.Return<Known | undefined, KeyReused | StoreError> {
    if (key === undefined) return undefined
    const scope = JSON.stringify([principal, agent, key])
    const hash = digest(canonical(input))
    const receipt = open.get(scope) ?? (yield* store.receipt(principal, agent, key)) ?? open.get(scope)
    if (receipt !== undefined && receipt.digest !== hash) return yield* new KeyReused({ key, task: receipt.task })
    return { scope, digest: hash, task: receipt?.task }
  })

  const add = (known: Known, { agent, idempotencyKey: key }: Submit, principal: string, task: TaskId): void => {
    log.addReceipt({ principal, agent, key: key!, task, digest: known.digest })
    open.set(known.scope, { task, digest: known.digest })
    log.afterCommit(() => open.delete(known.scope))
  }
  return { find, add }
}

const rootCreation = (
  log: TaskLog["Service"],
  request: Submit,
  options: { readonly id: TaskId; readonly worker: Worker; readonly input: Json; readonly principal: string }
): Creation => ({
  run: options.id,
  parent: null,
  key: null,
  agent: request.agent,
  input: options.input,
  attempt: options.worker.hasPlace() ? 1 : 0,
  deadline: request.deadline ?? null,
  spec: {
    version: options.worker.contract.version,
    principal: options.principal,
    idempotencyKey: request.idempotencyKey ?? null,
    depth: 0,
    priority: request.priority ?? 0,
    ttl: request.ttl ?? null,
    retention: request.retention ?? defaultRetention,
    budget: request.budget ?? null,
    onParentExit: "stop",
    retryOf: request.retryOf ?? null,
    trace: {
      traceId: request.trace?.traceId ?? log.ids.traceId(),
      spanId: log.ids.spanId(),
      parentSpanId: request.trace?.parentSpanId ?? null
    },
    meta: request.meta ?? null
  }
})

const childCreation = (log: TaskLog["Service"], request: SubmitChild): Creation => {
  const parent = request.parent.state
  return {
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
  }
}

const earliest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

export const make = (services: Services): Pick<Tasks["Service"], "submit" | "submitChild" | "retry"> => {
  const { log, store, workers } = services
  const { add, find } = receipts(services)

  const submit = Effect.fn("Tasks.submit")(function*(request: Submit): Effect.fn.Return<Task, SubmitError> {
    const worker = yield* workers.get(request.agent)
    const input = yield* worker.accept(request.input)
    const tooLarge = check(`The input of "${request.agent}"`, input)
    if (tooLarge !== undefined) return yield* tooLarge
    if (log.trouble !== undefined) return yield* log.trouble
    const principal = request.principal ?? "local"
    const known = yield* find(request, principal, input)
    if (known?.task !== undefined) {
      yield* log.barrier
      return (yield* store.load(known.task))!.state
    }
    if (worker.waiting() >= worker.contract.queue) {
      return yield* new QueueFull({ agent: request.agent, limit: worker.contract.queue, retryAfter: 1_000 })
    }
    const id = log.ids.next(log.now())
    const entry = log.create(rootCreation(log, request, { id, worker, input, principal }), id)
    if (known !== undefined) add(known, request, principal, id)
    const { state } = entry
    worker.start(entry, input)
    yield* log.barrier
    return state
  })

  const submitChild = (request: SubmitChild): Entry => {
    const entry = log.create(childCreation(log, request), log.ids.next(log.now()))
    request.worker.start(entry, request.input)
    return entry
  }

  const retry: Tasks["Service"]["retry"] = Effect.fn("Tasks.retry")(function*(id, options) {
    const row = yield* store.load(id)
    if (row === undefined) return yield* new TaskNotFound({ id })
    const { agent, spec } = row.state
    return yield* submit({
      agent,
      input: (yield* store.input(id)) ?? null,
      principal: options?.principal ?? spec.principal,
      priority: spec.priority,
      retention: spec.retention,
      retryOf: id
    })
  })

  return { submit, submitChild, retry }
}
