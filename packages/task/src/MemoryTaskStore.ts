/**
 * The store that forgets: everything in maps, under the same contract as the SQL store. For tests and for runs whose
 * loss does not matter.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuditEntry, AuditQuery } from "./Audit.ts"
import { standingOf } from "./internal/asking.ts"
import { chain } from "./internal/auditing.ts"
import { expiresAt, isTerminal, type TaskId } from "./Task.ts"
import type { Envelope, InputRequest, TaskEvent } from "./TaskEvent.ts"
import {
  type Artifact,
  type Batch,
  type CallCount,
  type ChildRecord,
  type EventQuery,
  type Journal,
  type Note,
  type OpenInput,
  type Receipt,
  type Removed,
  settlementTimer,
  StoreError,
  type TaskQuery,
  type TaskRow,
  TaskStore,
  type Timer
} from "./TaskStore.ts"

const receiptKey = (principal: string, agent: string, key: string): string => JSON.stringify([principal, agent, key])

const noteKey = (kind: string, key: string): string => JSON.stringify([kind, key])

const before = (a: TaskRow, b: TaskRow): number => a.state.id < b.state.id ? -1 : 1

class Memory {
  epoch = 0
  seq = 0
  /** Facts of deleted tasks that still stand in the log. */
  private dead = 0
  readonly tasks = new Map<TaskId, TaskRow>()
  readonly log: Array<Envelope> = []
  readonly facts = new Map<TaskId, Array<Envelope>>()
  readonly children = new Map<TaskId, Array<TaskId>>()
  readonly runnable = new Set<TaskId>()
  readonly unsettled = new Set<TaskId>()
  readonly asking = new Set<TaskId>()
  readonly endedRoots = new Set<TaskId>()
  readonly timers = new Map<TaskId, Map<string, Timer>>()
  readonly receipts = new Map<string, Receipt>()
  readonly artifacts = new Map<string, Artifact & { readonly runs: Set<TaskId> }>()
  readonly cursors = new Map<string, number>()
  readonly notes = new Map<string, Note>()
  audit: Array<AuditEntry> = []

  commit(batch: Batch): void {
    for (const envelope of batch.events) this.append(envelope)
    for (const row of batch.created) {
      const { id, parent } = row.state
      if (parent !== null) push(this.children, parent, id)
      this.put(row)
    }
    for (const row of batch.changed) this.put(row)
    for (const id of batch.woken) this.wake(id)
    for (const timer of batch.timersSet) this.set(timer)
    for (const { key, task } of batch.timersCleared) this.clear(task, key)
    for (const receipt of batch.receipts) {
      this.receipts.set(receiptKey(receipt.principal, receipt.agent, receipt.key), receipt)
    }
    for (const artifact of batch.artifacts) this.keep(artifact)
    for (const [consumer, seq] of batch.cursors) this.cursors.set(consumer, seq)
    for (const note of batch.notes ?? []) this.note(note)
    this.audit.push(...chain(this.audit.at(-1), batch.decisions ?? []))
  }

  private note(note: Note): void {
    for (const [key, { expires }] of this.notes) if (expires !== null && expires <= note.at) this.notes.delete(key)
    if (note.value === null) this.notes.delete(noteKey(note.kind, note.key))
    else this.notes.set(noteKey(note.kind, note.key), note)
  }

  private append(envelope: Envelope): void {
    this.log.push(envelope)
    push(this.facts, envelope.task, envelope)
    this.seq = envelope.seq
  }

  private put(row: TaskRow): void {
    const { state } = row
    const active = !isTerminal(state.status)
    this.tasks.set(state.id, row)
    mark(this.runnable, state.id, active && !row.parked)
    mark(this.unsettled, state.id, !active && state.settlement === null)
    mark(this.asking, state.id, state.inputs.length > 0)
    if (state.parent === null && !active) this.endedRoots.add(state.id)
  }

  private wake(id: TaskId): void {
    const row = this.tasks.get(id)
    if (row !== undefined && !isTerminal(row.state.status)) this.put({ ...row, parked: false })
  }

  private set(timer: Timer): void {
    const timers = this.timers.get(timer.task)
    if (timers === undefined) this.timers.set(timer.task, new Map([[timer.key, timer]]))
    else timers.set(timer.key, timer)
  }

  private clear(task: TaskId, key: string | null): void {
    const timers = this.timers.get(task)
    if (timers === undefined) return
    const keys = key === null ? [...timers.keys()].filter((key) => key !== settlementTimer) : [key]
    for (const key of keys) timers.delete(key)
    if (timers.size === 0) this.timers.delete(task)
  }

  private keep(artifact: Artifact): void {
    const known = this.artifacts.get(artifact.digest)
    if (known === undefined) this.artifacts.set(artifact.digest, { ...artifact, runs: new Set([artifact.run]) })
    else known.runs.add(artifact.run)
  }

  allTimers(): Array<Timer> {
    return [...this.timers.values()].flatMap((timers) => [...timers.values()])
  }

  artifact(digest: string): Artifact | undefined {
    const artifact = this.artifacts.get(digest)
    if (artifact === undefined) return undefined
    const { bytes, mediaType, runs } = artifact
    return { digest, run: [...runs].sort()[0]!, mediaType, bytes }
  }

  subtree(id: TaskId): Array<TaskRow> {
    const root = this.tasks.get(id)
    if (root === undefined) return []
    const rows = [root]
    for (let i = 0; i < rows.length; i++) {
      for (const child of this.childIds(rows[i]!.state.id)) rows.push(this.tasks.get(child)!)
    }
    return rows
  }

  private childIds(id: TaskId): ReadonlyArray<TaskId> {
    return (this.children.get(id) ?? []).toSorted()
  }

  ending(id: TaskId): TaskEvent | undefined {
    const row = this.tasks.get(id)
    if (row === undefined || row.endedSeq === null) return undefined
    return this.facts.get(id)!.findLast((envelope) => envelope.seq === row.endedSeq)?.event
  }

  journal(id: TaskId): Journal | undefined {
    const facts = this.facts.get(id)
    if (facts === undefined) return undefined
    const children = this.childIds(id).map((child): ChildRecord => {
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
    return { events: [...facts], children }
  }

  list(query: TaskQuery): Array<TaskRow> {
    return [...this.tasks.values()].filter((row) => matches(query, row)).sort(before).reverse().slice(0, query.limit)
  }

  events(query: EventQuery): Array<Envelope> {
    const source = query.task === undefined ? this.log : this.facts.get(query.task) ?? []
    const found: Array<Envelope> = []
    for (let i = firstAfter(source, query.since); i < source.length && found.length < query.limit; i++) {
      const envelope = source[i]!
      if (!this.tasks.has(envelope.task)) continue
      if (query.run === undefined || envelope.run === query.run) found.push(envelope)
    }
    return found
  }

  openInputs(run: TaskId | undefined, limit: number): Array<OpenInput> {
    const rows = [...this.asking].map((id) => this.tasks.get(id)!).sort(before)
    return rows.filter((row) => run === undefined || row.state.run === run)
      .flatMap(({ state }) => state.inputs.toSorted(byKey).map((request) => this.openInput(state, request)))
      .slice(0, limit)
  }

  private openInput(state: TaskRow["state"], request: InputRequest): OpenInput {
    const { agent, id, run } = state
    const asked = this.facts.get(id)!.findLast(({ event }) =>
      event._tag === "InputRequested" && event.request.key === request.key
    )
    return { task: id, run, agent, since: asked!.at, request, standing: standingOf(state, request.key) }
  }

  deleteRuns(runs: ReadonlyArray<TaskId>): Removed {
    const kept = runs.filter((run) => this.subtree(run).some(({ state }) => state.settlement === null))
    const gone = runs.filter((run) => !kept.includes(run))
    const rows = gone.flatMap((run) => this.subtree(run))
    for (const row of rows) this.remove(row)
    for (const [digest, { runs: having }] of this.artifacts) {
      for (const run of gone) having.delete(run)
      if (having.size === 0) this.artifacts.delete(digest)
    }
    if (this.dead > this.log.length / 2) this.compact()
    return { tasks: rows.length, kept }
  }

  private remove({ state: { agent, id, spec } }: TaskRow): void {
    this.dead += this.facts.get(id)!.length
    for (const table of [this.tasks, this.facts, this.children, this.timers]) table.delete(id)
    for (const members of [this.runnable, this.unsettled, this.asking, this.endedRoots]) members.delete(id)
    if (spec.idempotencyKey === null) return
    const key = receiptKey(spec.principal, agent, spec.idempotencyKey)
    if (this.receipts.get(key)?.task === id) this.receipts.delete(key)
  }

  private compact(): void {
    const kept = this.log.filter((envelope) => this.tasks.has(envelope.task))
    this.log.length = 0
    for (const envelope of kept) this.log.push(envelope)
    this.dead = 0
  }

  calls(newest: number): Array<CallCount> {
    const counts = new Map<string, CallCount>()
    const ids = [...this.tasks.keys()].sort().slice(-newest)
    for (const { state: { agent, parent, status } } of ids.map((id) => this.tasks.get(id)!)) {
      const from = parent === null ? null : this.tasks.get(parent)?.state.agent ?? null
      const key = JSON.stringify([from, agent, status])
      counts.set(key, { from, to: agent, status, count: (counts.get(key)?.count ?? 0) + 1 })
    }
    return [...counts.values()]
  }

  audited(query: AuditQuery): Array<AuditEntry> {
    return this.audit.filter((entry) => isAsked(query, entry)).reverse().slice(0, query.limit)
  }

  forgetAudit(before: number): number {
    const all = this.audit.length
    this.audit = this.audit.filter(({ at }, i) => at >= before || i === all - 1)
    return all - this.audit.length
  }

  get eventCount(): number {
    return this.log.length - this.dead
  }
}

const byKey = (a: InputRequest, b: InputRequest): number => a.key < b.key ? -1 : 1

const push = <K, V>(map: Map<K, Array<V>>, key: K, value: V): void => {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

const mark = <A>(members: Set<A>, member: A, isMember: boolean): void => {
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

const isAsked = ({ before = Infinity, by, kind, run }: AuditQuery, entry: AuditEntry): boolean =>
  entry.n < before && (run === undefined || entry.run === run) && (by === undefined || entry.by === by) &&
  (kind === undefined || entry.kind === kind)

const expiry = (row: TaskRow): number => expiresAt(row.state) ?? Infinity

const fenced = Effect.fail(new StoreError({ reason: "Fenced", message: "Another process took over the store" }))

const makeStore = (memory: Memory): TaskStore["Service"] => {
  let opened = -1
  const rows = (ids: Iterable<TaskId>) => [...ids].map((id) => memory.tasks.get(id)!).sort(before)
  return {
    open: Effect.sync(() => {
      opened = ++memory.epoch
      return { seq: memory.seq, epoch: opened }
    }),
    commit: (batch) =>
      Effect.suspend(() => batch.epoch === memory.epoch ? Effect.sync(() => memory.commit(batch)) : fenced),
    load: (id) => Effect.sync(() => memory.tasks.get(id)),
    journal: (id) => Effect.sync(() => memory.journal(id)),
    input: (id) =>
      Effect.sync(() => {
        const first = memory.facts.get(id)?.[0]?.event
        return first?._tag === "Created" ? first.input : undefined
      }),
    ending: (id) => Effect.sync(() => memory.ending(id)),
    subtree: (id) => Effect.sync(() => memory.subtree(id)),
    list: (query) => Effect.sync(() => memory.list(query)),
    calls: (newest) => Effect.sync(() => memory.calls(newest)),
    events: (query) => Effect.sync(() => memory.events(query)),
    openInputs: ({ limit, run }) => Effect.sync(() => memory.openInputs(run, limit)),
    findIds: (prefix, limit) =>
      Effect.sync(() => [...memory.tasks.keys()].filter((id) => id.startsWith(prefix)).sort().slice(0, limit)),
    receipt: (principal, agent, key) => Effect.sync(() => memory.receipts.get(receiptKey(principal, agent, key))),
    runnable: (cursor, limit) =>
      Effect.sync(() =>
        rows(memory.runnable).filter((row) => cursor === undefined || row.state.id > cursor).slice(0, limit)
      ),
    unsettled: (limit) => Effect.sync(() => rows(memory.unsettled).slice(0, limit)),
    timersDue: (now, limit) =>
      Effect.sync(() =>
        memory.allTimers().filter(({ due }) => due <= now).sort((a, b) => a.due - b.due).slice(0, limit)
      ),
    nextTimer: Effect.sync(() =>
      memory.allTimers().reduce((next: number | undefined, { due }) => Math.min(next ?? due, due), undefined)
    ),
    expired: (now, limit) =>
      Effect.sync(() =>
        rows(memory.endedRoots).filter((row) => expiry(row) <= now).sort((a, b) => expiry(a) - expiry(b))
          .slice(0, limit).map((row) => row.state.id)
      ),
    deleteRuns: (runs) =>
      Effect.suspend(() => opened === memory.epoch ? Effect.sync(() => memory.deleteRuns(runs)) : fenced),
    artifact: (digest) => Effect.sync(() => memory.artifact(digest)),
    cursor: (consumer) => Effect.sync(() => memory.cursors.get(consumer) ?? 0),
    audit: (query) => Effect.sync(() => memory.audited(query)),
    forgetAudit: (before) => Effect.sync(() => memory.forgetAudit(before)),
    note: (kind, key) => Effect.sync(() => memory.notes.get(noteKey(kind, key))?.value ?? undefined),
    counts: Effect.sync(() => ({
      tasks: memory.tasks.size,
      active: [...memory.tasks.values()].filter((row) => !isTerminal(row.state.status)).length,
      events: memory.eventCount
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
