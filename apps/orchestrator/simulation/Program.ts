/**
 * Small random programs, as data: what the agents of the simulator run.
 */
import type { Dice } from "./Dice.ts"

export type Program =
  /**
   * An effect in the world, recorded. `model`: asks the model, which is slow. `calm`: cannot be interrupted. `care`: must
   * not run twice unseen, and the bank can be asked (`verify`) or not (`once`).
   */
  | {
    readonly t: "step"
    readonly n: number
    readonly model?: boolean
    readonly calm?: boolean
    readonly care?: "verify" | "once"
  }
  /** A call of an agent of this node, or of another. `exit`: the child may outlive its caller. */
  | {
    readonly t: "call"
    readonly x: Program
    readonly on?: string
    readonly exit?: "continue" | "adopt"
    /** Nobody waits for it. */
    readonly loose?: boolean
    readonly within?: number
  }
  /** A call of a foreign server's tool. */
  | {
    readonly t: "abroad"
    readonly tool: Tool
    readonly takes: number
    readonly asks?: boolean
    readonly fails?: boolean
    readonly stubborn?: boolean
    readonly within?: number
  }
  /** Some steps that are undone when what follows fails. `n`: its name. */
  | { readonly t: "saga"; readonly n: number; readonly x: Program }
  /** Waits for what somebody says, not for long. */
  | { readonly t: "listen"; readonly ms: number }
  | { readonly t: "sleep"; readonly ms: number }
  | { readonly t: "ask"; readonly n: number }
  | { readonly t: "fail"; readonly n: number }
  /** A defect of the first attempt that later ones do not have. `inside`: of the body of a step. */
  | { readonly t: "boom"; readonly inside?: boolean }
  | { readonly t: "progress" }
  /** Waits for something outside, unrecorded: a replay does it again. Alone, or replays would differ. */
  | { readonly t: "look" }
  | { readonly t: "seq"; readonly xs: ReadonlyArray<Program> }
  | { readonly t: "all"; readonly c: number; readonly xs: ReadonlyArray<Program> }
  | { readonly t: "race"; readonly xs: ReadonlyArray<Program> }
  | { readonly t: "timeout"; readonly ms: number; readonly x: Program }
  | { readonly t: "catch"; readonly x: Program; readonly y: Program }

/** Tools of the foreign server: a plain one, one whose calls become tasks, and one that may be called again. */
export const tools = ["plain", "job", "again"] as const
export type Tool = typeof tools[number]

/** What a program may call. */
export interface Reach {
  readonly nodes: ReadonlyArray<string>
  /** There is a foreign server. */
  readonly isAbroad: boolean
}

const leaves = [
  "step",
  "step",
  "step",
  "step",
  "sleep",
  "sleep",
  "ask",
  "ask",
  "fail",
  "boom",
  "progress",
  "listen"
] as const
const branches = [
  "seq",
  "seq",
  "call",
  "call",
  "call",
  "call",
  "all",
  "all",
  "race",
  "timeout",
  "saga",
  "catch",
  "catch"
] as const

/** Mostly short, now and then an hour. */
const millis = (dice: Dice): number => Math.round(5 * 10 ** (dice.next() * (dice.chance(0.1) ? 5.5 : 3)))

const leaf = (dice: Dice): Program => {
  const t = dice.pick(leaves)
  switch (t) {
    case "step":
      return {
        t,
        n: dice.below(4),
        ...dice.chance(0.2)
          ? { model: true }
          : dice.chance(0.35)
          ? { care: dice.pick(["verify", "verify", "once"]) }
          : {},
        ...dice.chance(0.2) ? { calm: true } : {}
      }
    case "ask":
    case "fail":
      return { t, n: dice.below(3) }
    case "sleep":
    case "listen":
      return { t, ms: millis(dice) }
    default:
      return { t }
  }
}

const abroad = (dice: Dice): Program => ({
  t: "abroad",
  tool: dice.pick(["plain", "plain", "job", "job", "again"]),
  takes: dice.chance(0.5) ? dice.below(20) : millis(dice),
  ...dice.chance(0.25) ? { asks: true } : {},
  ...dice.chance(0.15) ? { fails: true } : {},
  ...dice.chance(0.2) ? { stubborn: true } : {},
  ...dice.chance(0.15) ? { within: millis(dice) } : {}
})

/** An attempt that is lost while an effect of it cannot be stopped. */
const stubborn = (dice: Dice): Program => ({
  t: "all",
  c: 0,
  xs: [
    { t: "step", n: dice.below(4), ...dice.chance(0.7) ? { care: "verify" } : { model: true, calm: true } },
    { t: "seq", xs: [{ t: "sleep", ms: dice.below(20) }, { t: "boom", inside: true }] }
  ]
})

/** What a handler runs as a whole. */
export const whole = (dice: Dice, program: Program): Program =>
  dice.chance(0.1)
    ? { t: "seq", xs: [{ t: "look" }, program] }
    : dice.chance(0.06)
    ? { t: "seq", xs: [stubborn(dice), program] }
    : program

const call = (dice: Dice, x: Program, nodes: ReadonlyArray<string>): Program => ({
  t: "call",
  x: whole(dice, x),
  ...nodes.length > 0 && dice.chance(0.5) ? { on: dice.pick(nodes) } : {},
  ...dice.chance(0.25) ? { exit: dice.pick(["continue", "adopt", "adopt"]) } : {},
  ...dice.chance(0.15) ? { loose: true } : {},
  ...dice.chance(0.1) ? { within: millis(dice) } : {}
})

/** A program that may call what is within reach. */
export const generate = (dice: Dice, depth: number, reach: Reach): Program => {
  if (depth === 0 || dice.chance(0.1)) return reach.isAbroad && dice.chance(0.4) ? abroad(dice) : leaf(dice)
  const one = () => generate(dice, depth - 1, reach)
  const some = () => Array.from({ length: 2 + dice.below(2) }, one)
  const t = dice.pick(branches)
  switch (t) {
    case "seq":
    case "race":
      return { t, xs: some() }
    case "all":
      return { t, c: dice.below(3), xs: some() }
    case "call":
      return call(dice, one(), reach.nodes)
    case "timeout":
      return { t, ms: millis(dice), x: one() }
    case "saga":
      return { t, n: dice.below(1_000_000), x: one() }
    case "catch":
      return { t, x: one(), y: one() }
  }
}

const children = (program: Program): ReadonlyArray<Program> => [
  ..."xs" in program ? program.xs : [],
  ..."x" in program ? [program.x] : [],
  ..."y" in program ? [program.y] : []
]

/** Programs a little smaller than this one. */
export const simpler = (program: Program): ReadonlyArray<Program> => {
  const found: Array<Program> = [...children(program)]
  if ("xs" in program) {
    if (program.xs.length > 1) {
      for (const drop of program.xs.keys()) found.push({ ...program, xs: program.xs.toSpliced(drop, 1) })
    }
    program.xs.forEach((x, index) => {
      for (const smaller of simpler(x)) found.push({ ...program, xs: program.xs.with(index, smaller) })
    })
  }
  if ("x" in program) { for (const x of simpler(program.x)) found.push({ ...program, x }) }
  if ("y" in program) { for (const y of simpler(program.y)) found.push({ ...program, y }) }
  return found
}
