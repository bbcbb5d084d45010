/**
 * A bad network between two Coppices (case 51): every call ends, none runs twice there, and a cancellation gets through.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Step from "@coppice/agent/Step"
import * as Workflow from "@coppice/agent/Workflow"
import type { Task } from "@coppice/task/Task"
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
import * as Stream from "effect/Stream"
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
import { merge } from "../../src/Settings.ts"
import * as FaultyWire from "../support/FaultyWire.ts"
import { folder } from "../support/Service.ts"

type Services = Context.Context<Orchestrator.Services>

const input = Schema.Struct({ name: Schema.String, millis: Schema.Int })
const faults = ["partition", "half-open", "latency", "reset", "bytes"] as const

/** How long the network is bad: longer than a request may take. */
const badFor = "1500 millis"

const Long = Agent.make("long", { description: "Works", input, output: Schema.String, task: "always" })
const Plain = Agent.make("plain", { description: "Works", input, output: Schema.String })

/** The service that is called; `begun` counts how often each piece of work was begun there. */
const far = (begun: Map<string, number>) => {
  const work = ({ millis, name }: { readonly millis: number; readonly name: string }) =>
    Step.run("begin", Effect.sync(() => void begun.set(name, (begun.get(name) ?? 0) + 1))).pipe(
      Effect.andThen(Effect.delay(Effect.succeed(name), millis))
    )
  return Runtime.make({ agents: [Long.toLayer(work), Plain.toLayer(work)], mcp: { trusted: ["local"] } })
}

const serve = (orchestrator: Runtime.Orchestrator, allowedHosts: ReadonlyArray<string> = []) =>
  Effect.gen(function*() {
    const settings = merge({ port: 0, data: yield* folder, store: "memory:", allowedHosts })
    return yield* Layer.build(
      Orchestrator.layer({ orchestrator }, settings).pipe(Layer.provide(Logging.layer("none")), Layer.fresh)
    )
  })

/** The agents of a server, as those who call over this network have them. */
const agentsOver = (name: string) => {
  const named = (tool: string) =>
    Agent.remote(`${tool}-${name}`, { input, output: Schema.String, tool, timeout: 1_000 })
  return { long: named("long"), plain: named("plain") }
}

/** Calls over a network of its own for every fault. */
const near = (there: Services, wires: ReadonlyArray<readonly [string, FaultyWire.FaultyWire]>) => {
  const authorization = `Bearer ${Redacted.value(Context.get(there, Token))}`
  const over = wires.map(([name, { port }]) => {
    const agents = agentsOver(name)
    const servers = {
      [name]: {
        url: `http://127.0.0.1:${port}/mcp`,
        headers: { authorization },
        agents: [agents.long, agents.plain],
        isCoppice: true,
        timeout: 1_000
      }
    }
    const calling = (tool: "long" | "plain") =>
      Workflow.make(`${tool}-over-${name}`, { description: "Calls", input, output: Schema.String })
        .toLayer((order) => Effect.orDie(agents[tool].call(order)))
    return { agents: [calling("long"), calling("plain")], servers }
  })
  return Runtime.make({
    agents: over.flatMap(({ agents }) => agents),
    servers: Object.assign({}, ...over.map(({ servers }) => servers))
  })
}

/** Looks until it is so. */
const until = (look: Effect.Effect<boolean, unknown>) =>
  look.pipe(
    Effect.filterOrFail((isSo) => isSo, () => "not yet"),
    Effect.retry(Schedule.spaced("20 millis")),
    Effect.orDie
  )

type Asked = Readonly<Record<"within" | "after" | "doomed", Task>>

/** The orders of one network. */
const ordersOver =
  (fault: FaultyWire.Fault, tasks: Tasks["Service"]) =>
  (tool: "long" | "plain", name: string, millis: number, deadline?: number) =>
    tasks.submit({ agent: `${tool}-over-${fault}`, input: { name: `${fault}: ${name}`, millis }, deadline })

/** What is under way when the network becomes bad. */
const inGoodTimes = (fault: FaultyWire.Fault, tasks: Tasks["Service"]) => {
  const order = ordersOver(fault, tasks)
  return Effect.all({
    within: order("long", "ends in bad times", 1_000),
    after: order("long", "ends after them", 3_500),
    doomed: order("long", "is cancelled in them", 600_000)
  })
}

/** Makes the network bad for a while, orders more meanwhile, and tells how all of it ended. */
const inBadTimes = Effect.fnUntraced(function*(
  [fault, wire]: readonly [FaultyWire.Fault, FaultyWire.FaultyWire],
  { after, doomed, within }: Asked,
  tasks: Tasks["Service"]
) {
  const order = ordersOver(fault, tasks)
  yield* wire.set(fault)
  const made = yield* order("long", "is made in bad times", 50)
  const plain = yield* order("plain", "is no task", 50)
  const late = yield* order("long", "is too late", 600_000, (yield* Clock.currentTimeMillis) + 700)
  yield* tasks.cancel({ id: doomed.id, by: "ann" })
  yield* Effect.delay(wire.set("none"), badFor)
  const ended = yield* Effect.forEach(
    [within, after, made, plain, late],
    ({ id }) => Effect.map(tasks.result(id), ({ ending }) => ending),
    { concurrency: "unbounded" }
  )
  yield* until(Effect.map(tasks.cancelReport(doomed.id), ({ converged }) => converged))
  const { nodes } = yield* tasks.cancelReport(doomed.id)
  return { ended, settlements: nodes.map(({ settlement }) => settlement) }
})

/** How many calls know their task at the other side. */
const known = (tasks: Tasks["Service"], count: number) =>
  tasks.watch({ since: 0 }).pipe(
    Stream.filter(({ event }) => event._tag === "StepRecorded" && event.key === "remote:task"),
    Stream.take(count),
    Stream.runDrain
  )

describe("a network between two Coppices", () => {
  it.live(
    "may be cut, half open, late, reset or slow: calls end, none runs twice, and a cancellation gets through (case 51)",
    () =>
      Effect.gen(function*() {
        const begun = new Map<string, number>()
        const wires = yield* Effect.forEach(
          faults,
          (fault) => Effect.map(FaultyWire.make, (wire) => [fault, wire] as const)
        )
        const there = yield* serve(far(begun), wires.map(([, { port }]) => `127.0.0.1:${port}`))
        for (const [, { aim }] of wires) aim(Number(new URL(Context.get(there, Listener).url).port))
        const here = yield* serve(near(there, wires))
        const [tasks, theirs] = [Context.get(here, Tasks), Context.get(there, Tasks)]
        const asked = yield* Effect.forEach(faults, (fault) => inGoodTimes(fault, tasks))
        yield* known(tasks, 3 * faults.length)
        const found = yield* Effect.forEach(
          wires,
          (wire, index) => inBadTimes(wire, asked[index]!, tasks),
          { concurrency: "unbounded" }
        )
        for (const [index, { ended, settlements }] of found.entries()) {
          const fault = faults[index]!
          const [within, after, made, plain, late] = ended
          const completed = (name: string) => ({ _tag: "Completed", result: `${fault}: ${name}` }) as const
          assert.deepInclude(within, completed("ends in bad times"))
          assert.deepInclude(after, completed("ends after them"))
          assert.deepInclude(made, completed("is made in bad times"))
          // a caller that was cut off while it waited for a result has its task cancelled there
          assert.include(["Completed", "Failed"], plain!._tag, fault)
          assert.deepInclude(late, { _tag: "Failed", reason: "deadline" })
          // the caller's own code may have been given up while its child was not heard of
          assert.deepStrictEqual(settlements.slice(1), ["stopped", "stopped"], fault)
        }
        assert.deepStrictEqual([...begun].filter(([, times]) => times !== 1), [])
        yield* until(Effect.map(
          theirs.list({ limit: 100 }),
          (all) => all.every(({ settlement }) => settlement !== null)
        ))
      }),
    30_000
  )
})
