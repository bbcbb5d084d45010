/**
 * Random failures against a model that says in a few lines what a supervisor owes: whom it restarts, in which order, and
 * when it gives up.
 */
import * as Backoff from "@coppice/task/Backoff"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { type Play, play, settled } from "./support/Stage.ts"

const ids = ["a", "b", "c", "d"]
const period = 10_000

const Restart = Schema.Literals(["permanent", "transient", "temporary"])
const Ending = Schema.Literals(["defect", "success"])
const Below = (limit: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: limit }))

/** Milliseconds that pass, then who ends, and how. */
const Blow = Schema.Struct({ gap: Below(6_000), child: Below(ids.length - 1), ending: Ending })
const Blows = Schema.Array(Blow).check(Schema.isMaxLength(12))
const Setting = Schema.Struct({
  strategy: Schema.Literals(["one_for_one", "one_for_all", "rest_for_one"]),
  intensity: Below(4),
  restarts: Schema.Tuple([Restart, Restart, Restart, Restart])
})

/** What has to happen, blow by blow, when nothing takes time. */
class Model {
  readonly alive = new Set(ids.map((_, i) => i))
  private deaths: Array<number> = []
  isOver = false
  private readonly setting: typeof Setting.Type

  constructor(setting: typeof Setting.Type) {
    this.setting = setting
  }

  private affectedBy(child: number): ReadonlyArray<number> {
    const { strategy } = this.setting
    const all = ids.map((_, i) => i)
    return strategy === "one_for_one" ? [child] : strategy === "one_for_all" ? all : all.slice(child)
  }

  /** The script of this death: `-` who goes, in order, then `+` who comes. */
  kill(now: number, child: number, ending: typeof Ending.Type): string {
    const { intensity, restarts } = this.setting
    this.alive.delete(child)
    const script = [`-${ids[child]}`]
    const stop = (who: ReadonlyArray<number>) => {
      for (const i of [...who].reverse()) if (this.alive.delete(i)) script.push(`-${ids[i]}`)
    }
    const isRestarted = restarts[child] === "permanent" || restarts[child] === "transient" && ending === "defect"
    if (!isRestarted) return script.join(" ")
    this.deaths.push(now)
    if (this.deaths.filter((at) => at >= now - period).length > intensity) {
      this.isOver = true
      stop(ids.map((_, i) => i))
      return script.join(" ")
    }
    const affected = this.affectedBy(child)
    stop(affected)
    for (const i of affected) {
      if (restarts[i] === "temporary") continue
      this.alive.add(i)
      script.push(`+${ids[i]}`)
    }
    return script.join(" ")
  }
}

const ends = { defect: Exit.die("killed"), success: Exit.void }

const cast = ({ restarts }: typeof Setting.Type) =>
  Object.fromEntries(ids.map((id, i) => [id, { restart: restarts[i]! }]))

const begin = (setting: typeof Setting.Type, backoff: Backoff.Backoff) =>
  play({ strategy: setting.strategy, intensity: setting.intensity, period, backoff }, cast(setting))

const isOver = ({ supervisor }: Play) =>
  Effect.map(Effect.timeoutOption(Effect.exit(supervisor.escalation), 0), (exit) => exit._tag === "Some")

describe("a supervisor", () => {
  it.effect.prop(
    "restarts exactly whom its strategy says, in order, and gives up at exactly one restart too many",
    [Setting, Blows],
    ([setting, blows]) =>
      Effect.scoped(Effect.gen(function*() {
        const scene = yield* begin(setting, Backoff.none)
        const model = new Model(setting)
        for (const { child, ending, gap } of blows) {
          yield* TestClock.adjust(gap)
          if (model.isOver || !model.alive.has(child)) continue
          const expected = model.kill(yield* Clock.currentTimeMillis, child, ending)
          yield* scene.stage.kill(ids[child]!, ends[ending])
          assert.strictEqual(scene.stage.read(), expected)
          assert.strictEqual(
            scene.supervisor.status().every(({ state }) => state === "stopped"),
            model.alive.size === 0
          )
        }
        yield* scene.close
        const left = [...model.alive].sort((a, b) => b - a).map((i) => `-${ids[i]}`).join(" ")
        assert.strictEqual(scene.stage.read(), left, "stopped in reverse")
      })),
    { arbitrary: { runs: 300 } }
  )

  it.effect.prop(
    "with backoff escalates at the same restart, and never restarts in a loop that takes no time",
    [Setting, Below(1_000_000)],
    ([{ intensity, strategy }, seed]) =>
      Effect.scoped(Effect.gen(function*() {
        const setting = { strategy, intensity, restarts: ["permanent", "permanent", "permanent", "permanent"] } as const
        const scene = yield* begin(setting, { first: 200, most: 1_000 })
        for (let death = 1; death <= intensity + 1; death++) {
          const died = yield* Clock.currentTimeMillis
          assert.isFalse(yield* isOver(scene))
          yield* scene.stage.kill("b")
          if (death > intensity) break
          while (scene.supervisor.status()[1]!.state !== "running") {
            yield* TestClock.adjust(50)
            yield* settled
          }
          const wait = (yield* Clock.currentTimeMillis) - died
          if (death === 1) assert.strictEqual(wait, 0)
          else assert.isAtLeast(wait, 100)
          assert.isAtMost(wait, 1_050)
        }
        assert.isTrue(yield* isOver(scene))
        yield* scene.close
      })).pipe(Random.withSeed(String(seed))),
    { arbitrary: { runs: 100 } }
  )
})
