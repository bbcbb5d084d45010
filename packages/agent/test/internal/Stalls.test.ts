import type { Envelope } from "@coppice/task/TaskEvent"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Durable from "../../src/Durable.ts"
import { Executor } from "../../src/Executor.ts"
import * as Human from "../../src/Human.ts"
import { Pulse } from "../../src/internal/Pulse.ts"
import { Stalls } from "../../src/internal/Stalls.ts"
import * as Step from "../../src/Step.ts"
import { TaskContext } from "../../src/TaskContext.ts"
import { recording, restored } from "../support/Recording.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { eventsOf, failureIn, inWorld, pause, result, run, submit } from "../support/World.ts"

const start = 1_800_000_000_000
const hour = 3_600_000

type Work = Effect.Effect<unknown, never, TaskContext>

const make = (name: string, options: Partial<Agent.AgentOptions<any, any, any>> = {}) =>
  Agent.make(name, { description: name, input: Schema.Json, output: Schema.Json, stall: "5 seconds", ...options })

/** An agent with a stall of five seconds that does that work. */
const agent = (work: Work, options: Partial<Agent.AgentOptions<any, any, any>> = {}) =>
  make("a", options).toLayer(() => Effect.map(work, (value) => value ?? null))

const beats = (gaps: ReadonlyArray<number>) =>
  Effect.forEach(gaps, (gap) => Effect.andThen(Effect.sleep(gap), Durable.heartbeat()), { discard: true })

const lostIn = (events: ReadonlyArray<Envelope>) =>
  events.flatMap(({ at, event }) => event._tag === "AttemptFailed" ? [{ at: at - start, ...event }] : [])

/** When a body that beats after each gap is ended: looked for every second of the world. */
const endOf = (gaps: ReadonlyArray<number>, stall: number): number | undefined => {
  let last = 0
  for (const gap of gaps) {
    for (let look = (Math.floor(last / 1_000) + 1) * 1_000; look < last + gap; look += 1_000) {
      if (look - last >= stall) return look
    }
    last += gap
  }
  return undefined
}

// no beat falls on a look: nine odd ends make no round second
const Gaps = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 }))).check(Schema.isMaxLength(9))
const Stall = Schema.Int.check(Schema.isBetween({ minimum: 1_000, maximum: 4_000 }))

describe("a body", () => {
  it.effect.prop(
    "that beats more often than its stall is never ended; one that is silent for longer is ended once, at the next look",
    [Gaps, Stall],
    ([tens, stall]) => {
      const gaps = tens.map((ten) => 10 * ten + 3)
      return inWorld(
        { agents: [agent(Step.run("beats", beats(gaps)), { stall, attempts: 1 })] },
        Effect.gen(function*() {
          const { ending, task } = yield* Effect.flatMap(submit("a", null), result)
          const expected = endOf(gaps, stall)
          const took = gaps.reduce((sum, gap) => sum + gap, 0)
          assert.deepStrictEqual(
            [ending._tag, task.endedAt! - start],
            expected === undefined ? ["Completed", took] : ["Failed", expected]
          )
        })
      )
    },
    { arbitrary: { runs: 200 } }
  )

  it.effect("that is silent loses its attempt, and the next one goes on: a retryable failure that says since when", () => {
    const work = Effect.gen(function*() {
      const { attempt } = yield* TaskContext
      yield* Step.run("first", Effect.sleep("3 seconds"))
      return yield* Step.run(
        "second",
        attempt === 1 ? Effect.andThen(Durable.heartbeat("page 7"), Effect.never) : Effect.succeed(attempt)
      )
    })
    return inWorld(
      { agents: [agent(work)] },
      Effect.gen(function*() {
        const id = yield* submit("a", null)
        assert.deepInclude((yield* result(id)).ending, { _tag: "Completed", result: 2 })
        const [lost, ...more] = lostIn(yield* eventsOf(id))
        assert.lengthOf(more, 0)
        assert.strictEqual(lost!.at, 8_000)
        assert.strictEqual(
          lost!.message,
          "Stalled: no sign of life for 5s, since 2027-01-15T08:00:03.000Z (\"page 7\")"
        )
        assert.isUndefined(lost!.class)
        assert.isAbove(lost!.retryAt!, start + 8_000)
      })
    )
  })

  it.effect("that stalls in every attempt fails its task when they are used up", () =>
    inWorld(
      { agents: [agent(Step.run("never", Effect.never))] },
      Effect.gen(function*() {
        const id = yield* submit("a", null)
        const failed = yield* failureIn(Effect.map(result(id), ({ ending }) => ending))
        assert.strictEqual(failed.reason, "defect")
        assert.match(failed.message, /^Stalled: no sign of life for 5s/)
        assert.lengthOf(lostIn(yield* eventsOf(id)), 2)
      })
    ))

  it.effect("that cannot be interrupted is abandoned after the grace, and what it returns later is not recorded", () => {
    let hasReturned = false
    const stuck = Effect.uninterruptible(Effect.andThen(
      Effect.sleep("1 minute"),
      Effect.sync(() => {
        hasReturned = true
        return "late"
      })
    ))
    const work = Effect.flatMap(
      TaskContext,
      ({ attempt }) => Step.run("stuck", attempt === 1 ? stuck : Effect.succeed("second"))
    )
    return inWorld(
      { agents: [agent(work)] },
      Effect.gen(function*() {
        const id = yield* submit("a", null)
        assert.deepInclude((yield* result(id)).ending, { result: "second" })
        yield* Effect.sleep("2 minutes")
        assert.isTrue(hasReturned)
        const events = yield* eventsOf(id)
        const [lost] = lostIn(events)
        assert.strictEqual(lost!.at, 10_000)
        assert.match(lost!.message, /; it did not stop when it was told to, and was abandoned$/)
        assert.deepStrictEqual(
          events.flatMap(({ event }) => event._tag === "StepRecorded" ? [event.exit] : []),
          [{ _tag: "Success", value: "second" }]
        )
      })
    )
  })

  it.effect("of the last attempt that cannot be interrupted fails its task, which says that it may still run", () =>
    inWorld(
      { agents: [agent(Step.run("stuck", Effect.uninterruptible(Effect.never)), { attempts: 1 })] },
      Effect.map(failureIn(run("a", null)), ({ message }) => assert.match(message, /^Stalled: .* and was abandoned$/))
    ))

  it.effect("of an agent without a stall may be silent for ever", () =>
    inWorld(
      { agents: [agent(Step.run("long", Effect.sleep("50 minutes")), { stall: undefined })] },
      Effect.map(run("a", null), ({ _tag }) => assert.strictEqual(_tag, "Completed"))
    ))
})

describe("a handler", () => {
  it.effect("that waits for nothing the log knows is silent as well", () =>
    inWorld(
      { agents: [agent(Effect.never, { attempts: 1 })] },
      Effect.gen(function*() {
        const failed = yield* failureIn(run("a", null))
        assert.match(failed.message, /^Stalled: no sign of life for 5s/)
      })
    ))

  it.effect("shows that its task is alive by what it records beside a silent body", () => {
    const reports = Effect.forEach(
      [1, 2, 3],
      (progress) => Effect.andThen(Durable.sleep("4 seconds"), Durable.progress({ progress })),
      { discard: true }
    )
    const silent = Step.run("silent", Effect.sleep("14 seconds"))
    const work = Effect.asVoid(Effect.all([silent, reports], { concurrency: "unbounded" }))
    return inWorld(
      { agents: [agent(work, { attempts: 1 })] },
      Effect.map(
        run("a", null),
        (ending) => assert.deepStrictEqual(ending, { _tag: "Completed", result: null } as never)
      )
    )
  })

  it.effect("is shown to be alive by the progress of a task it has called", () => {
    const Child = make("child", { stall: undefined })
    const child = Child.toLayer(() =>
      Effect.as(
        Effect.forEach([1, 2, 3], (progress) =>
          Effect.andThen(Durable.sleep("4 seconds"), Durable.progress({ progress }))),
        null
      )
    )
    const silent = Step.run("silent", Effect.sleep("14 seconds"))
    const beside = (call: Work) => Effect.asVoid(Effect.all([silent, call], { concurrency: "unbounded" }))
    const ends = (call: Work) =>
      inWorld({ agents: [child, agent(beside(call), { attempts: 1 })] }, Effect.map(run("a", null), ({ _tag }) => _tag))
    return Effect.gen(function*() {
      assert.strictEqual(yield* ends(Effect.orDie(Child.call("x")) as Work), "Completed")
      assert.strictEqual(yield* ends(Effect.void), "Failed")
    })
  })
})

/** Waits for something outside of the log. */
const outside = (clock: VirtualClock, duration: Duration.Input) =>
  Effect.provideService(Effect.sleep(duration), Clock.Clock, clock)

describe("code that waits outside of the log", () => {
  const inTime = (work: (clock: VirtualClock) => Work, also: (clock: VirtualClock) => Work = work) => {
    const clock = new VirtualClock()
    const options = { concurrency: 1, attempts: 1 }
    const A = make("a", options).toLayer((n) => Effect.as(n === 1 ? work(clock) : also(clock), null))
    return inWorld(
      { agents: [A], clock },
      Effect.gen(function*() {
        const all = [yield* submit("a", 1), yield* submit("a", 2)]
        return yield* Effect.forEach(all, (id) => Effect.map(result(id), ({ ending }) => ending._tag))
      })
    )
  }

  it.effect("shows that it is alive when it begins a body", () =>
    Effect.gen(function*() {
      const endings = yield* inTime((clock) =>
        Effect.andThen(outside(clock, "4 seconds"), Step.run("slow", Effect.sleep("4 seconds")))
      )
      assert.deepStrictEqual(endings, ["Completed", "Completed"])
    }))

  it.effect("is not silent while it waits to be given its place back", () =>
    Effect.gen(function*() {
      const endings = yield* inTime(
        (clock) => Effect.andThen(outside(clock, "3 seconds"), Effect.yieldNow),
        () => Step.run("beats", beats([4_000, 4_000, 4_000, 4_000, 4_000]))
      )
      assert.deepStrictEqual(endings, ["Completed", "Completed"])
    }))
})

describe("an ephemeral agent", () => {
  it.effect("gives signs of life for the task that calls it, and is silent for it", () => {
    const Inner = make("inner", { ephemeral: true, stall: undefined })
    const inner = Inner.toLayer((gaps) => Effect.as(Step.run("beats", beats(gaps)), null))
    const outer = make("a", { attempts: 1 }).toLayer((gaps) => Effect.orDie(Inner.call(gaps)))
    const ends = (gaps: ReadonlyArray<number>) => Effect.map(run("a", gaps), ({ _tag }) => _tag)
    return inWorld(
      { agents: [inner, outer] },
      Effect.gen(function*() {
        assert.strictEqual(yield* ends([4_000, 4_000, 4_000]), "Completed")
        assert.strictEqual(yield* ends([4_000, 8_000]), "Failed")
      })
    )
  })
})

describe("a task that waits", () => {
  const Nap = make("nap", { stall: undefined })
  const nap = Nap.toLayer(() => Effect.as(Durable.sleep("20 minutes"), null))
  const form = Schema.Struct({ ok: Schema.Boolean })

  it.effect("for a timer, a child, or a person is not silent, in memory and out of it", () => {
    const work = Effect.gen(function*() {
      yield* Durable.sleep("20 minutes")
      yield* Effect.orDie(Nap.call("x"))
      yield* Effect.orDie(Human.ask({ message: "Go on?", form }))
    })
    const answered = Effect.gen(function*() {
      const id = yield* submit("a", null)
      yield* Effect.sleep("50 minutes")
      const tasks = yield* Tasks
      const [asked] = yield* tasks.inbox({})
      const response = { action: "accept", content: { ok: true }, by: "ada" } as const
      yield* tasks.respond({ id, key: asked!.request.key, response })
      assert.strictEqual((yield* result(id)).ending._tag, "Completed")
    })
    const agents = [nap, agent(work, { attempts: 1 })]
    return Effect.forEach(
      ["10 seconds", "1 hour"] as const,
      (idleAfter) => inWorld({ agents, executor: { idleAfter } }, answered)
    )
  })

  it.effect("for a place, or for its next attempt, is not silent", () => {
    const work = Effect.flatMap(
      TaskContext,
      ({ attempt }) =>
        Step.run(
          "slow",
          attempt === 1 ? Effect.andThen(Effect.sleep("4 seconds"), Effect.die("boom")) : beats([4_000, 4_000])
        )
    )
    return inWorld(
      { agents: [agent(work, { concurrency: 1, attempts: 2 })] },
      Effect.gen(function*() {
        const all = yield* Effect.forEach([1, 2, 3, 4], (n) => submit("a", n))
        for (const id of all) {
          assert.strictEqual((yield* result(id)).ending._tag, "Completed")
          assert.deepStrictEqual(lostIn(yield* eventsOf(id)).map(({ message }) => message), ["boom"])
        }
      })
    )
  })
})

describe("after a restart", () => {
  it.effect("silence begins anew: what passed before, or while no process ran, is not counted", () => {
    const batches: Array<Batch> = []
    const work = Step.run("slow", Effect.sleep("4 seconds"))
    const agents = [agent(work)]
    return Effect.gen(function*() {
      yield* inWorld(
        { agents, store: recording(batches) },
        Effect.andThen(submit("a", null), Effect.sleep("3 seconds"))
      )
      const events = yield* inWorld(
        { agents, store: restored(batches), clock: new VirtualClock(start + hour) },
        Effect.andThen(Effect.sleep("10 seconds"), eventsOf())
      )
      assert.lengthOf(lostIn(events), 0)
      assert.include(events.map(({ event }) => event._tag), "Completed")
    })
  })
})

describe("what is heard of a task", () => {
  const slow = Effect.sleep(2_000).pipe(
    Effect.andThen(Durable.heartbeat("row 9")),
    Effect.andThen(Effect.uninterruptible(Effect.sleep(20_000)))
  )

  it.effect("is when it last gave a sign, what it said, and when its attempt will end", () =>
    inWorld(
      { agents: [agent(Step.run("slow", slow))] },
      Effect.gen(function*() {
        const { sign } = yield* Executor
        const id = yield* submit("a", null)
        yield* Effect.sleep(4_000)
        const at = start + 2_000
        assert.deepStrictEqual(sign(id), { at, mark: "row 9", endsAt: at + 5_000, isStalled: false })
        yield* Effect.sleep(5_000)
        assert.deepStrictEqual(sign(id), { at, mark: "row 9", endsAt: at + 5_000, isStalled: true })
      })
    ))

  it.effect("is nothing while it waits", () =>
    inWorld(
      { agents: [agent(Durable.sleep("1 hour"))] },
      Effect.gen(function*() {
        const id = yield* submit("a", null)
        yield* pause
        assert.isUndefined((yield* Executor).sign(id))
      })
    ))
})

describe("a look", () => {
  /** Looks of a second's distance, but for one, at a body that is silent from the beginning. */
  const ends = (at: ReadonlyArray<number>, trouble: (now: number) => unknown = () => undefined) => {
    let now = 0
    const clock = { monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n } as never
    const log = {
      now: () => now,
      get trouble() {
        return trouble(now)
      }
    } as never
    const stalls = new Stalls({ clock, log }, new Map())
    let endedAt: number | undefined
    const execution = { pulse: new Pulse(clock), isAtWork: true, crash: () => void (endedAt ??= now) }
    for (now of at) stalls.look([{ contract: { stall: 2_000 }, executions: new Set([execution]) } as never])
    return endedAt
  }

  it("that comes late ends nobody: what the code said meanwhile has not been heard", () => {
    assert.strictEqual(ends([1_000, 2_000]), 2_000)
    assert.strictEqual(ends([1_000, 9_000]), undefined)
    assert.strictEqual(ends([1_000, 9_000, 10_000]), 10_000)
  })

  it("ends nobody while nothing can be recorded", () => {
    assert.strictEqual(ends([1_000, 2_000, 3_000, 4_000], (now) => now < 3_500 ? "the disk is full" : undefined), 4_000)
  })
})

describe("stall", () => {
  const said = (options: Partial<Agent.AgentOptions<any, any, any>>) => {
    try {
      make("a", options)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  it("is a duration of at least a second, and of agents that have attempts", () => {
    for (const stall of ["1 second", 1_000, "2 minutes"] as const) assert.isUndefined(said({ stall }))
    for (const stall of [999, Infinity, -1, "soon" as never]) {
      assert.match(
        said({ stall })!,
        /^Agent "a": stall must be a duration of at least 1 second, such as "1 minute", not /
      )
    }
    assert.match(said({ ephemeral: true })!, /give stall to the agents that call it/)
  })
})
