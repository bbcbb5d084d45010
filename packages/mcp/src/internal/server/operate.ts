/**
 * The service, operated by a host's model: tools that list, inspect, explain, steer, cancel and retry its own principal's runs.
 *
 * Opt-in, and without the one verb that is a person's: no tool here answers a question or gives an approval.
 */
import { shortened } from "@coppice/task/CancelReport"
import { jsonSchemaOf } from "@coppice/task/Contract"
import { type Task, TaskId, TaskStatus } from "@coppice/task/Task"
import { isTaskId } from "@coppice/task/TaskIds"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Peer } from "../../Peer.ts"
import type { Calls } from "./Calls.ts"
import { ForkArguments, read, SteerArguments, toBudget } from "./operateArguments.ts"
import { schema, type Tool } from "./Tools.ts"
import { invalid } from "./wireError.ts"

/** Says what a task waits for. */
export type Why = (id: TaskId) => Effect.Effect<Schema.Json, unknown>

const mostListed = 50

/** How many tasks one answer tells of; the rest is counted. */
const mostNodes = 200

/** How long a cancelled tree is waited for. */
const longestRest = "10 seconds"

const line = ({ agent, createdAt, endedAt, id, parent, status, statusMessage }: Task): Schema.JsonObject => ({
  id,
  agent,
  status,
  ...statusMessage === null ? {} : { message: statusMessage },
  ...parent === null ? {} : { parent },
  createdAt,
  ...endedAt === null ? {} : { endedAt }
})

const answer = (value: Schema.Json): Schema.JsonObject => ({
  content: [{ type: "text", text: JSON.stringify(value) }],
  structuredContent: value
})

const isStatus = Schema.is(TaskStatus)

class Operate {
  private readonly calls: Calls
  private readonly explain: Why

  constructor(calls: Calls, explain: Why) {
    this.calls = calls
    this.explain = explain
  }

  list = (args: Schema.JsonObject, peer: Peer) => {
    const { agent, status } = args
    return Effect.map(
      this.calls.verbs.list({
        principal: peer.principal,
        rootsOnly: true,
        limit: mostListed,
        ...typeof agent === "string" ? { agent } : {},
        ...isStatus(status) ? { status: [status] } : {}
      }),
      (tasks) => answer({ runs: tasks.map(line) })
    )
  }

  inspect = (args: Schema.JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const task = yield* this.own(args, peer)
      const tree = yield* Effect.orDie(this.calls.verbs.tree(task.id))
      const { inputs } = yield* this.calls.view(task)
      const asks = inputs.map(({ request, task }) => ({ task, message: request.message }))
      return answer({ ...line(task), tree: tree.slice(0, 200).map(line), asks })
    })

  why = (args: Schema.JsonObject, peer: Peer) =>
    Effect.flatMap(this.own(args, peer), ({ id }) => Effect.map(this.explain(id), answer))

  cancel = (args: Schema.JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const { id } = yield* this.own(args, peer)
      const reason = typeof args["reason"] === "string" ? args["reason"].slice(0, 1_000) : undefined
      yield* Effect.catchTag(this.calls.cancel(peer, id, reason), "Refused", ({ message }) => invalid(message))
      yield* Effect.ignore(Effect.timeoutOption(this.calls.verbs.cancelSettled(id), longestRest))
      const report = yield* Effect.orDie(this.calls.verbs.cancelReport(id))
      return answer({ ...shortened(report, mostNodes) })
    })

  report = (args: Schema.JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const { id } = yield* this.own(args, peer)
      const report = yield* Effect.orDie(this.calls.verbs.cancelReport(id))
      return answer({ ...shortened(report, mostNodes) })
    })

  preview = (args: Schema.JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const { id } = yield* this.own(args, peer)
      const preview = yield* Effect.orDie(this.calls.verbs.cancelPreview(id))
      return answer({ ...preview, cancelled: preview.cancelled.slice(0, mostNodes) })
    })

  retry = (args: Schema.JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const { id } = yield* this.own(args, peer)
      const again = yield* Effect.mapError(
        this.calls.verbs.retry(id, { principal: peer.principal }),
        ({ message }) => invalid(message)
      )
      return answer(line(again))
    })

  steer = (args: Schema.JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const { id } = yield* this.own(args, peer)
      const { budget, deadline, message, priority, subtree } = yield* read(SteerArguments, args)
      const steered = yield* Effect.mapError(
        this.calls.verbs.steer({
          id,
          by: peer.principal,
          message,
          priority,
          deadline,
          budget: budget === undefined ? undefined : toBudget(budget),
          subtree
        }),
        (error) => invalid(error.message)
      )
      return answer({ ...line(steered), told: steered.told.slice(0, mostNodes).map((one) => ({ ...one })) })
    })

  fork = (args: Schema.JsonObject, peer: Peer) =>
    Effect.gen({ self: this }, function*() {
      const { id } = yield* this.own(args, peer)
      const given = yield* read(ForkArguments, args)
      const forked = yield* Effect.mapError(
        this.calls.verbs.fork({ ...given, id, by: peer.principal }),
        (error) => invalid(error.message)
      )
      return answer(line(forked))
    })

  /** A run or task of the peer's own. */
  private own(args: Schema.JsonObject, peer: Peer) {
    const { id } = args
    if (typeof id !== "string" || !isTaskId(id)) {
      return Effect.fail(invalid("id: has to be a task's id, as list tells it"))
    }
    return this.calls.own(peer, TaskId.make(id))
  }
}

const id = { type: "string", description: "A task's id, as coppice_list and coppice_inspect tell it" }

/** Tools that change something, and destroy nothing. */
const writing = new Set(["retry", "steer", "fork"])

const readOnly = { readOnlyHint: true }

/** The tools; `why` is the service's own explanation. */
export const operateTools = (calls: Calls, why: Why): ReadonlyArray<Tool> => {
  const operate = new Operate(calls, why)
  const tool = (name: string, description: string, inputSchema: Schema.JsonObject, handle: Tool["handle"]): Tool => ({
    descriptor: {
      name: `coppice_${name}`,
      description,
      inputSchema,
      annotations: name === "cancel" ? { destructiveHint: true } : writing.has(name) ? {} : readOnly
    },
    handle
  })
  const filter = { agent: { type: "string" }, status: { type: "string", enum: [...TaskStatus.literals] } }
  return [
    tool("list", "Lists the newest runs, with their status.", schema(filter), operate.list),
    tool(
      "inspect",
      "Shows a task with the tree below it and its open questions.",
      schema({ id }, "id"),
      operate.inspect
    ),
    tool(
      "why",
      "Says what a task waits for, since when, and who can end the waiting.",
      schema({ id }, "id"),
      operate.why
    ),
    tool(
      "cancel",
      "Cancels a task and all below it, and reports how each came to rest.",
      schema({ id, reason: { type: "string" } }, "id"),
      operate.cancel
    ),
    tool(
      "steer",
      "Tells a running task something, or changes its priority, its deadline or the budget of its run.",
      jsonSchemaOf(SteerArguments),
      operate.steer
    ),
    tool(
      "cancel_preview",
      "Tells what cancelling a task would stop and what would go on, and changes nothing.",
      schema({ id }, "id"),
      operate.preview
    ),
    tool(
      "cancel_report",
      "Reports how everything below a cancelled task came to rest, on every server.",
      schema({ id }, "id"),
      operate.report
    ),
    tool(
      "fork",
      "Starts a new run that is told what a task was told before a step, call or question, and does the rest anew, " +
        "with another input or another answer if one is given.",
      jsonSchemaOf(ForkArguments),
      operate.fork
    ),
    tool("retry", "Runs an ended task's work again, as a new task.", schema({ id }, "id"), operate.retry)
  ]
}
