import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Supervisor from "../src/Supervisor.ts"
import { calm, type Play, play, settled, type Stage } from "./support/Stage.ts"

const stateOf = ({ supervisor }: Play, id: string) => supervisor.status().find((child) => child.id === id)!

/** Begins at once the first time, and as told from then on. */
const laterOn = (again: Effect.Effect<unknown, unknown>): Effect.Effect<unknown, unknown> => {
  let isFirst = true
  return Effect.suspend(() => {
    const begin = isFirst ? Effect.void : again
    isFirst = false
    return begin
  })
}

const ends: Record<string, Exit.Exit<unknown, unknown>> = {
  defect: Exit.die(new Error("boom")),
  error: Exit.fail("no"),
  interruption: Exit.interrupt(),
  success: Exit.void
}

describe("start", () => {
  it.effect("waits until a child has begun before the next one starts", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({}, {})
      yield* Effect.forkChild(Effect.andThen(
        supervisor.add(stage.child("a", { begin: Effect.sleep("1 second") })),
        supervisor.add(stage.child("b"))
      ))
      yield* TestClock.adjust(999)
      assert.strictEqual(stage.read(), "")
      yield* TestClock.adjust(1)
      yield* settled
      assert.strictEqual(stage.readTimes(), "+a@1000 +b@1000")
    }))

  it.effect("fails with what a child's beginning fails with, and keeps nothing of it", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({}, { a: {} })
      const error = yield* Effect.flip(supervisor.add(stage.child("b", { begin: Effect.fail("no port") })))
      yield* settled
      assert.strictEqual(error, "no port")
      assert.strictEqual(stage.read(), "-b")
      assert.deepStrictEqual(supervisor.status().map(({ id }) => id), ["a"])
    }))

  it.effect("lets a beginning that hangs be given up", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({}, {})
      const adding = yield* Effect.forkChild(supervisor.add(stage.child("a", { begin: Effect.never })))
      yield* settled
      yield* Effect.forkChild(Fiber.interrupt(adding))
      yield* settled
      assert.isDefined(adding.pollUnsafe())
      assert.strictEqual(stage.read(), "-a")
      assert.deepStrictEqual(supervisor.status(), [])
    }))

  it.effect("tells what runs since when", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(7)
      const { supervisor } = yield* play({}, { a: { restart: "transient" } })
      assert.deepStrictEqual(supervisor.status(), [
        { id: "a", restart: "transient", state: "running", restarts: 0, reason: undefined, since: 7, until: undefined }
      ])
    }))
})

describe("stop", () => {
  it.effect("goes from last to first, each within its own limit", () =>
    Effect.gen(function*() {
      const cast = {
        a: { end: Effect.sleep(300) },
        b: { end: Effect.sleep("1 hour"), shutdown: "2 seconds" },
        c: { end: Effect.sleep(500) }
      } as const
      const scene = yield* play({}, cast)
      const closing = yield* Effect.forkChild(scene.close)
      yield* TestClock.adjust(2_799)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.strictEqual(scene.stage.readTimes(), "-c@500 -a@2800")
      assert.deepStrictEqual(scene.supervisor.status().map(({ state }) => state), ["stopped", "abandoned", "stopped"])
    }))

  it.effect("also waits for a child that a restart was stopping", () =>
    Effect.gen(function*() {
      const { close, stage } = yield* play({ strategy: "one_for_all" }, { a: {}, b: { end: Effect.sleep(800) } })
      yield* stage.kill("a")
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust(799)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.strictEqual(stage.readTimes(), "-a@0 -b@800")
    }))

  it.effect("is not held up by a child that is beginning", () =>
    Effect.gen(function*() {
      const { close, stage } = yield* play({}, { a: { begin: laterOn(Effect.never) } })
      yield* stage.kill("a")
      const closing = yield* Effect.forkChild(close)
      yield* settled
      assert.isDefined(closing.pollUnsafe())
      assert.strictEqual(stage.read(), "-a -a")
    }))

  it.effect("starts nothing any more", () =>
    Effect.gen(function*() {
      const { close, stage, supervisor } = yield* play({}, { a: {} })
      yield* close
      yield* Effect.exit(supervisor.add(stage.child("b")))
      yield* settled
      assert.strictEqual(stage.read(), "-a")
    }))
})

describe("restart", () => {
  const everybody = {
    one_for_one: "-b +b",
    one_for_all: "-b -c -a +a +b +c",
    rest_for_one: "-b -c +b +c"
  } as const
  const restarted: Record<Supervisor.Restart, ReadonlyArray<keyof typeof ends>> = {
    permanent: ["defect", "error", "interruption", "success"],
    transient: ["defect", "error"],
    temporary: []
  }

  for (const strategy of ["one_for_one", "one_for_all", "rest_for_one"] as const) {
    for (const restart of ["permanent", "transient", "temporary"] as const) {
      it.effect.each(Object.keys(ends))(`${strategy}, ${restart}, ended by %s`, (end) =>
        Effect.gen(function*() {
          const scene = yield* play({ strategy }, { a: {}, b: { restart }, c: {} })
          yield* scene.stage.kill("b", ends[end])
          const isRestarted = restarted[restart].includes(end)
          assert.strictEqual(scene.stage.read(), isRestarted ? everybody[strategy] : "-b")
          const { restarts, state } = stateOf(scene, "b")
          assert.deepStrictEqual([state, restarts], isRestarted ? ["running", 1] : ["stopped", 0])
        }))
    }
  }

  it.effect("stops temporary siblings with the others and does not bring them back", () =>
    Effect.gen(function*() {
      const scene = yield* play({ strategy: "one_for_all" }, { a: { restart: "temporary" }, b: {} })
      yield* scene.stage.kill("b")
      assert.strictEqual(scene.stage.read(), "-b -a +b")
      assert.strictEqual(stateOf(scene, "a").state, "stopped")
    }))

  it.effect("says why a child died last", () =>
    Effect.gen(function*() {
      const scene = yield* play({}, { a: {}, b: { restart: "transient" } })
      yield* scene.stage.kill("a", Exit.die(new Error("out of ink")))
      yield* scene.stage.kill("b", Exit.void)
      assert.match(stateOf(scene, "a").reason!, /out of ink/)
      assert.strictEqual(stateOf(scene, "b").reason, "it ended")
    }))

  it.effect("abandons who does not stop in time, and takes no notice of its late end", () =>
    Effect.gen(function*() {
      const scene = yield* play({ strategy: "one_for_all" }, { a: {}, b: { end: Effect.sleep("1 hour") } })
      yield* scene.stage.kill("a")
      yield* TestClock.adjust(999)
      assert.strictEqual(scene.stage.read(), "-a")
      yield* TestClock.adjust(1)
      assert.strictEqual(scene.stage.readTimes(), "+a@1000 +b@1000")
      yield* TestClock.adjust("1 hour")
      yield* settled
      assert.strictEqual(scene.stage.read(), "-b")
      const { restarts, state } = stateOf(scene, "b")
      assert.deepStrictEqual([state, restarts], ["running", 1])
    }))

  it.effect("hears of a death while it restarts another child", () =>
    Effect.gen(function*() {
      const { stage } = yield* play({}, { a: { begin: laterOn(Effect.sleep("1 second")) }, b: {} })
      yield* stage.kill("a")
      yield* stage.kill("b")
      assert.strictEqual(stage.read(), "-a -b")
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.strictEqual(stage.read(), "+a +b")
    }))

  it.effect("restarts a child once that died while all were being stopped", () =>
    Effect.gen(function*() {
      const scene = yield* play({ strategy: "one_for_all" }, { a: {}, b: {}, c: { end: Effect.sleep(500) } })
      yield* scene.stage.kill("a")
      yield* scene.stage.kill("b")
      yield* TestClock.adjust(500)
      yield* settled
      assert.strictEqual(scene.stage.read(), "-a -b -c +a +b +c")
      assert.deepStrictEqual(scene.supervisor.status().map(({ restarts }) => restarts), [1, 1, 1])
    }))

  it.effect("does not start the next child while the one before has not begun", () =>
    Effect.gen(function*() {
      let failures = 2
      const begin = laterOn(Effect.suspend(() => failures-- > 0 ? Effect.fail("not yet") : Effect.void))
      const { stage } = yield* play({ strategy: "rest_for_one" }, { a: { begin }, b: {} })
      yield* stage.kill("a")
      assert.strictEqual(stage.read(), "-a -b -a -a +a +b")
    }))

  it.effect("starts a child that is added meanwhile once, after the others", () =>
    Effect.gen(function*() {
      const cast = { a: { begin: laterOn(Effect.sleep("1 second")) } }
      const { close, stage, supervisor } = yield* play({ strategy: "one_for_all" }, cast)
      yield* stage.kill("a")
      const adding = yield* Effect.forkChild(supervisor.add(stage.child("b")))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(adding)
      yield* settled
      assert.strictEqual(stage.read(), "-a +a +b")
      yield* close
      assert.strictEqual(stage.read(), "-b -a")
    }))
})

describe("intensity", () => {
  const often = { intensity: 2, period: "10 seconds" } as const

  it.effect("is exceeded by one restart more within the period: stops all and escalates", () =>
    Effect.gen(function*() {
      const scene = yield* play(often, { a: {}, b: {}, c: { end: Effect.sleep(500) } })
      const escalated = yield* Effect.forkChild(Effect.flip(scene.supervisor.escalation))
      for (const exit of [Exit.die(1), Exit.die(2), Exit.die(new Error("third"))]) yield* scene.stage.kill("b", exit)
      assert.isUndefined(escalated.pollUnsafe())
      yield* TestClock.adjust(500)
      const error = yield* Fiber.join(escalated)
      assert.strictEqual(scene.stage.read(), "-b +b -b +b -b -c -a")
      assert.strictEqual(error.message, `"b" was restarted more than 2 times in 10s`)
      assert.match(Cause.pretty(error.cause), /third/)
      assert.deepStrictEqual(scene.supervisor.status().map(({ state }) => state), ["stopped", "stopped", "stopped"])
    }))

  it.effect("counts the restarts of all children together", () =>
    Effect.gen(function*() {
      const scene = yield* play(often, { a: {}, b: {}, c: {} })
      yield* Effect.forEach(["a", "b"], (id) => scene.stage.kill(id))
      assert.strictEqual(scene.stage.read(), "-a +a -b +b")
      yield* scene.stage.kill("c")
      assert.strictEqual(scene.stage.read(), "-c -b -a")
    }))

  it.effect("looks back one period: the window slides", () =>
    Effect.gen(function*() {
      const scene = yield* play(often, { a: {} })
      for (const gap of [0, 9_000, 1_001, 8_999]) {
        yield* TestClock.adjust(gap)
        yield* scene.stage.kill("a")
      }
      assert.strictEqual(scene.stage.readTimes(), "-a@0 +a@0 -a@9000 +a@9000 -a@10001 +a@10001 -a@19000")
    }))

  it.effect("never runs out for one that dies seldom", () =>
    Effect.gen(function*() {
      const scene = yield* play(often, { a: {} })
      for (let i = 0; i < 50; i++) {
        yield* scene.stage.kill("a")
        yield* TestClock.adjust(5_001)
      }
      assert.deepStrictEqual([stateOf(scene, "a").restarts, stateOf(scene, "a").state], [50, "running"])
    }))

  it.effect("of zero allows no restart", () =>
    Effect.gen(function*() {
      const scene = yield* play({ intensity: 0 }, { a: {} })
      yield* scene.stage.kill("a")
      assert.strictEqual(scene.stage.read(), "-a")
    }))

  it.effect("counts a restart whose beginning fails", () =>
    Effect.gen(function*() {
      const scene = yield* play(often, { a: { begin: laterOn(Effect.fail("no")) } })
      yield* scene.stage.kill("a")
      assert.strictEqual(scene.stage.read(), "-a -a -a")
      assert.strictEqual(stateOf(scene, "a").state, "stopped")
    }))

  it.effect("takes no notice of children that are not restarted", () =>
    Effect.gen(function*() {
      const scene = yield* play({ intensity: 0 }, { a: { restart: "temporary" }, b: { restart: "transient" }, c: {} })
      yield* scene.stage.kill("a")
      yield* scene.stage.kill("b", Exit.void)
      assert.strictEqual(scene.stage.read(), "-a -b")
      assert.strictEqual(stateOf(scene, "c").state, "running")
    }))

  it.effect("exceeded, adds no more children", () =>
    Effect.gen(function*() {
      const scene = yield* play({ intensity: 0 }, { a: {} })
      yield* scene.stage.kill("a")
      const error = yield* Effect.flip(scene.supervisor.add(scene.stage.child("b")))
      assert.instanceOf(error, Supervisor.TooManyRestarts)
      assert.strictEqual(scene.stage.read(), "-a")
    }))
})

describe("childSpec", () => {
  const inner = (stage: Stage, restart: Supervisor.Restart = "permanent") =>
    Supervisor.childSpec(
      "inner",
      { ...calm, intensity: 1, restart, shutdown: "5 seconds" },
      (supervisor) =>
        Effect.andThen(supervisor.add(stage.child("x")), supervisor.add(stage.child("y", { end: Effect.sleep(100) })))
    )

  /** Kills `x` until the inner supervisor gives up. */
  const wearOut = Effect.fnUntraced(function*(stage: Stage) {
    yield* stage.kill("x")
    yield* stage.kill("x")
    yield* TestClock.adjust(100)
    yield* settled
  })

  it.effect("lets the parent restart a supervisor that gave up", () =>
    Effect.gen(function*() {
      const scene = yield* play({}, { a: {} })
      yield* scene.supervisor.add(inner(scene.stage))
      yield* wearOut(scene.stage)
      assert.strictEqual(scene.stage.read(), "+x +y -x +x -x -y +x +y")
      const { reason, restarts, state } = stateOf(scene, "inner")
      assert.deepStrictEqual([state, restarts], ["running", 1])
      assert.match(reason!, /"x" was restarted more than 1 times in 30s/)
    }))

  it.effect("takes the parent down when that does not help either", () =>
    Effect.gen(function*() {
      const scene = yield* play({ intensity: 1 }, { a: {} })
      yield* scene.supervisor.add(inner(scene.stage))
      yield* wearOut(scene.stage)
      scene.stage.read()
      yield* wearOut(scene.stage)
      assert.strictEqual(scene.stage.read(), "-x +x -x -y -a")
      const error = yield* Effect.flip(scene.supervisor.escalation)
      assert.strictEqual(error.child, "inner")
      assert.strictEqual((Cause.squash(error.cause) as Supervisor.TooManyRestarts).child, "x")
    }))

  it.effect("stops what is below with it, in order", () =>
    Effect.gen(function*() {
      const { close, stage, supervisor } = yield* play({}, { a: {} })
      yield* supervisor.add(inner(stage))
      stage.read()
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust(100)
      yield* Fiber.join(closing)
      assert.strictEqual(stage.readTimes(), "-y@100 -x@100 -a@100")
    }))

  it.effect("is gone for good when it is temporary", () =>
    Effect.gen(function*() {
      const scene = yield* play({}, {})
      yield* scene.supervisor.add(inner(scene.stage, "temporary"))
      yield* wearOut(scene.stage)
      assert.strictEqual(scene.stage.read(), "+x +y -x +x -x -y")
      assert.strictEqual(stateOf(scene, "inner").state, "stopped")
    }))

  it.effect("fails to start when one below does", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({}, {})
      const broken = Supervisor.childSpec(
        "inner",
        { ...calm, restart: "permanent", shutdown: "1 second" },
        (below) =>
          Effect.andThen(below.add(stage.child("x")), below.add(stage.child("y", { begin: Effect.fail("no") })))
      )
      assert.strictEqual(yield* Effect.flip(supervisor.add(broken)), "no")
      assert.strictEqual(stage.read(), "+x -y -x")
      assert.deepStrictEqual(supervisor.status(), [])
    }))
})

describe("backoff", () => {
  const spaced = { intensity: 9, period: "1 minute", backoff: { first: 1_000, most: 4_000 } } as const

  /** Kills the child as soon as it runs; how long it was away each time. */
  const away = Effect.fnUntraced(function*(stage: Stage, id: string, times: number) {
    const waits: Array<number> = []
    for (let i = 0; i < times; i++) {
      const from = yield* Clock.currentTimeMillis
      yield* stage.kill(id)
      while (!stage.read().includes(`+${id}`)) yield* Effect.andThen(TestClock.adjust(1), settled)
      waits.push((yield* Clock.currentTimeMillis) - from)
    }
    return waits
  })

  it.effect("restarts at once, then after waits that double up to a bound, with jitter", () =>
    Effect.gen(function*() {
      const { stage } = yield* play(spaced, { a: {} })
      const waits = yield* away(stage, "a", 6)
      assert.strictEqual(waits[0], 0)
      const whole = [1_000, 2_000, 4_000, 4_000, 4_000]
      waits.slice(1).forEach((wait, i) => assert.isTrue(wait >= whole[i]! / 2 && wait <= whole[i]!, waits.join()))
      assert.isAbove(new Set(waits.slice(3)).size, 1)
    }), 20_000)

  it.effect("waits for each child by itself, and says until when", () =>
    Effect.gen(function*() {
      const scene = yield* play(spaced, { a: {}, b: {} })
      yield* scene.stage.kill("a")
      yield* scene.stage.kill("a")
      assert.strictEqual(scene.stage.read(), "-a +a -a")
      const { state, until } = stateOf(scene, "a")
      assert.strictEqual(state, "restarting")
      assert.isTrue(until! >= 500 && until! <= 1_000)
      yield* scene.stage.kill("b")
      assert.strictEqual(scene.stage.read(), "-b +b")
      yield* TestClock.adjust(1_000)
      yield* settled
      assert.strictEqual(scene.stage.read(), "+a")
      assert.isUndefined(stateOf(scene, "a").until)
    }))

  it.effect("stops who is restarted as well at once, and starts nobody twice", () =>
    Effect.gen(function*() {
      const scene = yield* play({ ...spaced, strategy: "rest_for_one" }, { a: {}, b: {}, c: {} })
      for (const id of ["b", "b", "a", "a"]) yield* scene.stage.kill(id)
      assert.strictEqual(scene.stage.read(), "-b -c +b +c -b -c -a +a +b +c -a -c -b")
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.strictEqual(scene.stage.read(), "+a +b +c")
    }))

  it.effect("never keeps a child that always dies within the intensity", () =>
    Effect.gen(function*() {
      const options = { intensity: 5, period: "10 seconds", backoff: { first: "1 minute", most: "1 hour" } } as const
      const { stage, supervisor } = yield* play(options, { a: { begin: laterOn(Effect.fail("no")) } })
      const escalated = yield* Effect.forkChild(Effect.flip(supervisor.escalation))
      yield* stage.kill("a")
      yield* TestClock.adjust("5 seconds")
      yield* settled
      assert.instanceOf(yield* Fiber.join(escalated), Supervisor.TooManyRestarts)
    }))

  it.effect("is over when the supervisor stops", () =>
    Effect.gen(function*() {
      const { close, stage } = yield* play(spaced, { a: {} })
      for (const id of ["a", "a"]) yield* stage.kill(id)
      yield* close
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(stage.read(), "-a +a -a")
    }))
})
