/**
 * Agents of the suites: they do what the call's `script` says, then wait for the test's hand.
 *
 * A script runs while the task is handed over, so what it says first is already decided when the call is answered.
 */
import type { Contract, TaskPolicy } from "@coppice/task/Contract"
import { Settler } from "@coppice/task/Settler"
import type { TaskId } from "@coppice/task/Task"
import type { InputRequest } from "@coppice/task/TaskEvent"
import { type Entry, TaskLog } from "@coppice/task/TaskLog"
import type { Command } from "@coppice/task/TaskMachine"
import { Tasks } from "@coppice/task/Tasks"
import { InvalidInput, type Worker, Workers } from "@coppice/task/Worker"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"

/** One thing a task does. `ask` puts all its questions at once and goes on when the last one is over. */
type Op =
  | readonly ["complete", Json?]
  | readonly ["fail", string, Json?]
  | readonly ["break", string]
  | readonly ["ask", ...ReadonlyArray<string | Partial<InputRequest>>]
  | readonly ["progress", number, number?]
  | readonly ["log", string]
  | readonly ["child", string, ReadonlyArray<Op>]

export type Script = ReadonlyArray<Op>

const form = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false
} as const

const question = (given: string | Partial<InputRequest>): InputRequest => ({
  mode: "form",
  message: "What is your name?",
  schema: form,
  url: null,
  deadline: null,
  ...typeof given === "string" ? { key: given } : { key: "q", ...given }
})

const contract = (name: string, policy: TaskPolicy): Contract => ({
  name,
  description: `Does what its script says; its calls become tasks: ${policy}`,
  version: "1",
  kind: "agent",
  input: { type: "object", properties: { script: { type: "array" } } },
  output: {},
  error: null,
  policy,
  content: false,
  listed: true,
  concurrency: 10_000,
  queue: name === "narrow" ? 0 : 10_000,
  attempts: 1,
  ...name === "narrow" ? { concurrency: 1 } : {}
})

/** What a test does with the tasks the agents hold. */
export interface Hand {
  /** Lets the task do something; tells whether the log took it. */
  readonly act: (id: TaskId, ...script: Script) => boolean
  /** Resolves with the next task handed over, or with one nobody has taken yet. */
  readonly started: () => Promise<TaskId>
  /** Work that ends although its task has been ended: tells whether the log took it. */
  readonly finishLate: (id: TaskId) => boolean
  /** Tasks somebody works on. */
  readonly held: () => ReadonlyArray<TaskId>
}

interface Held {
  readonly entry: Entry
  rest: Script
}

class Scripts implements Hand {
  private readonly all = new Map<TaskId, Held>()
  private readonly gone = new Map<TaskId, Entry>()
  private readonly fresh: Array<TaskId> = []
  private readonly waiting: Array<(id: TaskId) => void> = []
  private readonly log: TaskLog["Service"]
  private readonly settler: Settler["Service"]
  private readonly tasks: Tasks["Service"]
  readonly workers = new Map<string, Worker>()

  constructor(services: {
    readonly log: TaskLog["Service"]
    readonly settler: Settler["Service"]
    readonly tasks: Tasks["Service"]
  }) {
    this.log = services.log
    this.settler = services.settler
    this.tasks = services.tasks
  }

  take(entry: Entry, input: Json): void {
    const { id, parent } = entry.state
    entry.held = true
    this.all.set(id, { entry, rest: [] })
    if (parent === null) {
      const waiter = this.waiting.shift()
      if (waiter === undefined) this.fresh.push(id)
      else waiter(id)
    }
    this.perform(id, (input as { readonly script?: Script }).script ?? [])
  }

  started(): Promise<TaskId> {
    const id = this.fresh.shift()
    return id === undefined ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve(id)
  }

  held(): ReadonlyArray<TaskId> {
    return [...this.all.keys()]
  }

  act(id: TaskId, ...script: Script): boolean {
    return this.all.has(id) && this.perform(id, script)
  }

  finishLate(id: TaskId): boolean {
    const entry = this.gone.get(id)!
    const { attempt } = entry.state
    return this.log.dispatch(entry, { _tag: "Complete", attempt, result: "too late" })._tag === "Success"
  }

  private perform(id: TaskId, script: Script): boolean {
    const held = this.all.get(id)
    if (held === undefined) return false
    for (const [index, op] of script.entries()) {
      if (!this.performOne(held.entry, op)) return false
      if (op[0] !== "ask") continue
      held.rest = script.slice(index + 1)
      return true
    }
    return true
  }

  private performOne(entry: Entry, op: Op): boolean {
    const { attempt, id } = entry.state
    const dispatch = (command: Command) => this.log.dispatch(entry, command)._tag === "Success"
    switch (op[0]) {
      case "complete":
        return this.over(id, dispatch({ _tag: "Complete", attempt, result: op[1] ?? "done" }))
      case "fail": {
        const [, message, error = null] = op
        return this.over(id, dispatch({ _tag: "Fail", attempt, reason: "agent_error", message, error }))
      }
      case "break":
        return this.over(id, dispatch({ _tag: "Fail", attempt, reason: "defect", message: op[1], error: null }))
      case "ask":
        return op.slice(1).every((given) =>
          dispatch({ _tag: "RequestInput", attempt, request: question(given as string) })
        )
      case "progress": {
        const progress = { progress: op[1], total: op[2] ?? null, message: null }
        return dispatch({ _tag: "Progress", attempt, progress })
      }
      case "log":
        return dispatch({ _tag: "Log", attempt, level: "warning", logger: null, data: op[1] })
      case "child": {
        const worker = this.workers.get("always")!
        const child = {
          parent: entry,
          key: op[1],
          input: { script: op[2] as unknown as Json },
          worker,
          deadline: null
        } as const
        this.tasks.submitChild({ ...child, onParentExit: "stop" })
        return true
      }
    }
  }

  /** An end that was refused, because another was first, is no end. */
  private over(id: TaskId, isTaken: boolean): boolean {
    if (isTaken) this.log.release(this.drop(id))
    return isTaken
  }

  private drop(id: TaskId): Entry {
    const { entry } = this.all.get(id)!
    this.all.delete(id)
    this.gone.set(id, entry)
    entry.held = false
    return entry
  }

  /** Goes on after the last answer; lets go of what was ended from outside. */
  readonly committed: Parameters<TaskLog["Service"]["onCommit"]>[0] = (events) => {
    for (const { event, task } of events) {
      const held = this.all.get(task)
      if (held === undefined) continue
      if (event._tag === "Cancelled" || event._tag === "Failed") this.settler.settle(this.drop(task), "stopped")
      if (event._tag === "InputReceived" && held.entry.state.inputs.length === 0) this.perform(task, held.rest)
    }
  }
}

const policies = ["never", "slow", "always", "required"] as const

/** Registers an agent for each policy, named like it, and `narrow`, which takes one task at a time. */
export const register = Effect.gen(function*() {
  const log = yield* TaskLog
  const scripts = new Scripts({ log, settler: yield* Settler, tasks: yield* Tasks })
  const stop = log.onCommit(scripts.committed)
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  const workers = yield* Workers
  for (const terms of [...policies.map((policy) => contract(policy, policy)), contract("narrow", "always")]) {
    const worker: Worker = {
      contract: terms,
      accept: (input) =>
        (input as { readonly script?: Json }).script === "bad"
          ? Effect.fail(new InvalidInput({ agent: terms.name, path: "script", message: "script: not a script" }))
          : Effect.succeed(input),
      waiting: () => 0,
      hasPlace: () => terms.concurrency > scripts.held().length,
      whenRoom: (callback) => callback(),
      start: (entry, input) => scripts.take(entry, input),
      resume: () => {}
    }
    scripts.workers.set(terms.name, worker)
    yield* workers.register(worker)
  }
  return scripts
})
