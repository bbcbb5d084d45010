/**
 * Small random programs, as data: what agents of the replay tests run.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import type { CallError } from "../../src/AgentError.ts"
import * as Durable from "../../src/Durable.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { executionOf, TaskContext } from "../../src/TaskContext.ts"
import type { Dice } from "./Seed.ts"

export type Program =
  | { readonly t: "step"; readonly n: number }
  /** `free`: the child may outlive its caller. */
  | { readonly t: "call"; readonly x: Program; readonly free?: boolean }
  | { readonly t: "nobody" }
  | { readonly t: "sleep"; readonly ms: number }
  | { readonly t: "ask"; readonly n: number }
  | { readonly t: "chance" }
  | { readonly t: "fail"; readonly n: number }
  /** A defect of the first attempt that later ones do not have. */
  | { readonly t: "boom" }
  | { readonly t: "seq"; readonly xs: ReadonlyArray<Program> }
  | { readonly t: "all"; readonly c: number; readonly xs: ReadonlyArray<Program> }
  | { readonly t: "each"; readonly c: number; readonly n: number; readonly x: Program }
  | { readonly t: "race"; readonly xs: ReadonlyArray<Program> }
  | { readonly t: "timeout"; readonly ms: number; readonly x: Program }
  | { readonly t: "retry"; readonly n: number; readonly x: Program }
  | { readonly t: "catch"; readonly x: Program; readonly y: Program }
  | { readonly t: "ensure"; readonly x: Program; readonly y: Program }
  | { readonly t: "calm"; readonly x: Program }
  | { readonly t: "fork"; readonly x: Program }

export const isConfluent = (program: Program): boolean => {
  if (["race", "timeout", "fork", "fail", "nobody", "chance"].includes(program.t)) return false
  return children(program).every(isConfluent)
}

const children = (program: Program): ReadonlyArray<Program> => [
  ..."xs" in program ? program.xs : [],
  ..."x" in program ? [program.x] : [],
  ..."y" in program ? [program.y] : []
]

/** Without what it does while it unwinds: a defect that goes away leaves steps that nobody asks for any more. */
export const withoutUnwinding = (program: Program): Program => {
  let inner = program
  while (inner.t === "ensure" || inner.t === "calm") inner = inner.x
  return {
    ...inner,
    ..."xs" in inner ? { xs: inner.xs.map(withoutUnwinding) } : {},
    ..."x" in inner ? { x: withoutUnwinding(inner.x) } : {},
    ..."y" in inner ? { y: withoutUnwinding(inner.y) } : {}
  }
}

export const sizeOf = (program: Program): number => children(program).reduce((sum, child) => sum + sizeOf(child), 1)

// ---------------------------------------------------------------- making

const leaves = ["step", "step", "step", "sleep", "ask", "chance", "fail", "nobody", "boom"] as const
const branches = [
  "seq",
  "seq",
  "seq",
  "call",
  "call",
  "call",
  "all",
  "all",
  "each",
  "each",
  "race",
  "race",
  "timeout",
  "retry",
  "catch",
  "ensure",
  "calm",
  "fork"
] as const

const many = (dice: Dice, depth: number, confluent: boolean): ReadonlyArray<Program> =>
  Array.from({ length: 2 + dice.below(2) }, () => generate(dice, depth - 1, confluent))

const leaf = (dice: Dice, confluent: boolean): Program => {
  const t = dice.pick(leaves)
  switch (t) {
    case "step":
    case "ask":
      return { t, n: dice.below(3) }
    case "sleep":
      return { t, ms: 5 * (1 + dice.below(6)) }
    default:
      if (confluent && t !== "boom") return { t: "step", n: dice.below(3) }
      return t === "fail" ? { t, n: dice.below(2) } : { t }
  }
}

const branch = (dice: Dice, depth: number, confluent: boolean): Program => {
  const one = () => generate(dice, depth - 1, confluent)
  const t = dice.pick(branches)
  switch (t) {
    case "seq":
      return { t, xs: many(dice, depth, confluent) }
    case "all":
      return { t, c: dice.below(3), xs: many(dice, depth, confluent) }
    case "each":
      return { t, c: dice.below(3), n: 2 + dice.below(2), x: one() }
    case "call":
      return !confluent && dice.chance(0.15) ? { t, x: one(), free: true } : { t, x: one() }
    case "calm":
      return { t, x: one() }
    case "catch":
    case "ensure":
      return { t, x: one(), y: one() }
    case "retry":
      return { t, n: 1 + dice.below(2), x: one() }
    default:
      if (confluent) return { t: "call", x: one() }
      if (t === "race") return { t, xs: many(dice, depth, confluent) }
      return t === "fork" ? { t, x: one() } : { t, ms: 5 * (1 + dice.below(8)), x: one() }
  }
}

/** `confluent`: its result does not depend on what happens first. */
export const generate = (dice: Dice, depth: number, confluent: boolean): Program =>
  depth === 0 || dice.chance(0.15) ? leaf(dice, confluent) : branch(dice, depth, confluent)

const without = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.length < 2 ? [] : items.map((_, index) => items.filter((_, other) => other !== index))

/** Programs a little smaller than this one. */
export const shrink = (program: Program): ReadonlyArray<Program> => {
  const inner: Array<Program> = [...children(program)]
  if ("xs" in program) {
    for (const xs of without(program.xs)) inner.push({ ...program, xs })
    program.xs.forEach((x, index) => {
      for (const smaller of shrink(x)) inner.push({ ...program, xs: program.xs.with(index, smaller) })
    })
  }
  if ("x" in program) { for (const x of shrink(program.x)) inner.push({ ...program, x }) }
  if ("y" in program) { for (const y of shrink(program.y)) inner.push({ ...program, y }) }
  return inner
}

// ---------------------------------------------------------------- running

/** What the world outside does, and where decisions are noted. */
export interface Environment {
  readonly body: (key: string) => Effect.Effect<number, string>
  readonly note: (task: typeof TaskContext.Service, text: string) => void
  readonly booms: boolean
}

const Prog = Agent.make("prog", {
  description: "Runs a program",
  input: Schema.Json,
  output: Schema.Json,
  error: Schema.String,
  attempts: 20,
  concurrency: 2
})

const Nobody = Agent.make("nobody", { description: "Is not there", input: Schema.Finite, output: Schema.Finite })

const Form = Schema.Struct({ ok: Schema.Finite })

const failureOf = (error: string | CallError): string =>
  typeof error === "string" ? error : `${error.reason._tag}: ${error.reason.detail}`

type Run = Effect.Effect<Schema.Json, string, TaskContext>

const concurrency = (c: number) => c === 0 ? "unbounded" as const : c

const interpreter = (env: Environment) => {
  const note = (text: string) => Effect.map(TaskContext, (task) => env.note(task, text))

  const go = (program: Program, path: string): Run => {
    switch (program.t) {
      case "step":
        return Step.run(`s${program.n}`, program.n, Effect.flatMap(Step.idempotencyKey, env.body))
      case "call":
        return Effect.mapError(
          Prog.call(program.x as never, { onParentExit: program.free === true ? "continue" : "stop" }),
          failureOf
        )
      case "nobody":
        return Effect.mapError(Nobody.call(1), failureOf)
      case "sleep":
        return Effect.as(Durable.sleep(program.ms), program.ms)
      case "ask":
        return Human.ask({ message: `q${program.n}`, form: Form }).pipe(
          Effect.map(({ ok }) => ok),
          Effect.catch(({ action }) => Effect.succeed(action))
        )
      case "chance":
        return Effect.all([Durable.random, Durable.uuid])
      case "fail":
        return Effect.fail(`f${program.n}`)
      case "boom":
        return Effect.flatMap(
          TaskContext,
          ({ attempt }) => env.booms && attempt === 1 ? Effect.die("boom") : Effect.succeed("calm")
        )
      case "seq":
        return Effect.forEach(program.xs, (x, i) => visit(x, `${path}.${i}`))
      case "all":
        return Effect.all(program.xs.map((x, i) => visit(x, `${path}.${i}`)), { concurrency: concurrency(program.c) })
      case "each":
        return Effect.forEach(Array.from({ length: program.n }), (_, i) => visit(program.x, `${path}#${i}`), {
          concurrency: concurrency(program.c)
        })
      case "race":
        return Effect.raceAll(program.xs.map((x, i) => visit(x, `${path}.${i}`)))
      case "timeout":
        return visit(program.x, `${path}t`).pipe(
          Effect.timeout(program.ms),
          Effect.catchTag("TimeoutError", () => Effect.fail("timeout"))
        )
      case "retry":
        return Effect.retry(visit(program.x, `${path}r`), { times: program.n, schedule: Schedule.spaced("5 millis") })
      case "catch":
        return Effect.catch(visit(program.x, `${path}c`), () => visit(program.y, `${path}h`))
      case "ensure":
        return Effect.ensuring(visit(program.x, `${path}e`), Effect.ignore(visit(program.y, `${path}f`)))
      case "calm":
        return Effect.uninterruptible(visit(program.x, `${path}u`))
      case "fork":
        return Effect.as(Effect.forkDetach(visit(program.x, `${path}d`)), null)
    }
  }

  const visit = (program: Program, path: string): Run =>
    Effect.andThen(
      note(`${path} ${program.t}?`),
      Effect.onExit(go(program, path), (exit) => note(`${path} ${program.t} ${outcome(exit)}`))
    )
  return (program: Program) => visit(program, "")
}

const outcome = (exit: Exit.Exit<Schema.Json, string>): string => {
  if (Exit.isSuccess(exit)) return JSON.stringify(exit.value)
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  return failed === undefined ? Cause.hasDies(exit.cause) ? "died" : "interrupted" : failed.error
}

export const live = (env: Environment) => {
  const interpret = interpreter(env)
  return Prog.toLayer((program) => interpret(program as never))
}

/** What a handler's code has seen and done, each with the last fact it knew. */
export interface Note {
  readonly seq: number
  readonly text: string
}

/** The notes of every execution, in the order in which executions began. */
export const notebook = () => {
  const pages = new Map<object, { readonly task: string; readonly notes: Array<Note> }>()
  const note = (task: typeof TaskContext.Service, text: string): void => {
    const execution = executionOf(task)!
    if (execution.isUnwinding) return
    const page = pages.get(execution) ?? { task: task.id, notes: [] }
    pages.set(execution, page)
    page.notes.push({ seq: execution.lastDelivered, text })
  }
  return { note, pages: () => [...pages.values()] }
}
