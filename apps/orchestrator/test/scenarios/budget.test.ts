/**
 * A budget that crosses from one Coppice to another: reserved here, obeyed there, and what is unused comes back.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Budget from "@coppice/agent/Budget"
import * as Durable from "@coppice/agent/Durable"
import * as Step from "@coppice/agent/Step"
import * as Workflow from "@coppice/agent/Workflow"
import { noLimits } from "@coppice/task/Budget"
import type { Task, TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
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

const input = Schema.Struct({ times: Schema.Int })

const think = (n: number) =>
  Budget.reserve({ tokens: 10 }, Step.run("think", { n }, Effect.succeed(4)), (tokens) => ({ tokens }))

const working = (task: "slow" | "always") => (name: string) =>
  Agent.make(name, { description: "", input, output: Schema.Int, task })
const [Quick, Long] = [working("slow")("quick"), working("always")("long")]

const work = ({ times }: { readonly times: number }) =>
  Effect.gen(function*() {
    // it begins, and stays
    if (times === 0) return yield* Effect.andThen(Effect.forEach([1, 2], think), Effect.never)
    for (let n = 0; n < times; n++) {
      yield* think(n)
      yield* Durable.partial(n)
    }
    return times
  })

const far = (trusted: ReadonlyArray<string>) =>
  Runtime.make({ agents: [Quick.toLayer(work), Long.toLayer(work)], mcp: { trusted } })

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

const [RemoteQuick, RemoteLong] = [
  Agent.remote("quick", { output: Schema.Int }),
  Agent.remote("long", { output: Schema.Int })
]
const Near = Workflow.make("near", {
  description: "",
  input: Schema.Struct({ agent: Schema.Literals(["quick", "long"]), times: Schema.Int }),
  output: Schema.Json
})

const near = (there: Context.Context<Orchestrator.Services>, isCoppice: boolean) => {
  const { url } = Context.get(there, Listener)
  const authorization = `Bearer ${Redacted.value(Context.get(there, Token))}`
  const handler = Near.toLayer(({ agent, times }) => {
    const { call } = agent === "quick" ? RemoteQuick : RemoteLong
    return Effect.catch(
      call({ times }, { budget: { tokens: 30 } }),
      (error): Effect.Effect<Schema.Json> =>
        error._tag === "CallError" && error.reason._tag === "Failed"
          ? Effect.succeed([error.reason.reason, error.reason.partial ?? null])
          : Effect.die(error)
    )
  })
  return Runtime.make({
    agents: [handler],
    servers: {
      far: { url: `${url}/mcp`, headers: { authorization }, agents: [RemoteQuick, RemoteLong], isCoppice }
    }
  })
}

const both = (
  isCoppice = true,
  trusted: ReadonlyArray<string> = ["local"],
  generation: Generation = "2026-07-28"
) =>
  Effect.gen(function*() {
    const there = yield* serve(far(trusted))
    const here = yield* Effect.provide(serve(near(there, isCoppice)), speaking(generation))
    return { tasks: Context.get(here, Tasks), theirs: Context.get(there, Tasks) }
  })

/** The revisions a run's remote tasks are of, as its log has it. */
const spoken = (tasks: Tasks["Service"], run: TaskId) =>
  Effect.map(
    tasks.events({ run, since: 0, limit: 1_000 }),
    (events) =>
      events.flatMap(({ event }) =>
        event._tag === "StepRecorded" && event.key === "remote:task" && event.exit._tag === "Success"
          ? [(event.exit.value as { readonly generation: string }).generation]
          : []
      )
  )

const ended = (tasks: Tasks["Service"], agent: string, times: number) =>
  Effect.gen(function*() {
    const budget = { ...noLimits, tokens: 100, calls: 3 }
    const { id } = yield* tasks.submit({ agent: "near", input: { agent, times }, budget })
    const { ending, task } = yield* tasks.result(id)
    assert(ending._tag === "Completed", JSON.stringify(ending))
    return { value: ending.result, pool: task.pool, spoken: yield* spoken(tasks, id) }
  })

const inBoth = (["quick", "long"] as const).flatMap((agent) => generations.map((generation) => ({ agent, generation })))

describe("a budget over the wire", () => {
  it.live.each(inBoth)(
    "is obeyed there, and what is unused comes back ($agent, $generation)",
    ({ agent, generation }) =>
      Effect.gen(function*() {
        const { tasks, theirs } = yield* both(true, ["local"], generation)
        // the newer revision answers a quick call at once
        const said = agent === "quick" && generation === "2026-07-28" ? [] : [generation]
        assert.deepStrictEqual(yield* ended(tasks, agent, 2), {
          value: 2,
          pool: { spent: { calls: 1, tokens: 8 }, open: {} },
          spoken: said
        })
        const [run] = yield* theirs.list({ rootsOnly: true, limit: 1 })
        assert.deepInclude(run!.spec.budget, { tokens: 30, calls: null })
        // six times four and the next may be ten: the sixth does not fit any more
        assert.deepStrictEqual(yield* ended(tasks, agent, 9), {
          value: ["budget", 5],
          pool: { spent: { calls: 1, tokens: 24 }, open: {} },
          spoken: said
        })
      }),
    30_000
  )

  it.live.each(generations.map((generation) => ({ generation })))(
    "comes back but for what was used when the call is cancelled ($generation)",
    ({ generation }) =>
      Effect.gen(function*() {
        const { tasks, theirs } = yield* both(true, ["local"], generation)
        const budget = { ...noLimits, tokens: 100 }
        const { id } = yield* tasks.submit({ agent: "near", input: { agent: "long", times: 0 }, budget })
        yield* theirs.list({ limit: 1 }).pipe(
          Effect.filterOrFail(([run]) => run?.pool?.spent.tokens === 8, () => "not yet"),
          Effect.retry(Schedule.spaced("10 millis"))
        )
        yield* tasks.cancel({ id, by: "ann" })
        yield* tasks.cancelSettled(id)
        assert.deepStrictEqual((yield* tasks.get(id)).pool, { spent: { tokens: 8 }, open: {} })
      }),
    30_000
  )

  it.live.each(generations.map((generation) => ({ generation })))(
    "is changed there when it is changed here, and by nobody there ($generation)",
    ({ generation }) =>
      Effect.gen(function*() {
        const { tasks, theirs } = yield* both(true, ["local"], generation)
        const budget = { ...noLimits, tokens: 30 }
        const { id } = yield* tasks.submit({ agent: "long", input: { times: 0 }, budget })
        const until = (isSo: (run: Task) => boolean) =>
          theirs.list({ limit: 1 }).pipe(
            Effect.filterOrFail(([run]) => run !== undefined && isSo(run), () => "not yet"),
            Effect.retry(Schedule.spaced("10 millis"))
          )
        const [run] = yield* until(({ pool }) => pool?.spent.tokens === 8)
        assert.strictEqual(run!.spec.budget!.tokens, 30)
        yield* tasks.steer({ id, by: "ann", budget: { ...budget, tokens: 50 } })
        yield* until(({ spec }) => spec.budget?.tokens === 50)
        // before anybody there was told, all of it counted as used here
        const { open } = (yield* tasks.get(id)).pool!
        assert.deepStrictEqual(Object.values(open), [{ tokens: 30 }, { tokens: 20 }])
        const more = yield* Effect.flip(theirs.steer({ id: run!.id, by: "bob", budget: { ...budget, tokens: 51 } }))
        assert.match(more.message, /^budget.tokens: another Coppice called the task/)
        yield* tasks.steer({ id, by: "ann", deadline: (yield* Clock.currentTimeMillis) + 600_000 })
        const [timed] = yield* until(({ deadline }) => deadline !== null)
        const later = { id: run!.id, by: "bob", deadline: timed!.deadline! + 1 }
        assert.match((yield* Effect.flip(theirs.steer(later))).message, /^deadline: another Coppice called the task/)
        yield* theirs.steer({ ...later, deadline: timed!.deadline! - 1 })
        yield* tasks.cancel({ id, by: "ann" })
        yield* tasks.cancelSettled(id)
        assert.deepStrictEqual((yield* tasks.get(id)).pool, { spent: { tokens: 8 }, open: {} })
      }),
    30_000
  )

  it.live(
    "is taken for spent when the peer is no Coppice, and obeyed from nobody who is not trusted",
    () =>
      Effect.gen(function*() {
        const { tasks, theirs } = yield* both(false)
        assert.deepStrictEqual((yield* ended(tasks, "quick", 2)).pool, { spent: { calls: 1, tokens: 30 }, open: {} })
        assert.isNull((yield* theirs.list({ rootsOnly: true, limit: 1 }))[0]!.spec.budget)
        const foreign = yield* both(true, [])
        assert.deepInclude(yield* ended(foreign.tasks, "quick", 9), {
          value: 9,
          pool: { spent: { calls: 1, tokens: 30 }, open: {} }
        })
      }),
    30_000
  )
})
