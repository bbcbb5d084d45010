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
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
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

const serve = (orchestrator: Runtime.Orchestrator) =>
  Effect.gen(function*() {
    const data = yield* folder
    return yield* Layer.build(
      Orchestrator.layer({ orchestrator }, merge({ port: 0, data, store: "memory:" })).pipe(
        Layer.provide(Logging.layer("none")),
        Layer.fresh
      )
    )
  })

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
})
