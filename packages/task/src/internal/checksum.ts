/**
 * Checksums of what must never be silently wrong. SQLite keeps none of its pages: a byte that changes on the disk is
 * read back as if it had been written so.
 */
import { crc32 } from "node:zlib"
import type { TaskRow } from "../TaskStore.ts"

/** What a fact's row says beside its `data`. */
export interface EventColumns {
  readonly seq: number
  readonly task: string
  readonly run: string
  readonly at: number
  readonly type: string
}

export const ofEvent = ({ at, run, seq, task, type }: EventColumns, data: string): number =>
  crc32(`${seq} ${task} ${run} ${at} ${type} ${data}`)

export const ofText = (text: string): number => crc32(text)

/** Over the columns of a small row. */
export const ofColumns = (...columns: ReadonlyArray<string | number>): number => crc32(JSON.stringify(columns))

export const ofTask = ({ createdSeq, endedSeq, parked, settledSeq, state }: TaskRow, more: string): number =>
  crc32(
    `${state.id} ${state.run} ${state.parent} ${state.key} ${state.agent} ${state.status} ${state.attempt} ` +
      `${state.createdAt} ${state.updatedAt} ${state.endedAt} ${state.deadline} ${state.settlement} ` +
      `${state.settledAt} ${createdSeq} ${endedSeq} ${settledSeq} ${parked} ${state.reason} ${more}`
  )
