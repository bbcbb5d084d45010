/**
 * How the process that had the store before this one ended, and which task it was trying out alone when it did.
 *
 * A process that stops in an orderly way leaves a note with the number of the log's last fact. If the log has gone on since
 * then, or there is no note, whoever wrote last died: it was killed, it crashed, or its own code ended it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Ownership } from "./Ownership.ts"
import { TaskId } from "./Task.ts"
import { TaskLog } from "./TaskLog.ts"
import { type StoreError, TaskStore } from "./TaskStore.ts"

/** Which task ran alone, and the deaths that are held against tasks by now, where they are more than one. */
export const Trial = Schema.Struct({
  task: Schema.NullOr(TaskId),
  deaths: Schema.Record(Schema.String, Schema.Int)
})
export type Trial = typeof Trial.Type

export class Predecessor extends Context.Service<Predecessor, {
  /** It did not stop by itself. */
  readonly died: boolean
  /** The last fact it wrote. */
  readonly lastSeq: number
  /** What it was trying when it ended; nothing if it stopped by itself. */
  readonly trial: Trial
  /** Leaves word for the process after this one; `null`: nothing runs alone any more. Durable with the next commit. */
  readonly note: (trial: Trial | null) => void
}>()("@coppice/task/Predecessor") {}

const kind = "process"

const text = Schema.fromJsonString(Trial)
const decode = Schema.decodeUnknownOption(text)
const encode = Schema.encodeSync(text)

const none: Trial = { task: null, deaths: {} }

export const layer: Layer.Layer<Predecessor, StoreError, TaskStore | TaskLog | Ownership> = Layer.effect(
  Predecessor,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const log = yield* TaskLog
    const { head } = yield* Ownership
    const died = head.seq > 0 && (yield* store.note(kind, "stopped")) !== String(head.seq)
    const left = died ? Option.getOrElse(decode(yield* store.note(kind, "trial")), () => none) : none
    let isNoted = false
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (log.head > 0) log.setNote({ kind, key: "stopped", value: String(log.head) })
      })
    )
    return {
      died,
      lastSeq: head.seq,
      trial: left,
      note: (trial) => {
        if (trial === null && !isNoted) return
        isNoted = trial !== null
        log.setNote({ kind, key: "trial", value: trial === null ? null : encode(trial) })
      }
    }
  })
)
