/** Random trees with random budgets and deadlines, run to their end, and again after a crash at any commit. */
import { type Amounts, grantOf, measures, noLimits, used } from "@coppice/task/Budget"
import type { TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import { evolve, type TaskState } from "@coppice/task/TaskMachine"
import type { Tasks } from "@coppice/task/Tasks"
import type { Batch, TaskStore } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import * as Budget from "../src/Budget.ts"
import * as Step from "../src/Step.ts"
import { eventsIn, recording, restored } from "./support/Recording.ts"
import { VirtualClock } from "./support/VirtualClock.ts"
import { inWorld, result, submit } from "./support/World.ts"

/** What a task does: thinks so many tokens at a time, and calls others with so much of its budget, if any. */
interface Plan {
  readonly thinks: ReadonlyArray<number>
  readonly tokens: number | null
  readonly calls: number | null
  readonly within: number | null
  readonly children: ReadonlyArray<Plan>
}

const Node = Agent.make("node", { description: "", input: Schema.Json, output: Schema.Json })

const think = (n: number, tokens: number) =>
  Budget.reserve(
    { tokens: 10 },
    Step.run("think", { n }, Effect.as(Effect.sleep(tokens), tokens)),
    (tokens) => ({ tokens })
  )

const call = (plan: Plan) => {
  const { calls, tokens, within } = plan
  const budget = tokens === null && calls === null && within === null
    ? undefined
    : { tokens: tokens ?? undefined, calls: calls ?? undefined, wallClock: within ?? undefined }
  return Effect.ignore(Node.call(plan as never, { budget }))
}

const node = Node.toLayer((input) => {
  const plan = input as unknown as Plan
  return Effect.gen(function*() {
    for (const [n, tokens] of plan.thinks.entries()) yield* Effect.ignore(think(n, tokens))
    yield* Effect.forEach(plan.children, call, { concurrency: 2 })
    return null
  })
})

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const flat = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({
    parent: between(0, 100),
    thinks: Schema.Array(between(0, 10)).check(Schema.isMaxLength(3)),
    tokens: Schema.NullOr(between(0, 60)),
    calls: Schema.NullOr(between(0, 4)),
    within: Schema.NullOr(between(1, 60))
  })),
  { minLength: 1, maxLength: 7 }
)

const plans = Arbitrary.map(flat, (nodes): Plan => {
  const made = nodes.map((node) => ({ ...node, children: [] as Array<Plan> }))
  for (const [i, { parent }] of nodes.entries()) if (i > 0) made[parent % i]!.children.push(made[i]!)
  return made[0]!
})

const nobody: Amounts = {}

/** What the log says was really used: by a task and all below it. */
class Reality {
  private readonly parents = new Map<TaskId, TaskId | null>()
  private readonly sums = new Map<TaskId, { tokens: number; calls: number }>()

  private add(from: TaskId | null, tokens: number, calls: number): void {
    for (let id = from; id !== null; id = this.parents.get(id)!) {
      const sum = this.sums.get(id) ?? { tokens: 0, calls: 0 }
      this.sums.set(id, { tokens: sum.tokens + tokens, calls: sum.calls + calls })
    }
  }

  of(id: TaskId): { readonly tokens: number; readonly calls: number } {
    return this.sums.get(id) ?? { tokens: 0, calls: 0 }
  }

  hear({ event, task }: Envelope): void {
    if (event._tag === "Created") {
      this.parents.set(task, event.parent)
      this.add(event.parent, 0, 1)
    }
    if (event._tag === "StepRecorded" && event.name === "think" && event.exit._tag === "Success") {
      this.add(task, event.exit.value as number, 0)
    }
  }
}

/** Reads the whole log, fact by fact, and checks every budget and every deadline after each. */
const check = (events: ReadonlyArray<Envelope>): ReadonlyMap<TaskId, TaskState> => {
  const states = new Map<TaskId, TaskState>()
  const reality = new Reality()
  for (const envelope of events) {
    const { at, event, task } = envelope
    const state = evolve(states.get(task), task, at, event)
    states.set(task, state)
    reality.hear(envelope)
    const parent = state.parent === null ? undefined : states.get(state.parent)
    if (parent?.deadline != null) assert.isAtMost(state.deadline ?? Infinity, parent.deadline)
    for (const { id, pool, spec: { budget } } of states.values()) {
      if (budget === null) continue
      const [grant, gone, real] = [grantOf(budget), pool === undefined ? nobody : used(pool), reality.of(id)]
      for (const measure of measures) {
        if (budget[measure] === null) continue
        assert.isAtMost(gone[measure] ?? 0, grant[measure] ?? 0, `${id} ${measure}`)
        if (measure !== "money") assert.isAtMost(real[measure], gone[measure] ?? 0, `${id} really used ${measure}`)
      }
    }
  }
  return states
}

const live = (name: string, before: ReadonlyArray<Batch>, root: Effect.Effect<TaskId, unknown, Tasks>) => {
  const batches: Array<Batch> = []
  const store: Layer.Layer<TaskStore> = recording(batches, before.length === 0 ? undefined : restored(before))
  const clock = new VirtualClock(before.at(-1)?.events.at(-1)?.at)
  const body = Effect.gen(function*() {
    yield* result(yield* root)
    yield* Effect.sleep("1 minute")
  })
  return Effect.map(
    inWorld({ agents: [node], store, clock, seed: name }, body),
    () => [...before, ...batches]
  )
}

describe("any tree of budgets", () => {
  it.effect.prop(
    "never uses more than was granted, nor later than allowed, whenever it crashes",
    [plans, Arbitrary.schema(between(0, 1_000))],
    ([plan, at]) =>
      Effect.gen(function*() {
        const budget = { ...noLimits, tokens: plan.tokens ?? 50, calls: plan.calls ?? 5, wallClock: plan.within }
        const begun = submit("node", plan as never, { budget })
        const batches = yield* live("first", [], begun)
        const root = batches[0]!.events[0]!.task
        const ended = check(eventsIn(batches)).get(root)!
        // everything at rest, nothing is reserved any more
        assert.deepStrictEqual(ended.pool?.open ?? {}, {})
        const cut = batches.slice(0, 1 + at % batches.length)
        const again = yield* live("again", cut, Effect.succeed(root))
        check(eventsIn(again))
      }),
    { arbitrary: { runs: 40 }, timeout: 60_000 }
  )
})
