/**
 * The MCP messages of a task, made of its log: what each of its facts is on the wire, in both revisions.
 *
 * Inside one process no bytes are written for a call, and a service does not keep what crossed a wire; the log has the neutral
 * parameters and results, and these are the messages they stand for, by the same code that writes real ones. What only the
 * wire knew is invented and says so: the handle, the ids of requests, the progress token.
 *
 * **Gotchas**: a client polls more often than shown, and hears what it has subscribed to.
 */
import type { Contract } from "@coppice/task/Contract"
import { untouched } from "@coppice/task/Policy"
import type { Task } from "@coppice/task/Task"
import { type Envelope, isEnding, type TaskEvent } from "@coppice/task/TaskEvent"
import type { OpenInput } from "@coppice/task/TaskStore"
import type { JsonObject } from "effect/Schema"
import { toWire, type WireInput } from "./internal/server/inputs.ts"
import { logOf, progressOf } from "./internal/server/relay.ts"
import { resultOf } from "./internal/server/tool.ts"
import { WireError } from "./internal/server/wireError.ts"
import * as Legacy from "./internal/v2025_11_25/codec.ts"
import * as Modern from "./internal/v2026_07_28/codec.ts"
import * as Meta from "./Meta.ts"

type Side = "caller" | "agent"

/** What a fact is on the wire. */
export interface Message {
  /** The fact, and when it was written, Unix milliseconds. */
  readonly seq: number
  readonly at: number
  readonly fact: TaskEvent["_tag"]
  readonly from: Side
  /** Without what differs between the revisions. */
  readonly neutral: JsonObject
  /** JSON-RPC messages of MCP 2025-11-25, in order. */
  readonly legacy: ReadonlyArray<JsonObject>
  /** Of MCP 2026-07-28. */
  readonly modern: ReadonlyArray<JsonObject>
}

/** Stands for the secret that names a task on the wire: it is never kept where people look. */
const handle = "<handle of the task>"
const token = "<progress token>"

type Of<Tag extends TaskEvent["_tag"]> = Extract<TaskEvent, { readonly _tag: Tag }>

interface Place {
  readonly task: Task
  readonly contract: Contract | undefined
  readonly envelope: Envelope
}

const request = (id: number, method: string, params: JsonObject): JsonObject => ({ jsonrpc: "2.0", id, method, params })
const response = (id: number, result: JsonObject): JsonObject => ({ jsonrpc: "2.0", id, result })
const notification = (method: string, params: JsonObject): JsonObject => ({ jsonrpc: "2.0", method, params })

const reply = (id: number, result: JsonObject | WireError): JsonObject => {
  if (!(result instanceof WireError)) return response(id, result)
  const { code, data, message } = result
  return { jsonrpc: "2.0", id, error: { code, message, ...data === undefined ? {} : { data } } }
}

/** The task as it was after a fact, as far as its messages tell. */
const viewOf = (
  { envelope: { at }, task }: Place,
  change: Partial<Task>,
  more: { readonly inputs?: ReadonlyArray<OpenInput>; readonly ending?: TaskEvent } = {}
) => {
  const then: Task = { ...task, status: "working", statusMessage: null, endedAt: null, updatedAt: at, ...change }
  return {
    task: then,
    status: then.status,
    inputs: more.inputs ?? [],
    ending: more.ending,
    ttl: task.spec.ttl,
    pollInterval: 250
  }
}

/** What a call carries beside its arguments. */
const metaOf = ({ deadline, parent, spec }: Task): JsonObject => {
  const { budget, idempotencyKey, meta, trace } = spec
  return {
    ...meta,
    [Meta.traceparent]: `00-${trace.traceId}-${trace.parentSpanId ?? trace.spanId}-01`,
    ...parent === null ? {} : { [Meta.parent]: parent },
    ...deadline === null ? {} : { [Meta.deadline]: deadline },
    ...budget === null ? {} : { [Meta.budget]: Meta.writeBudget(budget) },
    ...idempotencyKey === null ? {} : { [Meta.idempotencyKey]: idempotencyKey }
  }
}

const call = (place: Place, event: Of<"Created">): Message => {
  const { envelope: { at, seq }, task } = place
  const neutral = { name: event.agent, arguments: event.input, _meta: metaOf(task) }
  const view = viewOf(place, { createdAt: at })
  const negotiated = {
    [Meta.protocolVersion]: "2026-07-28",
    [Meta.clientCapabilities]: { extensions: { [Meta.tasksExtension]: {} } }
  }
  return {
    ...headOf(place, "caller"),
    neutral: { method: "tools/call", params: neutral },
    legacy: [
      request(seq, "tools/call", {
        ...neutral,
        task: task.spec.ttl === null ? {} : { ttl: task.spec.ttl },
        _meta: { ...neutral._meta, [Meta.progressToken]: token }
      }),
      response(seq, { task: Legacy.task(handle, view) })
    ],
    modern: [
      request(seq, "tools/call", { ...neutral, _meta: { ...neutral._meta, ...negotiated } }),
      response(seq, Modern.created(handle, view))
    ]
  }
}

const headOf = ({ envelope: { at, event, seq } }: Place, from: Side) => ({ seq, at, fact: event._tag, from })

const progress = (place: Place): Message | undefined => {
  const params = progressOf(token)(place.envelope)
  if (params === undefined) return undefined
  return {
    ...headOf(place, "agent"),
    neutral: { method: "notifications/progress", params },
    legacy: [notification("notifications/progress", { ...params, _meta: Legacy.related(handle) })],
    modern: [notification("notifications/progress", params)]
  }
}

const log = (place: Place, event: Of<"Logged">): Message => {
  const params = logOf(event)
  return {
    ...headOf(place, "agent"),
    neutral: { method: "notifications/message", params },
    legacy: [notification("notifications/message", { ...params, _meta: Legacy.related(handle) })],
    modern: [notification("notifications/message", params)]
  }
}

const polled = (seq: number, result: JsonObject): ReadonlyArray<JsonObject> => [
  request(seq, "tasks/get", { taskId: handle }),
  response(seq, { resultType: "complete", ...result })
]

const question = (place: Place, event: Of<"InputRequested">): Message => {
  const { contract, envelope: { at, run, seq }, task } = place
  const { request: asked } = event
  const standing = untouched(asked.key)
  const input: OpenInput = { task: task.id, run, agent: task.agent, since: at, request: asked, standing }
  const { method, params }: WireInput = toWire(task.id, input)
  const view = viewOf(place, { status: "input_required", statusMessage: asked.message }, { inputs: [input] })
  return {
    ...headOf(place, "agent"),
    neutral: { method, params },
    legacy: [request(seq, method, { ...params, _meta: Legacy.related(handle) })],
    modern: polled(seq, Modern.detailed(handle, contract, view))
  }
}

const answer = (place: Place, { key, response: { action, content } }: Of<"InputReceived">): Message => {
  const { seq } = place.envelope
  const isOne = action === "accept" || action === "decline" || action === "cancel"
  const result = { action, ...content === null ? {} : { content } }
  return {
    ...headOf(place, "caller"),
    neutral: { result },
    // one that ran out of time was withdrawn by the service itself
    legacy: isOne
      ? [response(seq, result)]
      : [notification("notifications/cancelled", { requestId: seq, reason: action })],
    modern: isOne
      ? [request(seq, "tasks/update", { taskId: handle, inputResponses: { [key]: result } }), response(seq, {})]
      : []
  }
}

const ending = (place: Place, event: Of<"Completed" | "Failed">): Message => {
  const { contract, envelope: { seq, at }, task } = place
  const status = event._tag === "Completed" ? "completed" as const : "failed" as const
  const statusMessage = event._tag === "Failed" ? event.message : null
  const view = viewOf(place, { status, endedAt: at, statusMessage }, { ending: event })
  const result = resultOf(contract, { task, ending: event }, "2025-11-25")
  const tied = result instanceof WireError
    ? result
    : { ...result, _meta: { ...result["_meta"] as JsonObject | undefined, ...Legacy.related(handle) } }
  return {
    ...headOf(place, "agent"),
    neutral: event._tag === "Completed"
      ? { result: event.result }
      : { error: { reason: event.reason, message: event.message, data: event.error } },
    legacy: [
      notification("notifications/tasks/status", Legacy.task(handle, view)),
      request(seq, "tasks/result", { taskId: handle }),
      reply(seq, tied)
    ],
    modern: polled(seq, Modern.detailed(handle, contract, view))
  }
}

const cancel = (place: Place, event: Of<"Cancelled">): Message => {
  const { at, seq } = place.envelope
  const view = viewOf(place, { status: "cancelled", endedAt: at, statusMessage: event.reason }, { ending: event })
  return {
    ...headOf(place, "caller"),
    neutral: { method: "tasks/cancel", params: { reason: event.reason } },
    legacy: [request(seq, "tasks/cancel", { taskId: handle }), response(seq, Legacy.task(handle, view))],
    modern: [request(seq, "tasks/cancel", { taskId: handle }), response(seq, {})]
  }
}

const messageOf = (place: Place): Message | undefined => {
  const { event } = place.envelope
  switch (event._tag) {
    case "Created":
      return call(place, event)
    case "Progressed":
      return progress(place)
    case "Logged":
      return log(place, event)
    case "InputRequested":
      return question(place, event)
    case "InputReceived":
      return answer(place, event)
    case "Cancelled":
      return cancel(place, event)
    default:
      return isEnding(event._tag) ? ending(place, event as Of<"Completed" | "Failed">) : undefined
  }
}

/** The messages that these facts of a task stand for. Steps, timers and attempts are the agent's own and cross no wire. */
export const make = (
  task: Task,
  contract: Contract | undefined,
  envelopes: ReadonlyArray<Envelope>
): ReadonlyArray<Message> => envelopes.flatMap((envelope) => messageOf({ task, contract, envelope }) ?? [])
