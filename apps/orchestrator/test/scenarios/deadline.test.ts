/**
 * A deadline that crosses services: it is obeyed wherever the work is, and is not taken for a person's cancel.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Durable from "@coppice/agent/Durable"
import * as Workflow from "@coppice/agent/Workflow"
import type { Task } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
import { merge } from "../../src/Settings.ts"
import { type Generation, generations, speaking } from "../support/Generations.ts"
import { folder } from "../support/Service.ts"

type Services = Context.Context<Orchestrator.Services>

const nothing = Schema.Struct({})
const agent = (name: string, task: "slow" | "always" = "always") =>
  Agent.make(name, { description: "", input: nothing, output: Schema.Void, task })
const [Leaf, Far, Middle, Quick] = [agent("leaf"), agent("far"), agent("middle"), agent("quick", "slow")]
const Near = Workflow.make("near", { description: "", input: Schema.String, output: Schema.Json })
const mcp = { trusted: ["local"] }

const serve = (orchestrator: Runtime.Orchestrator, generation: Generation = "2026-07-28") =>
  Effect.gen(function*() {
    const settings = merge({ port: 0, data: yield* folder, store: "memory:" })
    return yield* Layer.build(
      Orchestrator.layer({ orchestrator }, settings).pipe(Layer.provide(Logging.layer("none")), Layer.fresh)
    )
  }).pipe(Effect.provide(speaking(generation)))

const wayTo = (services: Services, isCoppice = true) => {
  const { url } = Context.get(services, Listener)
  const authorization = `Bearer ${Redacted.value(Context.get(services, Token))}`
  return { url: `${url}/mcp`, headers: { authorization }, isCoppice }
}

const all = (services: Services) => Context.get(services, Tasks).list({ limit: 100 })

const remote = { far: Agent.remote("far", {}), middle: Agent.remote("middle", {}), quick: Agent.remote("quick", {}) }

/** Once every task of the service is at rest. */
const atRest = (services: Services) =>
  all(services).pipe(
    Effect.filterOrFail((tasks) => tasks.every(({ settlement }) => settlement !== null), () => "not yet"),
    Effect.retry(Schedule.spaced("10 millis"))
  )

/** Waits until so many tasks of the service run. */
const running = (services: Services, count: number) =>
  all(services).pipe(
    Effect.filterOrFail((tasks) => tasks.filter(({ attempt }) => attempt > 0).length >= count, () => "not yet"),
    Effect.retry(Schedule.spaced("10 millis"))
  )

/** A service calls one that takes its time, and that one a third, whose agent has a child that never ends. */
const threeHops = (generation: Generation) =>
  Effect.gen(function*() {
    const far = yield* serve(Runtime.make({
      agents: [Far.toLayer(() => Effect.orDie(Leaf.call({}))), Leaf.toLayer(() => Effect.never)],
      mcp
    }))
    const slow = Effect.andThen(Durable.sleep("200 millis"), Effect.orDie(remote.far.call({})))
    const middle = yield* serve(
      Runtime.make({
        agents: [Middle.toLayer(() => slow)],
        servers: { further: { ...wayTo(far), agents: [remote.far] } },
        mcp
      }),
      generation
    )
    const near = yield* serve(
      Runtime.make({
        agents: [Near.toLayer(() => Effect.as(Effect.orDie(remote.middle.call({})), null))],
        servers: { there: { ...wayTo(middle), agents: [remote.middle] } }
      }),
      generation
    )
    return { far, middle, near, tasks: Context.get(near, Tasks) }
  })

/** Time as it is, and timers that are late, as those of a service that is busy. */
const late = Effect.map(Clock.Clock, (clock): Clock.Clock => ({
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  sleep: (duration) => clock.sleep(Duration.times(duration, 10))
}))

/** Why each task of the service ended, once all are at rest: `deadline`, or whoever cancelled it. */
const endings = (services: Services) =>
  Effect.gen(function*() {
    const { result } = Context.get(services, Tasks)
    const said: Array<string> = []
    for (const { agent, id } of yield* atRest(services)) {
      const { ending } = yield* result(id)
      said.push(`${agent} ${ending._tag === "Failed" ? ending.reason : ending._tag === "Cancelled" ? ending.by : "-"}`)
    }
    return said.sort()
  })

const left = (tasks: ReadonlyArray<Task>, name: string) => {
  const { createdAt, deadline } = tasks.find(({ agent, parent }) => agent === name && parent === null)!
  return deadline! - createdAt
}

/** Has a call of `agent` fail because its time is over there alone, and gives what that is here. */
const overThere = (agent: "quick" | "far", generation: Generation, isCoppice = true) =>
  Effect.gen(function*() {
    const working = Effect.andThen(Durable.partial("half"), Effect.never)
    const far = yield* serve(Runtime.make({ agents: [Far.toLayer(() => working), Quick.toLayer(() => working)], mcp }))
    const near = yield* serve(
      Runtime.make({
        agents: [
          Near.toLayer((name) =>
            Effect.matchEffect(remote[name as "quick" | "far"].call({}), {
              onFailure: (error) =>
                error._tag === "CallError" && error.reason._tag === "Failed"
                  ? Effect.succeed([error.reason.reason, error.reason.partial ?? null])
                  : Effect.orDie(Effect.fail(error)),
              onSuccess: () => Effect.succeed(null)
            })
          )
        ],
        servers: { there: { ...wayTo(far, isCoppice), agents: [remote.far, remote.quick] } }
      }),
      generation
    )
    const tasks = Context.get(near, Tasks)
    const { id } = yield* tasks.submit({ agent: "near", input: agent })
    const [run] = yield* running(far, 1)
    yield* Context.get(far, Tasks).steer({ id: run!.id, by: "ann", deadline: run!.createdAt + 300 })
    const { ending } = yield* tasks.result(id)
    assert(ending._tag === "Completed", JSON.stringify(ending))
    return ending.result
  })

const inBoth = (["quick", "far"] as const).flatMap((agent) => generations.map((generation) => ({ agent, generation })))

describe("a deadline over the wire", () => {
  it.live.each(inBoth)(
    "that passed there has passed here, and what was done by then is known ($agent, $generation)",
    ({ agent, generation }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* overThere(agent, generation), ["deadline", "half"])
      }),
    30_000
  )

  it.live("is not believed of a server that is no Coppice", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* overThere("far", "2026-07-28", false), ["defect", null])
    }), 30_000)

  it.live.each(generations.map((generation) => ({ generation })))(
    "ends three services' work in time, the slow one's too ($generation)",
    ({ generation }) =>
      Effect.gen(function*() {
        const { far, middle, near, tasks } = yield* threeHops(generation)
        const deadline = (yield* Clock.currentTimeMillis) + 1_500
        const { id } = yield* tasks.submit({ agent: "near", input: "", deadline })
        yield* running(far, 2)
        const { ending } = yield* tasks.result(id)
        assert.deepInclude(ending, { _tag: "Failed", reason: "deadline" })
        yield* tasks.cancelSettled(id)
        assert.isBelow((yield* Clock.currentTimeMillis) - deadline, 1_000)
        assert.isTrue((yield* tasks.cancelReport(id)).converged)
        // nobody has longer than whoever calls, and the slow one leaves less to the next
        const [here, there, further] = yield* Effect.all([atRest(near), atRest(middle), atRest(far)])
        assert.isTrue([...here, ...there, ...further].every((task) => task.deadline === deadline))
        assert.isAtLeast(left(here, "near"), left(there, "middle"))
        assert.isAtLeast(left(there, "middle") - left(further, "far"), 200)
        assert.deepStrictEqual(yield* Effect.all([endings(near), endings(middle), endings(far)]), [
          ["middle deadline", "near deadline"],
          ["far deadline", "middle deadline"],
          ["far deadline", "leaf deadline"]
        ])
      }),
    30_000
  )

  it.live.each(generations.map((generation) => ({ generation })))(
    "is what ends the work of a service that hears of it from its caller first ($generation)",
    ({ generation }) =>
      Effect.gen(function*() {
        const busy = yield* late
        const agents = [Far.toLayer(() => Effect.orDie(Leaf.call({}))), Leaf.toLayer(() => Effect.never)]
        const far = yield* Effect.provideService(serve(Runtime.make({ agents, mcp })), Clock.Clock, busy)
        const near = yield* serve(
          Runtime.make({
            agents: [Near.toLayer(() => Effect.as(Effect.orDie(remote.far.call({})), null))],
            servers: { there: { ...wayTo(far), agents: [remote.far] } }
          }),
          generation
        )
        const deadline = (yield* Clock.currentTimeMillis) + 800
        const tasks = Context.get(near, Tasks)
        yield* tasks.submit({ agent: "near", input: "", deadline })
        yield* running(far, 2)
        yield* atRest(near)
        assert.deepStrictEqual(yield* endings(far), ["far deadline", "leaf deadline"])
        assert.isBelow((yield* Clock.currentTimeMillis) - deadline, 3_000)
      }),
    30_000
  )

  it.live.each(generations.map((generation) => ({ generation })))(
    "is no person who cancels: what she ends says deadline in no service ($generation)",
    ({ generation }) =>
      Effect.gen(function*() {
        const { far, middle, near, tasks } = yield* threeHops(generation)
        const deadline = (yield* Clock.currentTimeMillis) + 60_000
        const { id } = yield* tasks.submit({ agent: "near", input: "", deadline })
        yield* running(far, 2)
        yield* tasks.cancel({ id, by: "ann" })
        yield* tasks.cancelSettled(id)
        const said = yield* Effect.all([endings(near), endings(middle), endings(far)])
        assert.deepStrictEqual(said[0], ["middle ann", "near ann"])
        assert.notInclude(said.flat().join(), "deadline")
      }),
    30_000
  )
})
