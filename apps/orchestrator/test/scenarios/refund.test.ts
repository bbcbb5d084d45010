/**
 * The service is killed while a child holds a reservation: what was granted stays granted, what is unused comes back once.
 */
import * as ApiClient from "@coppice/api/ApiClient"
import { emptyPool, grantOf, noLimits, type Pool, used as gone } from "@coppice/task/Budget"
import type { Task, TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import { evolve, type TaskState } from "@coppice/task/TaskMachine"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { fileURLToPath } from "node:url"
import { serve } from "../support/Process.ts"
import { folder } from "../support/Service.ts"
import { given, most, used } from "../support/spenders.config.ts"

const config = fileURLToPath(new URL("../support/spenders.config.ts", import.meta.url))
const granted = { ...noLimits, tokens: 100, calls: 2 }

const begin = Effect.fnUntraced(function*(data: string, environment: Record<string, string> = {}) {
  const service = yield* serve(data, ["--config", config], environment)
  return { service, client: yield* ApiClient.make({ url: service.url, token: service.token }) }
})

type Client = ApiClient.ApiClient

const submit = (client: Client) => client.tasks.submit({ payload: { agent: "house", input: null, budget: granted } })

/** The workflow and the agent it called. */
const both = (client: Client, root: TaskId) =>
  Effect.map(
    client.tasks.tree({ params: { id: root }, query: { elsewhere: false } }),
    ({ tasks: [house, spend] }) => ({ house, spend })
  )

const poolOf = (task: Task | undefined): Pool => task?.pool ?? emptyPool

/** Reads the log fact by fact: no budget is ever exceeded, and every reservation is opened once and closed once. */
const check = (events: ReadonlyArray<Envelope>): void => {
  const states = new Map<TaskId, TaskState>()
  const counts = { Reserved: new Map<string, number>(), Refunded: new Map<string, number>() }
  for (const { at, event, task } of events) {
    const state = evolve(states.get(task), task, at, event)
    states.set(task, state)
    const { budget } = state.spec
    assert.isAtMost(gone(state.pool ?? emptyPool).tokens ?? 0, grantOf(budget!).tokens!)
    if (event._tag !== "Reserved" && event._tag !== "Refunded") continue
    const of = counts[event._tag]
    if (event._tag === "Refunded" || event.kept !== true) of.set(event.id, (of.get(event.id) ?? 0) + 1)
  }
  assert.deepStrictEqual(counts.Refunded, counts.Reserved)
  // the child's grant, and its three steps
  assert.deepStrictEqual([...counts.Reserved.values()], [1, 1, 1, 1])
}

/** The end that every life before has to lead to. */
const assertEnd = Effect.fnUntraced(function*(client: Client) {
  const { tasks: [root, ...others] } = yield* client.tasks.list({ query: { roots: true } })
  assert.isEmpty(others)
  const { completed } = yield* client.tasks.result({ params: { id: root!.id }, query: { wait: 30 } })
  assert.deepStrictEqual(completed, { output: 3 * used })
  const { house, spend } = yield* both(client, root!.id)
  assert.deepStrictEqual(poolOf(spend), { spent: { tokens: 3 * used }, open: {} })
  assert.deepStrictEqual(poolOf(house), { spent: { calls: 1, tokens: 3 * used }, open: {} })
  const { events } = yield* client.tasks.events({ params: { id: root!.id }, query: { of: "tree", limit: 1_000 } })
  check(events)
})

describe("a reservation and kill -9", () => {
  it.live(
    "outlives the process with what was granted, and what is unused comes back once",
    () =>
      Effect.gen(function*() {
        const data = yield* folder
        const { client, service } = yield* begin(data, { TEST_HOLD: "1" })
        const { id } = yield* submit(client)
        const held = yield* both(client, id).pipe(
          Effect.filterOrFail(({ spend }) => gone(poolOf(spend)).tokens === used + most, () => "not yet" as const),
          Effect.retry(Schedule.spaced("10 millis"))
        )
        const before = { house: poolOf(held.house), spend: poolOf(held.spend) }
        assert.deepStrictEqual(before.house.open, { [held.spend!.id]: { calls: 1, tokens: given } })
        yield* service.kill("SIGKILL")
        yield* service.ended
        // once more with the step that stays: what was granted has not shrunk, and is not taken again
        const { client: second, service: again } = yield* begin(data, { TEST_HOLD: "1" })
        yield* both(second, id).pipe(
          Effect.filterOrFail(({ spend }) => spend!.attempt > 1, () => "not yet" as const),
          Effect.retry(Schedule.spaced("10 millis"))
        )
        const { house, spend } = yield* both(second, id)
        assert.deepStrictEqual({ house: poolOf(house), spend: poolOf(spend) }, before)
        yield* again.kill("SIGKILL")
        yield* again.ended
        yield* Effect.flatMap(begin(data), ({ client }) => assertEnd(client))
      }),
    60_000
  )

  // the first reservation is the child's grant, and the fourth refund what the child has left of it
  it.live.each([
    "after:Reserved=kill@3",
    "before:Refunded=kill@2",
    "before:Refunded=kill@4",
    "after:Refunded=kill@4"
  ])("is settled once when the process dies at %s", (point) =>
    Effect.gen(function*() {
      const data = yield* folder
      const { client, service } = yield* begin(data, { COPPICE_FAILPOINTS: point })
      yield* Effect.ignore(submit(client))
      assert.strictEqual((yield* service.ended).signal, "SIGKILL")
      yield* Effect.flatMap(begin(data), ({ client }) => assertEnd(client))
    }), 60_000)
})
