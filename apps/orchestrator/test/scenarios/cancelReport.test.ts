/**
 * Cancelled across services: every task of the tree is in one report, wherever it runs, and whatever became of its server.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Workflow from "@coppice/agent/Workflow"
import { type CancelReport, isAtRest } from "@coppice/task/CancelReport"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
import { merge } from "../../src/Settings.ts"
import { folder } from "../support/Service.ts"

const nothing = Schema.Struct({})
const Leaf = Agent.make("leaf", { description: "Stays", input: Schema.Finite, output: Schema.Void })
const Far = Agent.make("far", { description: "Has leaves", input: nothing, output: Schema.Void, task: "always" })
const Middle = Agent.make("middle", { description: "Hands on", input: nothing, output: Schema.Void, task: "always" })
const Near = Workflow.make("near", { description: "Calls far away", input: nothing, output: Schema.Void })

const leaves = Effect.forEach([1, 2, 3], (n) => Effect.orDie(Leaf.call(n)), { concurrency: 3, discard: true })
const LeafLive = Leaf.toLayer(() => Effect.never)
const FarLive = Far.toLayer(() => leaves)
const mcp = { trusted: ["local"] }

interface Place {
  readonly data: string
  readonly port: number
}

type Services = Context.Context<Orchestrator.Services>

/** A service in a scope of its own, to be stopped and started again in its place. */
const serve = (orchestrator: Runtime.Orchestrator, { data, port }: Place) =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const settings = merge({ port, data, store: `sqlite:${data}/coppice.db` })
    const layer = Orchestrator.layer({ orchestrator }, settings).pipe(
      Layer.provide(Logging.layer("none")),
      Layer.fresh
    )
    const services: Services = yield* Layer.buildWithScope(layer, scope)
    return { services, stop: Scope.close(scope, Exit.void) }
  })

const place = Effect.map(folder, (data): Place => ({ data, port: 0 }))

/** How another service reaches this one. */
const wayTo = (services: Services) => {
  const { url } = Context.get(services, Listener)
  const authorization = `Bearer ${Redacted.value(Context.get(services, Token))}`
  return { url: `${url}/mcp`, headers: { authorization }, isCoppice: true }
}

const RemoteFar = Agent.remote("far", {})
const RemoteMiddle = Agent.remote("middle", {})

const near = (far: Services) =>
  Runtime.make({
    agents: [Near.toLayer(() => Effect.orDie(RemoteFar.call({}))), LeafLive],
    servers: { there: { ...wayTo(far), agents: [RemoteFar] } },
    mcp
  })

/** Waits until so many tasks of a service run. */
const running = (services: Services, count: number) =>
  Context.get(services, Tasks).list({ limit: 100 }).pipe(
    Effect.filterOrFail((tasks) => tasks.filter(({ attempt }) => attempt > 0).length >= count, () => "not yet"),
    Effect.retry(Schedule.spaced("10 millis"))
  )

const settled = (services: Services, id: TaskId) =>
  Effect.gen(function*() {
    const tasks = Context.get(services, Tasks)
    yield* tasks.cancelSettled(id)
    return yield* tasks.cancelReport(id)
  })

const turn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const lines = ({ nodes }: CancelReport) =>
  nodes.map(({ agent, server = "here", settlement }) => `${agent} ${server} ${settlement}`)

describe("the report of a cancelled tree", () => {
  it.live(
    "has every task of every service it reaches, over several hops",
    () =>
      Effect.gen(function*() {
        const far = yield* serve(Runtime.make({ agents: [LeafLive, FarLive], mcp }), yield* place)
        const middle = yield* serve(
          Runtime.make({
            agents: [Middle.toLayer(() => Effect.orDie(RemoteFar.call({}))), LeafLive],
            servers: { further: { ...wayTo(far.services), agents: [RemoteFar] } },
            mcp
          }),
          yield* place
        )
        const here = yield* serve(
          Runtime.make({
            agents: [Near.toLayer(() => Effect.orDie(RemoteMiddle.call({})))],
            servers: { there: { ...wayTo(middle.services), agents: [RemoteMiddle] } }
          }),
          yield* place
        )
        const tasks = Context.get(here.services, Tasks)
        const { id } = yield* tasks.submit({ agent: "near", input: {} })
        yield* running(far.services, 4)
        yield* tasks.cancel({ id, by: "ann" })
        const report = yield* settled(here.services, id)
        assert.isTrue(report.converged)
        assert.deepStrictEqual(report.totals, {
          stopped: 8,
          finished_before: 0,
          refused: 0,
          unreachable: 0,
          unknown: 0,
          stopping: 0
        })
        assert.deepStrictEqual(lines(report), [
          "near here stopped",
          "middle there stopped",
          "middle there stopped",
          "far there/further stopped",
          "far there/further stopped",
          "leaf there/further stopped",
          "leaf there/further stopped",
          "leaf there/further stopped"
        ])
        const known = new Set(report.nodes.map(({ id }) => id))
        assert.strictEqual(known.size, 8)
        assert.isTrue(report.nodes.slice(1).every(({ parent }) => known.has(parent!)))
        // what is said of the others is true
        for (const { services } of [middle, far]) {
          const rest = yield* Context.get(services, Tasks).list({ limit: 100 })
          assert.isTrue(rest.every(({ settlement, status }) => status === "cancelled" && settlement === "stopped"))
        }
      }),
    30_000
  )

  it.live(
    "lists a service that is gone with its next retry, and has its tasks once it is back",
    () =>
      Effect.gen(function*() {
        const there = yield* place
        const agents = Runtime.make({ agents: [LeafLive, FarLive], mcp })
        const far = yield* serve(agents, there)
        const here = yield* serve(near(far.services), yield* place)
        const tasks = Context.get(here.services, Tasks)
        const { id } = yield* tasks.submit({ agent: "near", input: {} })
        yield* running(far.services, 4)
        const port = Number(new URL(Context.get(far.services, Listener).url).port)
        yield* far.stop
        yield* tasks.cancel({ id, by: "ann" })
        const first = yield* settled(here.services, id)
        assert.isTrue(isAtRest(first))
        assert.isFalse(first.converged)
        assert.deepStrictEqual(lines(first), ["near here stopped", "far there unreachable"])
        assert.isAbove(first.nodes[1]!.retryAt!, first.nodes[1]!.at!)

        const back = yield* serve(agents, { ...there, port })
        const last = yield* tasks.cancelReport(id).pipe(
          Effect.filterOrFail(({ converged }) => converged, () => "not yet"),
          Effect.retry(Schedule.spaced("50 millis"))
        )
        assert.deepStrictEqual(lines(last), [
          "near here stopped",
          "far there stopped",
          "far there stopped",
          "leaf there stopped",
          "leaf there stopped",
          "leaf there stopped"
        ])
        const rest = yield* Context.get(back.services, Tasks).list({ limit: 100 })
        assert.isTrue(rest.every(({ status }) => status === "cancelled"))
      }),
    40_000
  )

  it.live(
    "leaves nothing running there, however far the call had come",
    () =>
      Effect.gen(function*() {
        const far = yield* serve(Runtime.make({ agents: [LeafLive, FarLive], mcp }), yield* place)
        const here = yield* serve(near(far.services), yield* place)
        const tasks = Context.get(here.services, Tasks)
        for (let turns = 0; turns < 120; turns += 10) {
          const { id } = yield* tasks.submit({ agent: "near", input: {} })
          yield* Effect.repeat(turn, { times: turns })
          yield* tasks.cancel({ id, by: "ann" })
          const report = yield* settled(here.services, id)
          assert.isTrue(isAtRest(report))
          assert.strictEqual(report.totals.unknown + report.totals.refused + report.totals.unreachable, 0)
          const rest = yield* Context.get(far.services, Tasks).list({ limit: 1_000 })
          assert.isTrue(rest.every(({ settlement }) => settlement !== null), `after ${turns} turns of the event loop`)
        }
      }),
    40_000
  )
})
