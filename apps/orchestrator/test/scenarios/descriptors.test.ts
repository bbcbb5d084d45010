/**
 * A service without file descriptors (case 50): it refuses new connections, keeps the old ones, and recovers.
 */
import * as ApiClient from "@coppice/api/ApiClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Agent, request } from "node:http"
import { connect, type Socket } from "node:net"
import * as Process from "../support/Process.ts"
import { ask, folder } from "../support/Service.ts"

/** More than the service may have, and more sockets than that. */
const descriptors = 80
const crowd = 160

interface Reply {
  readonly status: number
  readonly id: string
}

/** Submits over the one connection of the agent. */
const submitOver = (agent: Agent, { token, url }: { readonly token: string; readonly url: string }, text: string) =>
  Effect.callback<Reply, Error>((resume) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
    request(`${url}/api/v1/tasks`, { agent, method: "POST", headers }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (part: string) => void (body += part)).on("end", () => {
        resume(Effect.succeed({ status: response.statusCode!, id: JSON.parse(body).id }))
      })
    }).on("error", (error) => resume(Effect.fail(error))).end(JSON.stringify({ agent: "echo", input: { text } }))
  })

/** Connects more often than the service can take, and waits until one of the connections is closed. */
const crowded = (url: string) => {
  const { hostname, port } = new URL(url)
  return Effect.acquireRelease(
    Effect.callback<ReadonlyArray<Socket>>((resume) => {
      const all: Array<Socket> = []
      for (let n = 0; n < crowd; n++) {
        const socket = connect(Number(port), hostname).on("error", () => {})
        all.push(socket.once("close", () => resume(Effect.succeed(all))))
      }
    }),
    (all) => Effect.sync(() => all.forEach((socket) => socket.destroy()))
  )
}

describe("a service without file descriptors", () => {
  it.live(
    "refuses new connections, keeps the old ones and what it acknowledged, and recovers (case 50)",
    () =>
      Effect.gen(function*() {
        const service = yield* Process.serveWithin(descriptors, yield* folder)
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
        const submit = (text: string) => submitOver(agent, service, text)
        const texts = ["before", "one", "two", "three"]
        const first = yield* submit(texts[0]!)

        const isUp = Effect.tryPromise(() => ask(`${service.url}/health`))
        const { refused, rest } = yield* Effect.scoped(Effect.gen(function*() {
          yield* crowded(service.url)
          const refused = yield* Effect.isFailure(isUp)
          return { refused, rest: yield* Effect.forEach(texts.slice(1), submit) }
        }))
        assert.isTrue(refused)
        assert.deepStrictEqual([first, ...rest].map(({ status }) => status), [201, 201, 201, 201])

        yield* Effect.retry(isUp, { schedule: Schedule.spaced("50 millis") })
        const client = yield* ApiClient.make(service)
        const ends = yield* Effect.forEach(
          [first, ...rest],
          ({ id }) => client.tasks.result({ params: { id }, query: { wait: 10 } })
        )
        assert.deepStrictEqual(ends.map(({ completed }) => completed?.output), texts)
        yield* service.kill("SIGTERM")
        assert.strictEqual((yield* service.ended).code, 0)
      }),
    30_000
  )
})
