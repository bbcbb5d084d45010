/**
 * What a peer may hold and must not be able to make: task handles, cursors and the state of a call in rounds.
 *
 * A handle is the task's public id and 132 bits of an HMAC over it, under a key of 256 random bits that lives in the
 * store. So a handle survives every restart, costs no row and no index, and cannot be guessed from an id that stands in
 * logs and traces. Labels keep handles, cursors and states apart: none can take the place of another.
 */
import { type TaskId } from "@coppice/task/Task"
import { isTaskId } from "@coppice/task/TaskIds"
import { TaskLog } from "@coppice/task/TaskLog"
import type { StoreError } from "@coppice/task/TaskStore"
import { TaskStore } from "@coppice/task/TaskStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"

const macLength = 22

/** Handles whose seal has been looked at: whoever polls shows the same one again and again. */
const mostKnown = 10_000

export class Seal extends Context.Service<Seal, {
  /** A task's name on the wire; who holds it and is allowed may use it. */
  readonly handle: (task: TaskId) => string
  /** The task of a handle this store has given out. */
  readonly task: (handle: string) => TaskId | undefined
  /** Seals a text under a label. */
  readonly seal: (label: string, text: string) => string
  /** The text, if it was sealed here under that label. */
  readonly open: (label: string, sealed: string) => string | undefined
}>()("@coppice/mcp/Seal") {}

const make = (key: Buffer): Seal["Service"] => {
  const mac = (label: string, text: string): string =>
    createHmac("sha256", key).update(label).update("\0").update(text).digest("base64url").slice(0, macLength)
  const isSame = (a: string, b: string): boolean =>
    a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
  const known = new Map<TaskId, string>()
  const handle = (task: TaskId): string => {
    const before = known.get(task)
    if (before !== undefined) return before
    const made = `${task}-${mac("task", task)}`
    if (known.size >= mostKnown) known.clear()
    known.set(task, made)
    return made
  }
  return {
    handle,
    task: (given) => {
      const id = given.slice(0, 20)
      return isTaskId(id) && isSame(given, handle(id)) ? id : undefined
    },
    seal: (label, text) => `${Buffer.from(text).toString("base64url")}.${mac(label, text)}`,
    open: (label, sealed) => {
      const [body = "", given = "", more] = sealed.split(".")
      if (more !== undefined || given.length !== macLength) return undefined
      const text = Buffer.from(body, "base64url").toString()
      return isSame(given, mac(label, text)) ? text : undefined
    }
  }
}

/** Reads the store's key, or makes one; it is durable before anything is sealed with it. */
export const layer: Layer.Layer<Seal, StoreError, TaskStore | TaskLog> = Layer.effect(
  Seal,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const log = yield* TaskLog
    const known = yield* store.note("secret", "mcp")
    if (known !== undefined) return make(Buffer.from(known, "base64url"))
    const key = randomBytes(32)
    log.setNote({ kind: "secret", key: "mcp", value: key.toString("base64url") })
    yield* log.barrier
    return make(key)
  })
)
