/**
 * Rows of the SQL store and what they stand for. Whatever is read is compared with its checksum first.
 */
import type { AuditEntry } from "../Audit.ts"
import { untouched } from "../Policy.ts"
import { expiresAt } from "../Task.ts"
import type { Envelope, InputRequest, TaskEvent } from "../TaskEvent.ts"
import {
  type CallCount,
  type ChildRecord,
  type OpenInput,
  type Receipt,
  StoreError,
  type TaskRow,
  type Timer
} from "../TaskStore.ts"
import { type EventColumns, ofColumns, ofEvent, ofTask, ofText } from "./checksum.ts"

const damaged = (what: string): StoreError =>
  new StoreError({ reason: "Corrupt", message: `${what} does not match its checksum; restore a backup` })

/** The fact without its type, which is a column of its own; of the first fact also without its input. */
export const toData = (event: TaskEvent): string => JSON.stringify({ ...event, _tag: undefined, input: undefined })

const eventData = (columns: EventColumns, data: string | null, sum: number | null): any => {
  if (data === null || ofEvent(columns, data) !== sum) throw damaged(`Fact ${columns.seq} of the log`)
  return JSON.parse(data)
}

const toEvent = (columns: EventColumns, data: string | null, sum: number | null): any => ({
  _tag: columns.type,
  ...eventData(columns, data, sum)
})

export const toInput = (seq: number, input: string, sum: number | null): any => {
  if (ofText(input) !== sum) throw damaged(`The input in fact ${seq} of the log`)
  return JSON.parse(input)
}

export const toEnvelope = (row: any): Envelope => {
  const event = toEvent(row, row.data, row.sum)
  if (row.input !== null) event.input = toInput(row.seq, row.input, row.input_sum)
  return { seq: row.seq, task: row.task, run: row.run, at: row.at, event }
}

/** All facts of one task; without the first nothing after it can be understood. */
export const toHistory = (rows: ReadonlyArray<any>): ReadonlyArray<Envelope> => {
  if (rows[0].type !== "Created") throw damaged(`The first fact of task ${rows[0].task}`)
  return rows.map(toEnvelope)
}

/** The parts of a task that are mostly empty, as one column. */
type Live = Pick<
  TaskRow["state"],
  | "progress"
  | "inputs"
  | "standings"
  | "steered"
  | "heard"
  | "rest"
  | "guardian"
  | "adopted"
  | "pool"
  | "partial"
  | "undoable"
>

const nothingLive: Live = { progress: null, inputs: [] }

export const toLive = ({ state }: TaskRow): string | null => {
  const { adopted, guardian, heard, inputs, partial, pool, progress, rest, standings, steered, undoable } = state
  const others = steered ?? heard ?? rest ?? guardian ?? adopted ?? pool ?? undoable
  const isPlain = others === undefined && guardian === undefined && partial === undefined
  if (progress === null && inputs.length === 0 && isPlain) return null
  const asked = inputs.length > 0 ? inputs : undefined
  const more = { steered, heard, rest, guardian, adopted, pool, partial, undoable }
  return JSON.stringify({ progress, inputs: asked, standings, ...more })
}

/** As JSON: a column does not hold every string there is. */
export const toMessage = ({ state: { statusMessage } }: TaskRow): string | null =>
  statusMessage === null ? null : JSON.stringify(statusMessage)

/** When the run below this row may be forgotten; `null` for rows that are no roots. */
export const toExpiry = ({ state }: TaskRow): number | null => state.parent === null ? expiresAt(state) : null

/** `texts` are those of the row's columns that are not compared as they are read. */
export const toSum = (row: TaskRow, expiry: number | null, ...texts: ReadonlyArray<string | null>): number =>
  ofTask(row, `${expiry} ${texts.join(" ")}`)

const createdColumns = (row: any): EventColumns => ({
  seq: row.created_seq,
  task: row.id,
  run: row.run,
  at: row.created_at,
  type: "Created"
})

export const toRow = (row: any): TaskRow => {
  const created = eventData(createdColumns(row), row.created, row.created_sum)
  const task: TaskRow = {
    state: {
      id: row.id,
      run: row.run,
      parent: row.parent,
      key: row.key,
      agent: row.agent,
      status: row.status,
      statusMessage: null,
      reason: row.reason,
      attempt: row.attempt,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      endedAt: row.ended_at,
      deadline: row.deadline,
      settlement: row.settlement,
      settledAt: row.settled_at,
      spec: created.spec,
      ...nothingLive
    },
    parked: row.parked === 1,
    createdSeq: row.created_seq,
    endedSeq: row.ended_seq,
    settledSeq: row.settled_seq
  }
  if (toSum(task, row.expires_at, row.message, row.live) !== row.sum) throw damaged(`The row of task ${row.id}`)
  if (row.message !== null) Object.assign(task.state, { statusMessage: JSON.parse(row.message) })
  if (row.live !== null) Object.assign(task.state, JSON.parse(row.live))
  const { spec, steered } = task.state
  if (steered !== undefined) Object.assign(task.state, { spec: { ...spec, ...steered } })
  return task
}

export const toChild = (row: any): ChildRecord => {
  const { settledSeq, state } = toRow(row)
  return {
    id: state.id,
    key: state.key!,
    agent: state.agent,
    status: state.status,
    settledSeq,
    settledAt: state.settledAt,
    ending: row.ended_seq === null ? null : toEnding(row)
  }
}

const toEnding = (row: any): TaskEvent => {
  const columns = { seq: row.ended_seq, task: row.id, run: row.run, at: row.ending_at, type: row.ending_type }
  return toEvent(columns, row.ending_data, row.ending_sum)
}

export const toOpenInput = (row: any): OpenInput => {
  const { agent, id, run, standings } = toRow(row).state
  const columns = { seq: row.asked_seq, task: id, run, at: row.asked_at, type: row.asked_type }
  const { request }: { readonly request: InputRequest } = eventData(columns, row.asked_data, row.asked_sum)
  if (request.key !== row.asked_key) throw damaged(`An open question of task ${id}`)
  const standing = standings?.find(({ key }) => key === request.key) ?? untouched(request.key)
  return { task: id, run, agent, since: row.asked_at, request, standing }
}

export const toTimer = ({ due, key, sum, task }: any): Timer => {
  if (ofColumns(task, key, due) !== sum) throw damaged(`A timer of task ${task}`)
  return { task, key, due }
}

export const toReceipt = ({ agent, digest, key, principal, sum, task }: any): Receipt => {
  if (ofColumns(principal, agent, key, task, digest) !== sum) throw damaged(`The receipt of task ${task}`)
  return { principal, agent, key, task, digest }
}

export const toNote = ({ key, kind, sum, value }: any): string => {
  if (ofColumns(kind, key, value) !== sum) throw damaged(`The note of ${kind} ${key}`)
  return value
}

export const toAudit = ({ agent, at, by, detail, hash, kind, n, run, task }: any): AuditEntry => ({
  n,
  at,
  kind,
  by,
  task,
  run,
  agent,
  detail: JSON.parse(detail),
  hash
})

export const toCalls = ({ callee, caller, count, status }: any): CallCount => ({
  from: caller,
  to: callee,
  status,
  count
})

export const toCursor = ({ consumer, seq, sum }: any): number => {
  if (ofColumns(consumer, seq) !== sum) throw damaged(`The cursor of ${consumer}`)
  return seq
}
