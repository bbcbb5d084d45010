/**
 * Two Coppices: an agent of one is an agent of the other, over MCP.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Human from "@coppice/agent/Human"
import * as Workflow from "@coppice/agent/Workflow"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type AddressInfo, createServer } from "node:net"
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
import * as ServiceFile from "../../src/ServiceFile.ts"
import { merge } from "../../src/Settings.ts"
import { folder } from "../support/Service.ts"

const form = Schema.Struct({ go: Schema.Boolean })
const nothing = Schema.Struct({})

const Deep = Agent.make("deep", { description: "Asks", input: nothing, output: Schema.Boolean })
const Far = Agent.make("far", { description: "Hands on to an agent that asks", input: nothing, output: Schema.Boolean })
const Stay = Agent.make("stay", { description: "Stays", input: nothing, output: Schema.Void, task: "always" })

/** The service whose agents are called. */
const far = Runtime.make({
  agents: [
    Deep.toLayer(() => Effect.map(Effect.orDie(Human.ask({ message: "Go on?", form, name: "go" })), ({ go }) => go)),
    Far.toLayer(() => Effect.orDie(Deep.call({}))),
    Stay.toLayer(() => Effect.never)
  ],
  mcp: { trusted: ["local"] }
})

const serve = (orchestrator: Runtime.Orchestrator, { data, port = 0 }: { data?: string; port?: number } = {}) =>
  Effect.gen(function*() {
    const settings = merge({ port, data: data ?? (yield* folder), store: "memory:" })
    return yield* Layer.build(
      Orchestrator.layer({ orchestrator }, settings).pipe(
        Layer.provide(Logging.layer("none")),
        Layer.fresh
      )
    )
  })

/** A port nobody listened to a moment ago. */
const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const count = Schema.Struct({ n: Schema.Int })

const RemoteFar = Agent.remote("far", { output: Schema.Boolean })
const RemoteStay = Agent.remote("stay", {})
const Near = Workflow.make("near", { description: "Calls far away", input: Schema.Boolean, output: Schema.Json })

/** The service that calls, knowing the other as a Coppice. */
const near = (there: Context.Context<Orchestrator.Services>) => {
  const { url } = Context.get(there, Listener)
  const authorization = `Bearer ${Redacted.value(Context.get(there, Token))}`
  return Runtime.make({
    agents: [Near.toLayer((asks) => Effect.orDie(asks ? RemoteFar.call({}) : RemoteStay.call({})))],
    servers: {
      far: { url: `${url}/mcp`, headers: { authorization }, agents: [RemoteFar, RemoteStay], isCoppice: true }
    }
  })
}

/** Waits for a fact of any task of the service. */
const fact = (services: Context.Context<Orchestrator.Services>, tag: string) =>
  Context.get(services, Tasks).watch({ since: 0 }).pipe(
    Stream.filter(({ event }) => event._tag === tag),
    Stream.runHead
  )

const both = Effect.gen(function*() {
  const there = yield* serve(far)
  const here = yield* serve(near(there))
  return { here, there, tasks: Context.get(here, Tasks), theirs: Context.get(there, Tasks) }
})

describe("an agent of another Coppice", () => {
  it.live(
    "asks in the caller's inbox, from any depth, and its tree is of the same trace",
    () =>
      Effect.gen(function*() {
        const { here, tasks, theirs } = yield* both
        const { id } = yield* tasks.submit({ agent: "near", input: true })
        yield* fact(here, "InputRequested")
        const [question] = yield* tasks.inbox({})
        assert.strictEqual(question!.request.message, "Go on?")
        const response = { action: "accept", content: { go: true }, by: "ann" } as const
        yield* tasks.respond({ id: question!.task, key: question!.request.key, response })
        assert.deepStrictEqual((yield* tasks.result(id)).ending, { _tag: "Completed", result: true })

        const [, child] = yield* tasks.tree(id)
        const [run] = yield* theirs.list({ rootsOnly: true, limit: 10 })
        assert.deepInclude(run!.spec.trace, {
          traceId: child!.spec.trace.traceId,
          parentSpanId: child!.spec.trace.spanId
        })
        assert.strictEqual(run!.spec.meta!["dev.coppice/task-parent"], child!.id)
        assert.lengthOf(yield* theirs.tree(run!.id), 2)
      }),
    30_000
  )

  it.live("ends by the caller's deadline, and by its cancellation", () =>
    Effect.gen(function*() {
      const { tasks, theirs, there } = yield* both
      const deadline = (yield* Clock.currentTimeMillis) + 60_000
      const { id } = yield* tasks.submit({ agent: "near", input: false, deadline })
      yield* fact(there, "Created")
      const [run] = yield* theirs.list({ rootsOnly: true, limit: 10 })
      assert.strictEqual(run!.deadline, deadline)
      yield* tasks.cancel({ id, by: "ann" })
      yield* fact(there, "Cancelled")
      const { ending } = yield* theirs.result(run!.id)
      assert.strictEqual(ending._tag, "Cancelled")
    }), 30_000)

  it.live(
    "is not asked for what waits for it: a circle and a depth over two services (case 42)",
    () =>
      Effect.gen(function*() {
        const port = yield* freePort
        const data = yield* folder
        const token = yield* Effect.orDie(ServiceFile.secret(data, () => "t".repeat(43)))
        const Ping = Agent.make("ping", { description: "Calls the other", input: count, output: Schema.Json })
        const Pong = Agent.make("pong", { description: "Calls the other", input: count, output: Schema.Json })
        const RemotePing = Agent.remote("ping", { input: count })
        const RemotePong = Agent.remote("pong", { input: count })
        // n < 0: the same input goes round and round; else it grows
        const calling = (other: typeof RemotePing | typeof RemotePong) => ({ n }: { readonly n: number }) =>
          Effect.catch(
            other.call({ n: n < 0 ? n : n + 1 }),
            (error) =>
              Effect.succeed<Schema.Json>(
                JSON.parse(JSON.stringify(error._tag === "CallError" ? error.reason : error.message))
              )
          )
        const rules = { limits: { depth: 8 }, mcp: { trusted: ["local"] } }
        const peer = (url: string, secret: string) => ({
          url: `${url}/mcp`,
          headers: { authorization: `Bearer ${secret}` },
          isCoppice: true
        })
        const far = yield* serve(Runtime.make({
          ...rules,
          agents: [Pong.toLayer(calling(RemotePing))],
          servers: { near: { ...peer(`http://127.0.0.1:${port}`, token), agents: [RemotePing] } }
        }))
        const { url } = Context.get(far, Listener)
        const near = yield* serve(
          Runtime.make({
            ...rules,
            agents: [Ping.toLayer(calling(RemotePong))],
            servers: { far: { ...peer(url, Redacted.value(Context.get(far, Token))), agents: [RemotePong] } }
          }),
          { data, port }
        )
        const tasks = Context.get(near, Tasks)
        const ended = (n: number) =>
          Effect.flatMap(tasks.submit({ agent: "ping", input: { n } }), ({ id }) => tasks.result(id))
        const round = yield* ended(-1)
        assert.deepInclude(round.ending, { _tag: "Completed" })
        assert.deepInclude((round.ending as { readonly result: object }).result, { _tag: "Cycle" })
        const deep = yield* ended(0)
        assert.deepInclude((deep.ending as { readonly result: object }).result, { _tag: "TooDeep", limit: 8 })
        assert.isAtMost((yield* tasks.list({ limit: 100 })).length, 20)
      }),
    60_000
  )
})
