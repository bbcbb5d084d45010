/**
 * Processes that die, told by the commits they leave behind: each life goes on where the last one was cut off.
 */
import { Rescuer } from "@coppice/task/Rescuer"
import type { Task } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import type { ExecutorOptions } from "../../src/internal/ExecutorOptions.ts"
import * as Step from "../../src/Step.ts"
import { eventsIn, recording, restored } from "../support/Recording.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { inWorld, pause, type Services, submit } from "../support/World.ts"

const A = Agent.make("a", { description: "a", input: Schema.String, output: Schema.String })

/** What an input makes the handler do; `die` is the end of the process. */
const behave = (die: Effect.Effect<never>, stumbled: Set<number>) => (input: string) =>
  Effect.gen(function*() {
    if (input.startsWith("calls")) yield* Effect.forkChild(Effect.ignore(A.call("long child")))
    if (input.startsWith("calls")) yield* Step.run("child there", Effect.sleep(10))
    for (const turn of input.startsWith("stumbles") ? [1, 2, 3, 4, 5, 6] : []) {
      yield* Step.run("turn", turn, Effect.void)
      if (!stumbled.has(turn)) {
        yield* Effect.andThen(Effect.sync(() => stumbled.add(turn)), Step.run("die", turn, Effect.asVoid(die)))
      }
    }
    if (input.includes("kills")) {
      return yield* Step.run("kill", die)
    }
    if (input.startsWith("plain")) return yield* die
    if (input.startsWith("long")) yield* Step.run("work", Effect.sleep("10 minutes"))
    return input
  })

/** The lives of one store. */
class Lives {
  batches: ReadonlyArray<Batch> = []
  /** Inputs whose code ran in the last life, in order. */
  ran: ReadonlyArray<string> = []
  private readonly stumbled = new Set<number>()
  private readonly executor: Partial<ExecutorOptions>
  private time = 1_800_000_000_000

  constructor(executor: Partial<ExecutorOptions> = {}) {
    this.executor = executor
  }

  /** One life: until something ends the process, or until the body ends and it stops in an orderly way. */
  live<A>(body: (die: Effect.Effect<never>) => Effect.Effect<A, any, Services>): Effect.Effect<A | "died"> {
    return Effect.suspend(() => {
      const { batches: before } = this
      const [ran, batches]: [Array<string>, Array<Batch>] = [[], []]
      let [left, over]: [ReadonlyArray<Batch> | undefined, () => void] = [undefined, () => {}]
      const dead = Effect.callback<"died">((resume) => {
        over = () => resume(Effect.succeed("died"))
      })
      const die = Effect.suspend(() => {
        left ??= [...before, ...batches]
        over()
        return Effect.never
      })
      const handler = (input: string) =>
        Effect.andThen(Effect.sync(() => ran.push(input)), behave(die, this.stumbled)(input))
      const clock = new VirtualClock(this.time)
      const world = { agents: [A.toLayer(handler)], clock, executor: this.executor }
      return Effect.map(
        Effect.orDie(
          inWorld({ ...world, store: recording(batches, restored(before)) }, Effect.raceFirst(body(die), dead))
        ),
        (end) => {
          this.batches = left ?? [...before, ...batches]
          this.ran = ran
          this.time = clock.currentTimeMillisUnsafe() + 1_000
          return end
        }
      )
    })
  }

  begin(...inputs: ReadonlyArray<string>) {
    return this.live(() => Effect.andThen(Effect.forEach(inputs, (input) => submit("a", input)), pause))
  }

  /** Starts again, and goes on for so long. */
  again(millis = 60_000) {
    return this.live(() => Effect.andThen(resumed, Effect.sleep(millis)))
  }

  /** Starts again, and is killed from outside after so long. */
  killedAfter(millis: number) {
    return this.live((die) => Effect.andThen(resumed, Effect.andThen(Effect.sleep(millis), die)))
  }

  /** Starts again until nothing kills the process; how every task ended, by its input. */
  get end() {
    return Effect.gen({ self: this }, function*() {
      for (let lives = 1; lives <= 20; lives++) {
        const tasks = yield* this.live(() => Effect.andThen(resumed, Effect.andThen(Effect.sleep(3_000_000), all)))
        if (tasks !== "died") return { lives, ends: endsOf(this.batches, tasks), tasks }
      }
      return assert.fail("it never stops dying")
    })
  }
}

const resumed = Effect.flatMap(Rescuer, ({ sweep }) => sweep)
const all = Effect.flatMap(Tasks, (tasks) => tasks.list({ limit: 100 }))

const endsOf = (batches: ReadonlyArray<Batch>, tasks: ReadonlyArray<Task>): Record<string, string> => {
  const inputs = new Map(
    eventsIn(batches).flatMap(({ event, task }) => event._tag === "Created" ? [[task, String(event.input)]] : [])
  )
  return Object.fromEntries(tasks.map(({ id, reason, status }) => [inputs.get(id)!, reason ?? status]))
}

describe("a task that kills its process", () => {
  it.effect("is not run again after three times, and the others finish", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      assert.strictEqual(yield* lives.begin("long 1", "long 2", "kills"), "died")
      const { ends, lives: count, tasks } = yield* lives.end
      assert.deepStrictEqual(ends, { "long 1": "completed", "long 2": "completed", kills: "quarantined" })
      assert.strictEqual(count, 3)
      const { settlement, statusMessage } = tasks.find(({ reason }) => reason === "quarantined")!
      assert.strictEqual(settlement, "stopped")
      assert.match(statusMessage!, /The process died 3 times while it ran.*coppice retry \w{20}/)
    }))

  it.effect("has its attempt written down before its code runs", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      yield* lives.begin("plain")
      for (const attempt of [2, 3]) {
        assert.strictEqual(yield* lives.again(), "died")
        assert.deepStrictEqual(eventsIn(lives.batches).at(-1)!.event, { _tag: "Started", attempt })
      }
      assert.deepStrictEqual((yield* lives.end).ends, { plain: "quarantined" })
    }))

  it.effect("may be one of several that do", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      const inputs = ["long 1", "kills 1", "kills 2", "kills 3"]
      yield* lives.live(() => Effect.forEach(inputs, (input) => submit("a", input), { concurrency: "unbounded" }))
      const { ends, lives: count } = yield* lives.end
      const [ended, killed] = ["completed", "quarantined"]
      assert.deepStrictEqual(ends, { "long 1": ended, "kills 1": killed, "kills 2": killed, "kills 3": killed })
      assert.isAtMost(count, 10)
    }))

  it.effect("takes what is below it along", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      yield* lives.begin("calls and kills")
      const { ends, tasks } = yield* lives.end
      assert.strictEqual(ends["calls and kills"], "quarantined")
      assert.isAtLeast(tasks.filter(({ parent }) => parent !== null).length, 1)
      for (const { parent, settlement, status } of tasks) {
        if (parent === null) continue
        assert.deepStrictEqual([status, settlement], ["cancelled", "stopped"])
      }
    }))

  it.effect("but gets further each time is let go on", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      yield* lives.begin("long", "stumbles")
      const { ends, lives: count } = yield* lives.end
      assert.deepStrictEqual(ends, { long: "completed", stumbles: "completed" })
      assert.strictEqual(count, 6)
    }))

  it.effect("is given as many chances as the service says", () =>
    Effect.gen(function*() {
      const lives = new Lives({ quarantine: 5 })
      yield* lives.begin("kills")
      assert.strictEqual((yield* lives.end).lives, 5)
    }))
})

describe("a task that only was there", () => {
  it.effect("when the process stopped in an orderly way is no suspect", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      yield* lives.begin("long")
      for (let i = 0; i < 5; i++) yield* lives.again(1_000)
      assert.deepStrictEqual((yield* lives.end).ends, { long: "completed" })
      assert.isFalse(lives.batches.some(({ notes = [] }) => notes.some(({ key }) => key === "trial")))
    }))

  it.effect("when something else killed the process, after its trial, is never given up", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      yield* lives.begin("long")
      for (let i = 0; i < 6; i++) yield* lives.killedAfter(8_000)
      assert.deepStrictEqual((yield* lives.end).ends, { long: "completed" })
    }))

  it.effect("runs alone at first: nothing else begins, until it has had its time", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      yield* lives.live((die) => Effect.andThen(submit("a", "long 1"), Effect.andThen(pause, die)))
      const seen: Array<ReadonlyArray<string>> = []
      yield* lives.live(() =>
        Effect.gen(function*() {
          yield* resumed
          yield* submit("a", "quick")
          yield* Effect.sleep(4_000)
          seen.push((yield* all).map(({ status }) => status))
          yield* Effect.sleep(2_000)
          seen.push((yield* all).map(({ status }) => status))
        })
      )
      assert.deepStrictEqual(seen, [["working", "working"], ["completed", "working"]])
      assert.deepStrictEqual(lives.ran, ["long 1", "quick"])
    }))

  it.effect("waits for no more than half a minute in all, however many there are", () =>
    Effect.gen(function*() {
      const lives = new Lives()
      const inputs = Array.from({ length: 50 }, (_, i) => `long ${i}`)
      yield* lives.live((die) =>
        Effect.andThen(Effect.forEach(inputs, (input) => submit("a", input)), Effect.andThen(pause, die))
      )
      yield* lives.again(31_000)
      assert.strictEqual(lives.ran.length, 50)
    }))
})
