/**
 * The store that forgets: everything in maps, under the same contract as the SQL store. For tests and for runs whose
 * loss does not matter.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Json } from "effect/Schema"
import { expiresAt, isTerminal, type TaskId } from "./Task.ts"
import type { Envelope, TaskEvent } from "./TaskEvent.ts"
import {
  type Artifact,
  type Batch,
  type ChildRecord,
  type EventQuery,
  type Journal,
  type OpenInput,
  type Receipt,
  StoreError,
  type TaskQuery,
  type TaskRow,
  TaskStore,
  type Timer
} from "./TaskStore.ts"

const receiptKey = (principal: string, agent: string, key: string): string => JSON.stringify([principal, agent, key])

const before = (a: TaskRow, b: TaskRow): number => a.state.id < b.state.id ? -1 : 1

class Memory {
  epoch = 0
  seq = 0
  eventCount = 0
  readonly tasks = new Map<TaskId, TaskRow>()
  readonly log: Array<Envelope> = []
  readonly facts = new Map<TaskId, Array<Envelope>>()
  readonly children = new Map<TaskId, Array<TaskId>>()
  readonly runnable = new Set<TaskId>()
  readonly unsettled = new Set<TaskId>()
  readonly asking = new Set<TaskId>()
  readonly endedRoots = new Set<TaskId>()
  readonly timers = new Map<string, Timer>()
  readonly receipts = new Map<string, Receipt>()
  readonly artifacts = new Map<string, Artifact>()
  readonly cursors = new Map<string, number>()

  commit(batch: Batch): void {
    for (const envelope of batch.events) this.append(envelope)
    for (const row of batch.created) {
      const { id, parent } = row.state
      if (parent !== null) push(this.children, parent, id)
      this.put(row)
    }
    for (const row of batch.changed) this.put(row)
    for (const id of batch.woken) this.wake(id)
    for (const timer of batch.timersSet) this.timers.set(timer.task + timer.key, timer)
    for (const { key, task } of batch.timersCleared) this.clear(task, key)
    for (const receipt of batch.receipts) {
      this.receipts.set(receiptKey(receipt.principal, receipt.agent, receipt.key), receipt)
    }
    for (const artifact of batch.artifacts) this.artifacts.set(artifact.digest, artifact)
    for (const [consumer, seq] of batch.cursors) this.cursors.set(consumer, seq)
  }

  private append(envelope: Envelope): void {
    this.log.push(envelope)
    this.eventCount++
    push(this.facts, envelope.task, envelope)
    this.seq = envelope.seq
  }

  private put(row: TaskRow): void {
    const { state } = row
    const active = !isTerminal(state.status)
    this.tasks.set(state.id, row)
    set(this.runnable, state.id, active && !row.parked)
    set(this.unsettled, state.id, !active && state.settlement === null)
    set(this.asking, state.id, state.inputs.length > 0)
    if (state.parent === null && !active) this.endedRoots.add(state.id)
  }

  private wake(id: TaskId): void {
    const row = this.tasks.get(id)
    if (row !== undefined && !isTerminal(row.state.status)) this.put({ ...row, parked: false })
  }

  private clear(task: TaskId, key: string | null): void {
    if (key !== null) this.timers.delete(task + key)
    else if (this.timers.size > 0) for (const [name, timer] of this.timers) if (timer.task === task) this.timers.delete(name)
  }

  subtree(id: TaskId): Array<TaskRow> {
    const root = this.tasks.get(id)
    if (root === undefined) return []
    const rows = [root]
    for (let i = 0; i < rows.length; i++) {
      for (const child of this.children.get(rows[i]!.state.id) ?? []) rows.push(this.tasks.get(child)!)
    }
    return rows
  }

  ending(id: TaskId): TaskEvent | undefined {
    const row = this.tasks.get(id)
    if (row === undefined || row.endedSeq === null) return undefined
    return this.facts.get(id)!.findLast((envelope) => envelope.seq === row.endedSeq)?.event
  }

  journal(id: TaskId): Journal | undefined {
    const row = this.tasks.get(id)
    if (row === undefined) return undefined
    const children = (this.children.get(id) ?? []).map((child): ChildRecord => {
      const { settledSeq, state } = this.tasks.get(child)!
      return {
        id: child,
        key: state.key!,
        agent: state.agent,
        status: state.status,
        settledSeq,
        settledAt: state.settledAt,
        ending: this.ending(child) ?? null
      }
    })
    return { row, events: this.facts.get(id)!, children }
  }

  list(query: TaskQuery): Array<TaskRow> {
    return [...this.tasks.values()].filter((row) => matches(query, row)).sort(before).reverse().slice(0, query.limit)
  }

  events(query: EventQuery): Array<Envelope> {
    const source = query.task === undefined ? this.log : this.facts.get(query.task) ?? []
    const found: Array<Envelope> = []
    for (let i = firstAfter(source, query.since); i < source.length && found.length < query.limit; i++) {
      const envelope = source[i]!
      if (query.run === undefined || envelope.run === query.run) found.push(envelope)
    }
    return found
  }

  openInputs(run: TaskId | undefined, limit: number): Array<OpenInput> {
    const rows = [...this.asking].map((id) => this.tasks.get(id)!).sort(before)
    return rows.filter((row) => run === undefined || row.state.run === run).flatMap(({ state }) =>
      state.inputs.map((request): OpenInput => ({
        task: state.id,
        run: state.run,
        agent: state.agent,
        since: state.updatedAt,
        request
      }))
    ).slice(0, limit)
  }

  deleteRun(run: TaskId): number {
    const rows = this.subtree(run)
    for (const { state } of rows) {
      this.tasks.delete(state.id)
      this.facts.delete(state.id)
      this.children.delete(state.id)
      this.runnable.delete(state.id)
      this.clear(state.id, null)
    }
    this.endedRoots.delete(run)
    for (const [key, receipt] of this.receipts) if (!this.tasks.has(receipt.task)) this.receipts.delete(key)
    for (const [key, artifact] of this.artifacts) if (artifact.run === run) this.artifacts.delete(key)
    const kept = this.log.filter((envelope) => envelope.run !== run)
    this.log.length = 0
    for (const envelope of kept) this.log.push(envelope)
    return rows.length
  }
}

const push = <K, V>(map: Map<K, Array<V>>, key: K, value: V): void => {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

const set = <A>(members: Set<A>, member: A, isMember: boolean): void => {
  if (isMember) members.add(member)
  else members.delete(member)
}

const firstAfter = (log: ReadonlyArray<Envelope>, since: number): number => {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (log[middle]!.seq > since) high = middle
    else low = middle + 1
  }
  return low
}

const matches = (query: TaskQuery, { state }: TaskRow): boolean =>
  (query.status === undefined || query.status.includes(state.status)) &&
  (query.agent === undefined || state.agent === query.agent) &&
  (query.parent === undefined || state.parent === query.parent) &&
  (query.principal === undefined || state.spec.principal === query.principal) &&
  (query.rootsOnly !== true || state.parent === null) &&
  (query.createdAfter === undefined || state.createdAt > query.createdAfter) &&
  (query.createdBefore === undefined || state.createdAt < query.createdBefore) &&
  (query.cursor === undefined || state.id < query.cursor)

const take = <A>(items: Iterable<A>, limit: number): Array<A> => {
  const taken: Array<A> = []
  for (const item of items) {
    if (taken.length >= limit) break
    taken.push(item)
  }
  return taken
}

const makeStore = (memory: Memory): TaskStore["Service"] => {
  const rows = (ids: Iterable<TaskId>) => [...ids].map((id) => memory.tasks.get(id)!).sort(before)
  return {
    open: Effect.sync(() => ({ seq: memory.seq, epoch: ++memory.epoch })),
    commit: (batch) =>
      Effect.suspend(() => {
        if (batch.epoch !== memory.epoch) {
          return Effect.fail(new StoreError({ reason: "Fenced", message: "Another process owns the store" }))
        }
        memory.commit(batch)
        return Effect.void
      }),
    load: (id) => Effect.sync(() => memory.tasks.get(id)),
    journal: (id) => Effect.sync(() => memory.journal(id)),
    input: (id) =>
      Effect.sync(() => {
        const first = memory.facts.get(id)?.[0]?.event
        return first?._tag === "Created" ? first.input as Json : undefined
      }),
    ending: (id) => Effect.sync(() => memory.ending(id)),
    subtree: (id) => Effect.sync(() => memory.subtree(id)),
    list: (query) => Effect.sync(() => memory.list(query)),
    events: (query) => Effect.sync(() => memory.events(query)),
    openInputs: ({ limit, run }) => Effect.sync(() => memory.openInputs(run, limit)),
    findIds: (prefix, limit) =>
      Effect.sync(() => take([...memory.tasks.keys()].filter((id) => id.startsWith(prefix)).sort(), limit)),
    receipt: (principal, agent, key) => Effect.sync(() => memory.receipts.get(receiptKey(principal, agent, key))),
    runnable: (cursor, limit) =>
      Effect.sync(() => rows(memory.runnable).filter((row) => cursor === undefined || row.state.id > cursor).slice(0, limit)),
    unsettled: (limit) => Effect.sync(() => rows(memory.unsettled).slice(0, limit)),
    timersDue: (now, limit) =>
      Effect.sync(() =>
        [...memory.timers.values()].filter((timer) => timer.due <= now).sort((a, b) => a.due - b.due).slice(0, limit)
      ),
    nextTimer: Effect.sync(() => {
      let next: number | undefined
      for (const timer of memory.timers.values()) if (next === undefined || timer.due < next) next = timer.due
      return next
    }),
    expired: (now, limit) =>
      Effect.sync(() =>
        take([...memory.endedRoots].filter((id) => (expiresAt(memory.tasks.get(id)!.state) ?? Infinity) <= now), limit)
      ),
    deleteRun: (run) => Effect.sync(() => memory.deleteRun(run)),
    artifact: (digest) => Effect.sync(() => memory.artifacts.get(digest)),
    cursor: (consumer) => Effect.sync(() => memory.cursors.get(consumer) ?? 0),
    counts: Effect.sync(() => ({
      tasks: memory.tasks.size,
      active: [...memory.tasks.values()].filter((row) => !isTerminal(row.state.status)).length,
      events: memory.log.length
    }))
  }
}

/** A store in this process's memory. */
export const layerMemory: Layer.Layer<TaskStore> = Layer.sync(TaskStore, () => makeStore(new Memory()))

/** A store whose memory is shared by everything built from the returned layer: for tests that restart. */
export const layerShared = (): Layer.Layer<TaskStore> => {
  const memory = new Memory()
  return Layer.sync(TaskStore, () => makeStore(memory))
}
