import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import {
  added,
  breaksNothing,
  goesOnFrom,
  keepsItsLog,
  leavesNothing,
  repeats,
  sleepsSafely,
  withoutEnd
} from "../support/Equivalence.ts"
import { after, fromTheStart, type Life, type World } from "../support/Lives.ts"
import { generate, isConfluent, type Program, shrink, sizeOf } from "../support/Program.ts"
import { dice } from "../support/Seed.ts"

const seeds = Number(process.env["COPPICE_REPLAY_SEEDS"] ?? 40)
const first = Number(process.env["COPPICE_REPLAY_SEED"] ?? 1)
const mostCuts = Number(process.env["COPPICE_REPLAY_CUTS"] ?? 12)

const sound = (life: Life): void => {
  breaksNothing(life)
  repeats(life)
  keepsItsLog(life)
  sleepsSafely(life)
  leavesNothing(life)
}

/** Every cut, or an even selection of them. */
const cuts = (life: Life): ReadonlyArray<number> => {
  const all = life.batches.length - 1
  const step = Math.max(1, all / mostCuts)
  return Array.from({ length: Math.min(all, mostCuts) }, (_, i) => 1 + Math.floor(i * step))
}

const check = Effect.fnUntraced(function*(program: Program, world: World) {
  const whole = yield* fromTheStart(program, world)
  sound(whole)
  for (const cut of cuts(whole)) {
    const before = whole.batches.slice(0, cut)
    const later = yield* after(before, { ...world, timing: `${world.timing}/${cut}` })
    sound(later)
    goesOnFrom(whole, before, later)
    if (!world.faults && isConfluent(program)) assert.deepStrictEqual(later.ending, whole.ending)
  }
  const before = withoutEnd(whole)
  const again = yield* after(before, { ...world, evict: false, timing: `${world.timing}/again` })
  assert.deepStrictEqual(again.ending, whole.ending)
  assert.deepStrictEqual(again.bodies, [], "bodies of a whole replay")
  assert.deepStrictEqual([...added(before, again).values()], [["Started", whole.ending._tag]])
})

const story = (seed: number): readonly [Program, World] => {
  const d = dice(`program/${seed}`)
  const confluent = seed % 3 === 0
  const world = { seed: `${seed}`, timing: `${seed}`, faults: !confluent && d.chance(0.7), evict: d.chance(0.5) }
  return [generate(d, 3 + d.below(2), confluent), world]
}

const fails = (program: Program, world: World) =>
  Effect.map(Effect.exit(check(program, world)), (exit) => Exit.isFailure(exit) ? exit.cause : undefined)

/** The smallest program of its kind that still fails. */
const smallest = Effect.fnUntraced(function*(program: Program, world: World, cause: Cause.Cause<unknown>) {
  let best = { program, cause }
  for (let budget = 150; budget > 0;) {
    let smaller: typeof best | undefined
    for (const candidate of shrink(best.program).toSorted((a, b) => sizeOf(a) - sizeOf(b))) {
      if (budget-- === 0) break
      const found = yield* fails(candidate, world)
      if (found === undefined) continue
      smaller = { program: candidate, cause: found }
      break
    }
    if (smaller === undefined) break
    best = smaller
  }
  return best
})

const describeCause = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const { actual, expected } = error as { readonly actual?: unknown; readonly expected?: unknown }
  return `${Cause.pretty(cause).split("\n").slice(0, 4).join("\n")}\n${JSON.stringify({ expected, actual }, null, 1)}`
}

describe("a replay", () => {
  it.effect(`decides as the live run did (${seeds} programs)`, () =>
    Effect.gen(function*() {
      for (let seed = first; seed < first + seeds; seed++) {
        const [program, world] = story(seed)
        const cause = yield* fails(program, world)
        if (cause === undefined) continue
        const found = yield* smallest(program, world, cause)
        assert.fail(
          `COPPICE_REPLAY_SEED=${seed}, ${JSON.stringify(world)}\n${JSON.stringify(found.program)}\n${describeCause(found.cause)}`
        )
      }
    }), 600_000)
})
