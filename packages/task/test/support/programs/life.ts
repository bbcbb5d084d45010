/**
 * A run that comes past every fact there is, in a store at the path it is given; says `ack <seq>` for what is durable.
 * `COPPICE_FAILPOINTS` kills it on its way.
 */
import * as Effect from "effect/Effect"
import { writeSync } from "node:fs"
import * as Failpoint from "../../../src/Failpoint.ts"
import type { Policy } from "../../../src/Policy.ts"
import type { TaskId } from "../../../src/Task.ts"
import type { Command } from "../../../src/TaskMachine.ts"
import * as Engine from "../engine.ts"
import { owned } from "../places.ts"

const ask = (key: string, policy: Policy = {}): Command => ({
  _tag: "RequestInput",
  attempt: 2,
  request: { key, mode: "form", message: "?", schema: null, url: null, deadline: null, policy }
})

const life: ReadonlyArray<Command> = [
  { _tag: "FailAttempt", attempt: 1, message: "boom", delivered: 1 },
  { _tag: "Start", attempt: 2 },
  { _tag: "IntendStep", attempt: 2, key: "s", name: "s" },
  { _tag: "RecordStep", attempt: 2, key: "s", name: "s", exit: { _tag: "Success", value: 1 }, startedAt: 1 },
  { _tag: "Progress", attempt: 2, progress: { progress: 1, total: 2, message: null } },
  { _tag: "Log", attempt: 2, level: "info", logger: null, data: "half way" },
  { _tag: "SetTimer", attempt: 2, key: "t", due: 8e15 },
  { _tag: "FireTimer", key: "t" },
  ask("a", { quorum: 2, remind: [7e14], escalate: [{ at: 7e14, to: ["dan"] }] }),
  { _tag: "OfferInput", key: "a", offer: { door: "cli", how: "delivered" } },
  { _tag: "TendInput", key: "a", now: 7e14 },
  { _tag: "Delegate", key: "a", by: "cy", to: "bob" },
  { _tag: "Respond", key: "a", response: { action: "accept", content: { ok: true }, by: "ann" } },
  { _tag: "Respond", key: "a", response: { action: "accept", content: { ok: true }, by: "bob" } },
  ask("b"),
  { _tag: "Upgrade", attempt: 2, upgrade: { choice: "restart", version: "2", moves: [], children: [] } },
  { _tag: "Steer", steering: { by: "ann", message: "go on", priority: 1, deadline: 8e15 } },
  { _tag: "WithdrawInput", attempt: 2, key: "b" },
  { _tag: "Reserve", id: "x", amounts: { tokens: 4 } },
  { _tag: "Refund", id: "x", unused: { tokens: 1 } },
  { _tag: "PutPartial", attempt: 2, value: [1] }
]

/** A task that takes something over. */
const later = "z".repeat(20) as TaskId

const program = Effect.gen(function*() {
  const worker = yield* Engine.work("worker")
  const { log, tasks } = yield* Engine.services
  const ack = Effect.andThen(log.barrier, Effect.sync(() => writeSync(1, `ack ${log.head}\n`)))
  const dispatch = (id: TaskId, command: Command) => log.dispatch(log.resident(id)!, command)
  const { id } = yield* tasks.submit({
    agent: "worker",
    input: null,
    idempotencyKey: "k",
    budget: { wallClock: null, calls: null, tokens: 9, money: null }
  })
  yield* ack
  const retried = log.create({ ...log.resident(id)!.state, run: later, input: null, attempt: 0 }, later)
  log.dispatch(retried, { _tag: "ReuseStep", key: "s", name: "s", result: 1, from: id })
  yield* ack
  for (const command of life) {
    dispatch(id, command)
    yield* ack
  }
  const [failing, cancelled] = [
    Engine.child(tasks, worker, log.resident(id)!, "1"),
    Engine.child(tasks, worker, log.resident(id)!, "2")
  ]
  dispatch(failing, { _tag: "Fail", attempt: 1, reason: "agent_error", message: "no", error: null })
  dispatch(id, { _tag: "Adopt", child: cancelled })
  dispatch(cancelled, { _tag: "Release", rule: "adopt", to: id })
  yield* ack
  yield* tasks.cancel({ id: cancelled, by: "ann" })
  yield* ack
  worker.complete(id)
  yield* ack
})

Failpoint.armFromText(process.env["COPPICE_FAILPOINTS"] ?? "")
const path = process.argv[2]!
await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Engine.over(owned({ path })))))
