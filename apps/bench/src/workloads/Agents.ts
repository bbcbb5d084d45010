/**
 * The agents of the workloads: bodies that do nothing, so that all the time is ours.
 */
import { Agent, Human, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { now } from "../Meter.ts"

/** Adds one. */
const Sub = Agent.make("sub", {
  description: "Adds one",
  input: Schema.Struct({ n: Schema.Finite }),
  output: Schema.Finite,
  concurrency: 20_000
})
export const SubLive = Sub.toLayer(({ n }) => Effect.succeed(n + 1))

/** The same with the places an agent has by default. */
const Narrow = Agent.make("narrow", {
  description: "Adds one, a thousand at a time",
  input: Schema.Struct({ n: Schema.Finite }),
  output: Schema.Finite
})
export const NarrowLive = Narrow.toLayer(({ n }) => Effect.succeed(n + 1))

/** Milliseconds of each call of the last `caller`. */
export let latencies: Array<number> = []

/** Works for 20 ms and returns when it was done. */
const Nap = Agent.make("nap", { description: "Sleeps a little", input: Schema.Void, output: Schema.Finite })
export const NapLive = Nap.toLayer(() => Effect.andThen(Effect.sleep("20 millis"), Effect.sync(now)))

/** Calls `nap` so many times and returns how late each result was, milliseconds. */
const Waiter = Workflow.make("waiter", {
  description: "Calls what takes a moment",
  input: Schema.Finite,
  output: Schema.Array(Schema.Finite)
})
export const WaiterLive = Waiter.toLayer((count) =>
  Effect.replicateEffect(Effect.map(Effect.orDie(Nap.call()), (ended) => now() - ended), count)
)

/** Calls `sub` so many times, one after the other, and returns the sum. */
const Caller = Workflow.make("caller", {
  description: "Calls in a row",
  input: Schema.Finite,
  output: Schema.Finite
})
export const CallerLive = Caller.toLayer((count) =>
  Effect.gen(function*() {
    latencies = []
    let sum = 0
    for (let n = 0; n < count; n++) {
      const started = now()
      sum += yield* Effect.orDie(Sub.call({ n }))
      latencies.push(now() - started)
    }
    return sum
  })
)

/** The sum `caller` and `spread` return. */
export const sumOf = (count: number): number => count * (count + 1) / 2

/** Calls `sub`, or `narrow`, so many times at once and returns the sum. */
const Spread = Workflow.make("spread", {
  description: "Calls at once",
  input: Schema.Struct({ count: Schema.Finite, narrow: Schema.Boolean }),
  output: Schema.Finite
})
export const SpreadLive = Spread.toLayer(({ count, narrow }) =>
  Effect.gen(function*() {
    const agent = narrow ? Narrow : Sub
    const results = yield* Effect.forEach(Array.from({ length: count }, (_, n) => n), (n) =>
      Effect.orDie(agent.call({ n })), {
      concurrency: "unbounded"
    })
    return results.reduce((sum, result) =>
      sum + result, 0)
  })
)

/** Called by `stepper` before each step, so that a case can look at the process on its way. */
export const beforeStep = { call: (_index: number): void => {} }

/** How often a body of `stepper` ran. */
export const bodies = { count: 0 }

/** Records so many steps, one after the other; then asks a person whether to return, if told to. */
const Stepper = Workflow.make("stepper", {
  description: "Steps in a row",
  input: Schema.Struct({ steps: Schema.Finite, ask: Schema.Boolean }),
  output: Schema.Finite
})
export const StepperLive = Stepper.toLayer(({ ask, steps }) =>
  Effect.gen(function*() {
    let sum = 0
    for (let index = 0; index < steps; index++) {
      beforeStep.call(index)
      const body = Effect.sync(() => {
        bodies.count++
        return index + 1
      })
      sum += yield* Step.run("step", index, body)
    }
    if (ask) yield* Effect.orDie(Human.ask(question))
    return sum
  })
)

const question = { message: "Go on?", form: Schema.Struct({ ok: Schema.Boolean }) }

/** Asks a person and returns its input. */
const Asker = Agent.make("asker", {
  description: "Waits for a person",
  input: Schema.Finite,
  output: Schema.Finite
})
export const AskerLive = Asker.toLayer((n) => Effect.as(Effect.orDie(Human.ask(question)), n))

/** Sleeps until a time and returns it. */
const Sleeper = Agent.make("sleeper", {
  description: "Waits for a timer",
  input: Schema.Struct({ n: Schema.Finite, until: Schema.Finite }),
  output: Schema.Finite
})
export const SleeperLive = Sleeper.toLayer(({ n, until }) =>
  Effect.clockWith((clock) => Effect.as(Effect.sleep(until - clock.currentTimeMillisUnsafe()), n))
)

/** What the nodes of the tree have seen. */
export const nodes = { running: 0, stopped: 0 }

/** Calls itself `fan` times per level; the leaves wait for ever. */
const Node = Agent.make("node", {
  description: "A node of a tree",
  input: Schema.Struct({ depth: Schema.Finite, fan: Schema.Finite, n: Schema.Finite }),
  output: Schema.Void,
  concurrency: 20_000
})
export const NodeLive = Node.toLayer(({ depth, fan }) =>
  Effect.suspend(() => {
    nodes.running++
    if (depth === 0) return Effect.never
    const call = (n: number) => Effect.orDie(Node.call({ depth: depth - 1, fan, n }))
    return Effect.forEach(Array.from({ length: fan }, (_, n) => n), call, { concurrency: "unbounded", discard: true })
  }).pipe(Effect.onInterrupt(() => Effect.sync(() => nodes.stopped++)))
)
