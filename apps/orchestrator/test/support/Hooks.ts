/**
 * Webhooks over a store in memory, with a receiver of the test's own and a task that asks what the test says.
 */
import * as Seal from "@coppice/mcp/Seal"
import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import { People, type Person } from "@coppice/task/People"
import type { TaskId } from "@coppice/task/Task"
import * as TaskEngine from "@coppice/task/TaskEngine"
import type { InputRequest } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import type { TaskStore } from "@coppice/task/TaskStore"
import { type Worker, Workers } from "@coppice/task/Worker"
import type { WebhookOptions } from "coppice/Webhooks"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { AnswerLinks } from "../../src/AnswerLinks.ts"
import { Listener } from "../../src/Listener.ts"
import * as Webhooks from "../../src/Webhooks.ts"
import { type Reply, WebhookSender } from "../../src/WebhookSender.ts"

const secret = Redacted.make("a secret of the test, long enough")

/** What arrived: at what virtual time, under which id. */
export interface Arrival {
  readonly to: string
  readonly id: string
  readonly at: number
  readonly body: any
}

const reply = (status: number, retryAfter?: number): Reply => ({ status, said: `HTTP ${status}`, retryAfter })

/** Answers with the statuses of the script, then with 200. */
export class Receiver {
  readonly arrived: Array<Arrival> = []
  private readonly script: Array<number | Reply>

  constructor(...script: ReadonlyArray<number | Reply>) {
    this.script = [...script]
  }

  readonly layer = Layer.succeed(WebhookSender, {
    send: ({ name }, { body, id }, at) =>
      Effect.sync(() => {
        this.arrived.push({ to: name, id, at, body: JSON.parse(body) })
        const next = this.script.shift() ?? 200
        return typeof next === "number" ? reply(next) : next
      })
  })

  get types(): ReadonlyArray<string> {
    return this.arrived.map(({ body }) => body.type)
  }
}

export const store = (): Layer.Layer<TaskStore> => MemoryTaskStore.layerShared()

export const person = (name: string, ...roles: ReadonlyArray<string>): readonly [string, Person] => [
  name,
  { name, roles, may: ["view", "approve"] }
]

const listener = Layer.succeed(Listener, {
  url: "http://127.0.0.1:4280",
  authorities: new Set<string>(),
  open: Effect.void,
  mount: () => {}
})

const worker: Worker = {
  contract: {
    name: "asker",
    description: "Asks",
    version: "1",
    kind: "agent",
    input: {},
    output: {},
    error: null,
    policy: "always",
    content: false,
    listed: true,
    concurrency: 100,
    queue: 100,
    attempts: 1
  },
  accept: Effect.succeed,
  waiting: () => 0,
  hasPlace: () => true,
  whenRoom: (callback) => callback(),
  start: () => {},
  resume: () => {}
}

/** One life of a service's webhooks; everything of it but the store ends with the scope. */
export const life = <A, E>(
  { hooks, people = [], receiver, store }: {
    readonly store: Layer.Layer<TaskStore>
    readonly receiver: Receiver
    readonly hooks?: Record<string, Partial<WebhookOptions>>
    readonly people?: ReadonlyArray<readonly [string, Person]>
  },
  program: Effect.Effect<A, E, Tasks | TaskLog | TaskStore | AnswerLinks>
) => {
  const whole = Object.fromEntries(
    Object.entries(hooks ?? { ops: {} }).map(([name, hook]) => [name, { url: "https://hook.test/in", secret, ...hook }])
  )
  return Effect.scoped(Effect.andThen(
    Effect.flatMap(Workers, (workers) => workers.register(worker)),
    program
  )).pipe(Effect.provide(
    Webhooks.layer(whole).pipe(
      Layer.provideMerge(AnswerLinks.layer),
      Layer.provide(Layer.mergeAll(receiver.layer, listener, Seal.layer)),
      Layer.provideMerge(TaskEngine.layer),
      Layer.provideMerge(Layer.succeed(People, new Map(people))),
      Layer.provideMerge(store)
    )
  ))
}

/** A task that asks this. */
export const asking = Effect.fnUntraced(function*(more: Partial<InputRequest> = {}) {
  const tasks = yield* Tasks
  const log = yield* TaskLog
  const { id } = yield* tasks.submit({ agent: "asker", input: null })
  yield* ask(id, more)
  yield* log.barrier
  return id
})

export const ask = (id: TaskId, more: Partial<InputRequest>) =>
  Effect.map(TaskLog, (log) => {
    const request: InputRequest = {
      key: "q",
      mode: "form",
      message: "Go?",
      schema: null,
      url: null,
      deadline: null,
      ...more
    }
    return log.dispatch(log.resident(id)!, { _tag: "RequestInput", attempt: 1, request })
  })

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Moves the clock, and lets what is written and told settle. */
export const pass = (millis = 0) =>
  Effect.gen(function*() {
    const log = yield* TaskLog
    yield* TestClock.adjust(millis)
    for (let i = 0; i < 10; i++) {
      yield* log.barrier
      yield* turn
      yield* TestClock.adjust(0)
    }
  })
