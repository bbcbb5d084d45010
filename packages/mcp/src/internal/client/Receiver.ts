/**
 * What a server asks outside of any call, and the tasks it makes of that (2025-11-25).
 *
 * A server may send `sampling/createMessage` and `elicitation/create` as tasks. Then this client is the receiver: it
 * makes the task, tells its state, hands out its result and lets it be cancelled, as the specification demands of
 * receivers. Tasks live in memory, as long as the connection and no longer than their time to live.
 */
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { randomBytes } from "node:crypto"
import type { Connection, Heard } from "./Connection.ts"
import { answered } from "./Desk.ts"
import { code, relatedMeta, withMeta } from "./meta.ts"
import { type Answer, type Ask, isQuestionMethod, type Question } from "./questions.ts"
import { idText, isRequest, type JsonObject, numberAt, type RpcFault, type RpcRequest, textAt } from "./rpc.ts"
import { isOver, type TaskStatus } from "./task.ts"
import { questionOf, replyTo } from "./v2025_11_25.ts"

type Fork = (effect: Effect.Effect<void>) => Fiber.Fiber<void>

interface Received {
  readonly id: string
  readonly createdAt: number
  readonly ttl: number
  status: TaskStatus
  statusMessage: string | undefined
  updatedAt: number
  outcome: Answer | undefined
  fiber: Fiber.Fiber<void> | undefined
  readonly waiting: Array<() => void>
}

/** Bounds that servers are told of: tasks at once, and the longest time one is kept. */
const maxTasks = 100
const maxTtl = 24 * 60 * 60 * 1_000
const page = 50
const pollInterval = 1_000

class Fault extends Error {
  readonly fault: RpcFault

  constructor(code: number, message: string) {
    super(message)
    this.fault = { code, message }
  }
}

const isoOf = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

const unknownTask = () => new Fault(code.invalidParams, "Failed to retrieve task: Task not found")

export class Receiver {
  private readonly tasks = new Map<string, Received>()
  private readonly asked = new Map<string, Fiber.Fiber<void>>()
  private readonly connection: Connection
  private readonly ask: Ask | undefined
  private readonly fork: Fork
  private readonly clock: Clock.Clock

  constructor(options: {
    readonly connection: Connection
    readonly ask: Ask | undefined
    readonly fork: Fork
    readonly clock: Clock.Clock
  }) {
    this.connection = options.connection
    this.ask = options.ask
    this.fork = options.fork
    this.clock = options.clock
  }

  /** True when the message was for it. */
  receive(message: Heard): boolean {
    if (!isRequest(message)) {
      if (message.method !== "notifications/cancelled") return false
      const id = idText(message.params?.["requestId"])
      this.asked.get(id)?.interruptUnsafe()
      return this.asked.has(id)
    }
    if (isQuestionMethod(message.method)) {
      this.put(message)
      return true
    }
    const handler = this.handlers[message.method]
    if (handler === undefined) return false
    this.respond(message, handler)
    return true
  }

  private readonly handlers: Readonly<Record<string, (request: RpcRequest) => Effect.Effect<JsonObject>>> = {
    "tasks/get": ({ params }) => Effect.sync(() => this.wire(this.find(params))),
    "tasks/list": ({ params }) => Effect.sync(() => this.list(params)),
    "tasks/cancel": ({ params }) => Effect.sync(() => this.cancel(params)),
    "tasks/result": ({ params }) => this.result(params)
  }

  private respond(request: RpcRequest, handler: (request: RpcRequest) => Effect.Effect<JsonObject>): void {
    const { id } = request
    const replied = handler(request).pipe(
      Effect.map((result) => this.connection.send({ jsonrpc: "2.0", id, result })),
      Effect.catchDefect((defect) =>
        Effect.sync(() => {
          const error = defect instanceof Fault ? defect.fault : { code: code.internal, message: "Internal error" }
          this.connection.send({ jsonrpc: "2.0", id, error })
        })
      )
    )
    this.fork(replied)
  }

  // ---------------------------------------------------------------- questions

  private put(request: RpcRequest): void {
    const { id } = request
    const question = questionOf(request)!
    if (request.params?.["task"] !== undefined) {
      return this.respond(request, () => Effect.sync(() => ({ task: this.wire(this.create(request, question)) })))
    }
    const fiber = this.fork(
      Effect.ignore(
        Effect.flatMap(
          answered(this.ask, question),
          (answer) => this.connection.deliver(replyTo(id, answer, undefined))
        )
      )
    )
    this.asked.set(String(id), fiber)
    fiber.addObserver(() => this.asked.delete(String(id)))
  }

  private now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  private sweep(): void {
    const now = this.now()
    for (const [id, task] of this.tasks) if (task.createdAt + task.ttl < now) this.tasks.delete(id)
  }

  private create({ params }: RpcRequest, question: Question): Received {
    this.sweep()
    if (this.tasks.size >= maxTasks) {
      throw new Fault(code.internal, `This client already has ${maxTasks} tasks; cancel some or wait for their end`)
    }
    const now = this.now()
    const task: Received = {
      id: randomBytes(18).toString("base64url"),
      createdAt: now,
      updatedAt: now,
      ttl: Math.min(Math.max(0, numberAt(params, "task", "ttl") ?? 3_600_000), maxTtl),
      status: "working",
      statusMessage: undefined,
      outcome: undefined,
      fiber: undefined,
      waiting: []
    }
    this.tasks.set(task.id, task)
    task.fiber = this.fork(Effect.map(answered(this.ask, question), (answer) => {
      task.outcome = answer
      const { message } = answer._tag === "Refusal" ? answer : { message: undefined }
      this.end(task, answer._tag === "Refusal" ? "failed" : "completed", message)
    }))
    return task
  }

  private end(task: Received, status: TaskStatus, message: string | undefined): void {
    if (isOver(task.status)) return
    task.status = status
    task.statusMessage = message
    task.updatedAt = this.now()
    for (const wake of task.waiting.splice(0)) wake()
  }

  // ---------------------------------------------------------------- tasks

  private wire({ createdAt, id, status, statusMessage, ttl, updatedAt }: Received): JsonObject {
    return {
      taskId: id,
      status,
      ...statusMessage === undefined ? {} : { statusMessage },
      createdAt: isoOf(createdAt),
      lastUpdatedAt: isoOf(updatedAt),
      ttl,
      pollInterval
    }
  }

  private find(params: JsonObject | undefined): Received {
    this.sweep()
    const task = this.tasks.get(textAt(params, "taskId") ?? "")
    if (task === undefined) throw unknownTask()
    return task
  }

  private list(params: JsonObject | undefined): JsonObject {
    this.sweep()
    const ids = [...this.tasks.keys()]
    const cursor = params?.["cursor"]
    const start = cursor === undefined ? 0 : ids.indexOf(idText(cursor)) + 1
    if (cursor !== undefined && start === 0) throw new Fault(code.invalidParams, "Invalid cursor")
    const shown = ids.slice(start, start + page)
    const next = start + page < ids.length ? { nextCursor: shown.at(-1)! } : {}
    return { tasks: shown.map((id) => this.wire(this.tasks.get(id)!)), ...next }
  }

  private cancel(params: JsonObject | undefined): JsonObject {
    const task = this.find(params)
    if (isOver(task.status)) {
      throw new Fault(code.invalidParams, `Cannot cancel task: already in terminal status '${task.status}'`)
    }
    this.end(task, "cancelled", "The task was cancelled by request.")
    task.fiber?.interruptUnsafe()
    return this.wire(task)
  }

  private result(params: JsonObject | undefined): Effect.Effect<JsonObject> {
    return Effect.suspend(() => {
      const task = this.find(params)
      const ended = Effect.callback<void>((resume) => {
        if (isOver(task.status)) return resume(Effect.void)
        const wake = () => resume(Effect.void)
        task.waiting.push(wake)
        return Effect.sync(() => {
          const index = task.waiting.indexOf(wake)
          if (index !== -1) task.waiting.splice(index, 1)
        })
      })
      return Effect.map(ended, () => {
        const { outcome } = task
        if (outcome?._tag === "Result") return withMeta(outcome.result, relatedMeta(task.id))
        if (outcome !== undefined) throw new Fault(outcome.code, outcome.message)
        throw new Fault(code.invalidRequest, "The task was cancelled and has no result")
      })
    })
  }
}
