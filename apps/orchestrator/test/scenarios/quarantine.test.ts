/**
 * Case 41 with real processes: a task that ends the process each time it runs, and others that have nothing to do with it.
 */
import * as ApiClient from "@coppice/api/ApiClient"
import type { TaskId } from "@coppice/task/Task"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { fileURLToPath } from "node:url"
import { serve } from "../support/Process.ts"
import { folder } from "../support/Service.ts"

const config = fileURLToPath(new URL("../support/killers.config.ts", import.meta.url))

const begin = Effect.fnUntraced(function*(data: string) {
  const service = yield* serve(data, ["--config", config])
  return { service, client: yield* ApiClient.make({ url: service.url, token: service.token }) }
})

const submit = (client: ApiClient.ApiClient, agent: string, input: Json) =>
  Effect.map(client.tasks.submit({ payload: { agent, input } }), ({ id }) => id)

const resultOf = (client: ApiClient.ApiClient, id: TaskId) =>
  client.tasks.result({ params: { id }, query: { wait: 30 } })

/** Starts the service again until it lives, as whoever runs it would. How often that was. */
const restartUntilItLives = Effect.fnUntraced(function*(data: string, id: TaskId) {
  for (let deaths = 1; deaths <= 6; deaths++) {
    const { client, service } = yield* begin(data)
    const end = Effect.map(resultOf(client, id), (outcome) => ({ client, deaths, outcome }))
    const first = yield* Effect.raceFirst(Effect.asSome(end), Effect.as(service.ended, undefined)).pipe(
      // the reply may end before the process is seen to
      Effect.catch((error) => Effect.andThen(service.ended, Effect.as(Effect.logDebug(error), undefined)))
    )
    if (first?._tag === "Some") return first.value
    yield* service.ended
  }
  return assert.fail("the service dies again and again")
})

describe("case 41: a task that ends its process", () => {
  it.live.each(["exit", "sigkill"])(
    "by %s is set aside after three deaths, and the others finish",
    (how) =>
      Effect.gen(function*() {
        const data = yield* folder
        const { client, service } = yield* begin(data)
        const others = yield* Effect.forEach(["a", "b", "c"], (input) => submit(client, "work", input))
        const id = yield* submit(client, "work", how)
        yield* service.ended
        const { client: last, deaths, outcome } = yield* restartUntilItLives(data, id)
        // the first death found it further than it had begun, so nobody was suspected yet
        assert.strictEqual(deaths, 4)
        assert.deepInclude(outcome.task, { status: "failed", reason: "quarantined" })
        assert.match(outcome.task.statusMessage!, new RegExp(`died 3 times while it ran.*coppice retry ${id}`))
        for (const other of others) {
          assert.strictEqual((yield* resultOf(last, other)).task.status, "completed")
        }
      }),
    120_000
  )

  it.live("in its handler's first line is set aside as well", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const { client, service } = yield* begin(data)
      // whether the reply comes before the end is up to the machine
      yield* Effect.ignore(submit(client, "rash", null))
      yield* service.ended
      const { client: again } = yield* begin(data)
      const [task] = yield* Effect.orElseSucceed(
        Effect.map(again.tasks.list({ query: {} }), ({ tasks }) => tasks),
        () => []
      )
      if (task === undefined) return
      const { outcome } = yield* restartUntilItLives(data, task.id)
      assert.deepInclude(outcome.task, { status: "failed", reason: "quarantined" })
    }), 120_000)
})
