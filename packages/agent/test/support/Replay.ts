/**
 * The property of the replay tests: a run may be put down after any commit, and goes on as if it had not been.
 */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import {
  added,
  breaksNothing,
  countsItsAttempts,
  goesOnFrom,
  keepsItsLog,
  leavesNothing,
  repeats,
  sleepsSafely,
  withoutEnd
} from "./Equivalence.ts"
import { after, fromTheStart, type Life, type World } from "./Lives.ts"
import { generate, isConfluent, type Program, shrink, sizeOf, withoutUnwinding } from "./Program.ts"
import { dice } from "./Seed.ts"

/** How deep programs are nested: one level more makes them several times as long. */
const depth = Number(process.env["COPPICE_REPLAY_DEPTH"] ?? 3)

const sound = (life: Life): void => {
  breaksNothing(life)
  repeats(life)
  keepsItsLog(life)
  countsItsAttempts(life)
  sleepsSafely(life)
  leavesNothing(life)
}

/** Every cut, or an even selection of them. */
const cuts = (life: Life, most: number): ReadonlyArray<number> => {
  const all = life.batches.length - 1
  const step = Math.max(1, all / most)
  return Array.from({ length: Math.min(all, most) }, (_, i) => 1 + Math.floor(i * step))
}

/** What has to hold of a life that goes on from a part of another, and of one that goes on from a part of that one. */
const goesOn = Effect.fnUntraced(function*(program: Program, world: World, from: { life: Life; cut: number }) {
  let { cut, life } = from
  for (let generation = 0; generation < 2; generation++) {
    const before = life.batches.slice(0, cut)
    const timing = `${world.timing}/${cut}`
    const later = yield* after(before, { ...world, timing })
    sound(later)
    goesOnFrom(life, before, later)
    if (!world.faults && !world.cancel && isConfluent(program)) assert.deepStrictEqual(later.ending, life.ending)
    if (later.batches.length - cut < 2) return
    life = later
    cut += 1 + dice(timing).below(later.batches.length - cut - 1)
  }
})

const check = Effect.fnUntraced(function*(program: Program, world: World, most: number) {
  const whole = yield* fromTheStart(program, world)
  sound(whole)
  for (const cut of cuts(whole, most)) yield* goesOn(program, world, { life: whole, cut })
  if (whole.ending._tag === "Cancelled") return
  const before = withoutEnd(whole)
  const again = yield* after(before, { ...world, evict: false, cancel: false, timing: `${world.timing}/again` })
  assert.deepStrictEqual(again.ending, whole.ending)
  assert.deepStrictEqual(again.bodies, [], "bodies of a whole replay")
  assert.deepStrictEqual([...added(before, again).values()], [["Started", whole.ending._tag]])
})

export const story = (seed: number): readonly [Program, World] => {
  const d = dice(`program/${seed}`)
  const confluent = seed % 3 === 0
  const world = {
    seed: `${seed}`,
    timing: `${seed}`,
    faults: !confluent && d.chance(0.7),
    booms: confluent && d.chance(0.5),
    evict: d.chance(0.5),
    slow: d.chance(0.3),
    cancel: d.chance(0.15)
  }
  const program = generate(d, depth + d.below(2), confluent)
  return [world.booms ? withoutUnwinding(program) : program, world]
}

/** Why it fails, if it does. `most`: in how many places it is cut. */
export const fails = (program: Program, world: World, most: number) =>
  Effect.map(Effect.exit(check(program, world, most)), (exit) => Exit.isFailure(exit) ? exit.cause : undefined)

/** The smallest program of its kind that still fails. */
const smallest = Effect.fnUntraced(function*(
  program: Program,
  world: World,
  { cause, most }: { readonly cause: Cause.Cause<unknown>; readonly most: number }
) {
  let best = { program, cause }
  for (let budget = 150; budget > 0;) {
    let smaller: typeof best | undefined
    for (const candidate of shrink(best.program).toSorted((a, b) => sizeOf(a) - sizeOf(b))) {
      if (budget-- === 0) break
      const found = yield* fails(candidate, world, most)
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

/** What to tell of a program that fails: the smallest one like it, and how to run it again. */
export const report = Effect.fnUntraced(function*(seed: number, most: number, cause: Cause.Cause<unknown>) {
  const [program, world] = story(seed)
  const found = yield* smallest(program, world, { cause, most })
  return `COPPICE_REPLAY_SEED=${seed}, ${JSON.stringify(world)}\n${JSON.stringify(found.program)}\n${
    describeCause(found.cause)
  }`
})
