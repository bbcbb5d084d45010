/**
 * `subscriptions/listen` with `taskIds`: a stream that tells how tasks change, with the whole task in every message.
 *
 * The SDK's own router knows four kinds of change and not this one, so the request passes it once without its tasks, for
 * its checks and for what else is listened to; the stream itself is written here.
 */
import { isTerminal, type Task } from "@coppice/task/Task"
import type { TaskEventType } from "@coppice/task/TaskEvent"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { JsonObject } from "effect/Schema"
import * as Meta from "../../Meta.ts"
import type { Peer } from "../../Peer.ts"
import type { Door } from "../server/Door.ts"
import { dataOf, isStream, mostBehind } from "../server/sse.ts"
import { detailed } from "./codec.ts"
import { declaredIn, declaresTasks, lacksTasks } from "./server.ts"

const mostStreams = 2_000
const mostTasks = 1_000

/** A comment is sent after so many milliseconds. */
const keepAlive = 15_000

type Id = string | number

/** A request to listen to tasks. */
export interface Listen {
  readonly jsonrpc: "2.0"
  readonly id: Id
  readonly method: "subscriptions/listen"
  readonly params: JsonObject & {
    readonly notifications: JsonObject & { readonly taskIds: ReadonlyArray<unknown> }
  }
}

export const isTaskListen = (body: unknown): body is Listen =>
  Predicate.hasProperty(body, "method") && body.method === "subscriptions/listen" &&
  Predicate.hasProperty(body, "params") && Predicate.hasProperty(body.params, "notifications") &&
  Predicate.hasProperty(body.params.notifications, "taskIds") && Array.isArray(body.params.notifications.taskIds)

/** The same request without its tasks. */
const withoutTasks = (body: Listen): JsonObject => {
  const { taskIds: _, ...notifications } = body.params.notifications
  return { ...body, params: { ...body.params, notifications } }
}

/** Facts after which a task looks different to its caller. */
const changes: ReadonlySet<TaskEventType> = new Set([
  "InputRequested",
  "InputReceived",
  "InputWithdrawn",
  "Progressed",
  "AttemptFailed",
  "Completed",
  "Failed",
  "Cancelled"
])

const failure = (id: Id, error: JsonObject, status: number): Response =>
  Response.json({ jsonrpc: "2.0", id, error }, { status })

/** How messages leave: as frames of a stream, or as lines of a pipe. */
export interface Outlet {
  readonly send: (message: JsonObject) => void
  readonly isClosed: () => boolean
}

/** One subscription: what it acknowledges, and how it goes on. */
export class Subscription {
  private readonly stops: Array<() => void> = []
  private readonly door: Door
  private readonly id: Id
  private readonly outlet: Outlet

  constructor(door: Door, id: Id, outlet: Outlet) {
    this.door = door
    this.id = id
    this.outlet = outlet
  }

  private meta(): JsonObject {
    return { [Meta.subscriptionId]: this.id }
  }

  private notify(method: string, params: JsonObject): void {
    this.outlet.send({ jsonrpc: "2.0", method, params: { ...params, _meta: this.meta() } })
  }

  /** Acknowledges what is honored, then tells where each task stands and how it goes on. */
  async start(honored: JsonObject, handles: ReadonlyArray<unknown>, peer: Peer): Promise<void> {
    const { calls, run } = this.door
    const found = await run(
      Effect.forEach(handles.slice(0, mostTasks), (handle) => Effect.option(calls.find(peer, handle)))
    )
    const tasks = found.flatMap((task) => task._tag === "Some" ? [task.value] : [])
    const taskIds = tasks.map(({ id }) => calls.seal.handle(id))
    this.notify("notifications/subscriptions/acknowledged", { notifications: { ...honored, taskIds } })
    for (const task of tasks) this.follow(task, peer)
  }

  private follow(task: Task, peer: Peer): void {
    const { calls } = this.door
    if (!isTerminal(task.status)) {
      this.stops.push(calls.facts.follow(task.run, ({ event }) => {
        if (changes.has(event._tag)) this.tell(task, peer)
      }))
    }
    this.tell(task, peer)
  }

  private tell(task: Task, peer: Peer): void {
    const { calls, run } = this.door
    const look = Effect.flatMap(calls.verbs.get(task.id), (now) => calls.shownTo(peer, now))
    run(look).then(
      (view) => {
        if (this.outlet.isClosed()) return
        this.notify("notifications/tasks", detailed(calls.seal.handle(task.id), calls.contract(task.agent), view))
      },
      () => {}
    )
  }

  /** The result that ends a subscription gracefully. */
  finish(): void {
    this.stop()
    this.outlet.send({ jsonrpc: "2.0", id: this.id, result: { resultType: "complete", _meta: this.meta() } })
  }

  stop(): void {
    for (const stop of this.stops.splice(0)) stop()
  }
}

const encoder = new TextEncoder()

/** A response that streams messages, until somebody closes it. */
const streamed = ({ run }: Door, signal: AbortSignal, onEnd: () => void) => {
  const over = new AbortController()
  let isClosed = false
  let controller: ReadableStreamDefaultController<Uint8Array>
  const end = (): void => {
    if (isClosed) return
    isClosed = true
    over.abort()
    signal.removeEventListener("abort", end)
    onEnd()
    try {
      controller.close()
    } catch {
      // the reader was faster
    }
  }
  const write = (text: string): void => {
    if (isClosed) return
    if ((controller.desiredSize ?? 0) <= 0) return end()
    controller.enqueue(encoder.encode(text))
  }
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
    },
    cancel: end
  }, new ByteLengthQueuingStrategy({ highWaterMark: mostBehind }))
  const beat = Effect.andThen(Effect.sleep(keepAlive), Effect.sync(() => write(": keepalive\n\n")))
  run(Effect.forever(beat), over.signal).catch(() => {})
  signal.addEventListener("abort", end, { once: true })
  const outlet: Outlet = {
    send: (message) => write(`event: message\ndata: ${JSON.stringify(message)}\n\n`),
    isClosed: () => isClosed
  }
  return { body, outlet, end }
}

export class TaskListener {
  private readonly streams = new Map<Subscription, () => void>()

  get size(): number {
    return this.streams.size
  }

  async serve(listen: {
    readonly door: Door
    readonly body: Listen
    readonly signal: AbortSignal
    readonly without: (body: JsonObject) => Promise<Response>
  }): Promise<Response> {
    const { body, door, signal } = listen
    const checked = await listen.without(withoutTasks(body))
    if (!isStream(checked)) return checked
    const honored = await honoredIn(checked)
    const capabilities = declaredIn(body.params["_meta"])
    if (!declaresTasks(capabilities)) return failure(body.id, lacksTasks, 400)
    if (this.streams.size >= mostStreams) {
      return failure(body.id, { code: -32603, message: "Subscription limit reached" }, 200)
    }
    const stream = streamed(door, signal, () => {
      subscription.stop()
      this.streams.delete(subscription)
    })
    const subscription = new Subscription(door, body.id, stream.outlet)
    this.streams.set(subscription, stream.end)
    await subscription.start(honored, body.params.notifications.taskIds, { ...door.caller, capabilities })
    return new Response(stream.body, {
      status: 200,
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no"
      }
    })
  }

  close(): void {
    for (const [subscription, end] of [...this.streams]) {
      subscription.finish()
      end()
    }
  }
}

/** What the SDK acknowledged of the other kinds; its stream has served its purpose then. */
const honoredIn = async (response: Response): Promise<JsonObject> => {
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  const [first] = dataOf(new TextDecoder().decode(value))
  const { params } = first as { readonly params?: { readonly notifications?: JsonObject } }
  return params?.notifications ?? {}
}
