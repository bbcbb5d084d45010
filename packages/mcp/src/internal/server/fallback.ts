/**
 * Tasks for hosts that know none: four tools that start an agent's work, look at it, answer its questions and cancel it.
 *
 * They name a task by a short reference. Without one they mean the caller's only open task; a model need not carry ids.
 */
import type { Contract } from "@coppice/task/Contract"
import { isTerminal, type Task } from "@coppice/task/Task"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { JsonObject } from "effect/Schema"
import type { Peer } from "../../Peer.ts"
import type { Calls, View } from "./Calls.ts"
import { toWire } from "./inputs.ts"
import type { References } from "./References.ts"
import { failedResult, resultOf } from "./tool.ts"
import { schema, type Tool } from "./Tools.ts"
import { invalid, WireError } from "./wireError.ts"

/** The longest a look may wait for the end, milliseconds: hosts give up on a call after a minute. */
const longestWait = 30_000

/** How many open tasks are told of when it is not clear which is meant. */
const mostOpen = 20

const text = (text: string) => ({ type: "text", text })

const reference = {
  type: "string",
  description: "The task's reference, such as review-3. Leave it out if you have one open task."
}

const waitSeconds = {
  type: "number",
  description: "How many seconds to wait for the end, up to 30. Leave it out to look without waiting."
}

/** One line about a task, and what a program reads of it. */
const summary = (name: string, { inputs, status, task }: View): JsonObject => {
  const questions = inputs.map((input) => {
    const { key, method, params } = toWire(task.id, input)
    return { key, method, ...params }
  })
  const asks = questions.length === 0
    ? ""
    : ` It asks: ${
      inputs.map(({ request }) => request.message).join(" · ")
    }. Ask the user, then answer with task_update.`
  const message = task.statusMessage === null || questions.length > 0 ? "" : ` ${task.statusMessage}`
  return {
    content: [text(`${name} is ${status}.${message}${asks}`)],
    structuredContent: { reference: name, agent: task.agent, status, ...questions.length > 0 ? { questions } : {} }
  }
}

const waitOf = (args: JsonObject): number => {
  const seconds = args["waitSeconds"]
  return typeof seconds === "number" && seconds > 0 ? Math.min(seconds * 1000, longestWait) : 0
}

class Fallback {
  private readonly calls: Calls
  private readonly references: References
  private readonly patience: number

  constructor(calls: Calls, references: References, patience: number) {
    this.calls = calls
    this.references = references
    this.patience = patience
  }

  start = (args: JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const contract = yield* this.calls.tool(typeof args["agent"] === "string" ? args["agent"] : "")
      const input = (args["arguments"] ?? {}) as JsonObject
      const task = yield* this.calls.submit(peer, contract, { name: contract.name, arguments: input, meta: null })
      return yield* this.look(task, contract, Math.max(this.patience, waitOf(args)))
    }).pipe(
      Effect.catchTag("InvalidInput", (error) => Effect.succeed(failedResult(`Invalid arguments: ${error.message}`)))
    )

  get = (args: JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const task = yield* this.find(args, peer)
      return yield* this.look(task, this.calls.contract(task.agent), waitOf(args))
    })

  update = (args: JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const task = yield* this.find(args, peer)
      const answers = args["answers"]
      if (!Predicate.isObject(answers)) return yield* invalid("answers: has to be an object, by the questions' keys")
      yield* this.calls.answer(peer, task, answers)
      return yield* this.look(task, this.calls.contract(task.agent), this.patience)
    })

  cancel = (args: JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const task = yield* this.find(args, peer)
      yield* Effect.catchTag(this.calls.cancel(peer, task.id), "Refused", () => Effect.void)
      return yield* this.look(task, this.calls.contract(task.agent), 0)
    })

  /** The result when the task ends in time, else where it stands. */
  private look(task: Task, contract: Contract | undefined, wait: number) {
    return Effect.gen({ self: this }, function*() {
      if (wait > 0) yield* this.calls.settle(task, { patience: wait, wanted: () => true })
      const now = yield* Effect.orDie(this.calls.verbs.get(task.id))
      const view = yield* this.calls.view(now)
      const name = yield* this.references.of(now)
      if (view.ending === undefined || view.status === "cancelled") return summary(name, view)
      const result = resultOf(contract, { task: view.task, ending: view.ending }, "2025-11-25")
      return result instanceof WireError ? failedResult(`${name} has failed: ${result.message}`) : result
    })
  }

  private find(args: JsonObject, peer: Peer) {
    return Effect.gen({ self: this }, function*() {
      const { reference } = args
      if (typeof reference === "string" && reference !== "") {
        const id = yield* this.references.find(peer.principal, reference)
        if (id !== undefined) return yield* Effect.orDie(this.calls.verbs.get(id))
        return yield* invalid(
          `reference: there is no task "${reference.slice(0, 100)}"; leave it out to see the open ones`
        )
      }
      return yield* this.onlyOpen(peer)
    })
  }

  private onlyOpen(peer: Peer) {
    return Effect.gen({ self: this }, function*() {
      const tasks = yield* this.calls.verbs.list({
        principal: peer.principal,
        rootsOnly: true,
        status: ["working", "input_required"],
        limit: mostOpen
      })
      const open = tasks.filter(({ status }) => !isTerminal(status))
      if (open.length === 1) return open[0]!
      if (open.length === 0) return yield* invalid("reference: you have no open task; name one that has ended")
      const names = yield* Effect.forEach(open, (task) => this.references.of(task))
      return yield* invalid(`reference: you have several open tasks, name one of ${names.join(", ")}`)
    })
  }
}

/** The four tools; the agents they start are those a host is offered. */
export const fallbackTools = (calls: Calls, references: References, patience: number): ReadonlyArray<Tool> => {
  const fallback = new Fallback(calls, references, patience)
  return [
    {
      descriptor: {
        name: "task_start",
        description: "Starts an agent's work that may take long and returns at once with a reference to it. " +
          "Every other tool of this server that is an agent can be started so.",
        inputSchema: schema({
          agent: { type: "string", description: "The name of the tool" },
          arguments: { type: "object", description: "The tool's arguments" },
          waitSeconds
        }, "agent")
      },
      handle: fallback.start
    },
    {
      descriptor: {
        name: "task_get",
        description: "Tells where a started task stands, what it asks, or its result when it has ended.",
        inputSchema: schema({ reference, waitSeconds }),
        annotations: { readOnlyHint: true }
      },
      handle: fallback.get
    },
    {
      descriptor: {
        name: "task_update",
        description: "Passes on the user's answers to what a task asks. Answer only with what the user has said.",
        inputSchema: schema({
          reference,
          answers: {
            type: "object",
            description: "By the question's key: { action: accept | decline | cancel, content: the form's fields }"
          }
        }, "answers")
      },
      handle: fallback.update
    },
    {
      descriptor: {
        name: "task_cancel",
        description: "Cancels a started task and everything it has started.",
        inputSchema: schema({ reference }),
        annotations: { destructiveHint: true, idempotentHint: true }
      },
      handle: fallback.cancel
    }
  ]
}
