/**
 * Agents that run programs: one of each node, and the others' as remote agents.
 */
import {
  Agent,
  Budget,
  type CallError,
  Durable,
  Human,
  type Orchestrator,
  OutcomeUnknown,
  Saga,
  Steering,
  Step,
  TaskContext
} from "coppice"
import type { ForeignServer, ForeignTool, Service, ServiceError, Work } from "coppice/Simulation"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { Dice } from "./Dice.ts"
import type { Program, Tool } from "./Program.ts"

/** What the programs of a node reach. */
export interface Surroundings {
  readonly bank: Service
  readonly model: Service
  /** Other nodes by name. */
  readonly remotes: ReadonlyMap<string, Remote>
  /** Tools of the foreign server by name. */
  readonly foreign?: ReadonlyMap<string, Foreign> | undefined
}

const Input = Schema.Struct({ program: Schema.Json })
const Output = Schema.Struct({ value: Schema.Json })

/** The tool `prog` of another node, called as `prog-<node>` here. */
export const remote = (node: string) =>
  Agent.remote(`prog-${node}`, { tool: "prog", input: Input, output: Output, attempts: 20 })

type Remote = ReturnType<typeof remote>

const Errand = Schema.Struct({
  takes: Schema.Finite,
  asks: Schema.optionalKey(Schema.Boolean),
  fails: Schema.optionalKey(Schema.Boolean),
  stubborn: Schema.optionalKey(Schema.Boolean)
})

/** A tool of the foreign server, called as `abroad-<tool>` here. */
export const foreign = (tool: Tool) =>
  Agent.remote(`abroad-${tool}`, {
    tool,
    input: Errand,
    output: Schema.Struct({ run: Schema.Finite }),
    idempotent: tool === "again",
    attempts: 20
  })

type Foreign = ReturnType<typeof foreign>

/** The foreign server: what a call of it says is done. */
export const foreignServer = (dice: Dice): ForeignServer => {
  const does: ForeignTool["does"] = ({ asks, ...work }) => ({
    ...work as Pick<Work, "takes">,
    ...asks === true ? { asks: `May it take ${JSON.stringify(work["takes"])} ms?` } : {}
  })
  return {
    generation: dice.pick(["2025-11-25", "2026-07-28"]),
    cancels: dice.chance(0.85),
    tools: { plain: { does }, job: { does, isTask: true }, again: { does, idempotent: true } }
  }
}

const Form = Schema.Struct({ ok: Schema.Boolean })

type Run = Effect.Effect<Schema.Json, string, TaskContext>

const failureOf = (error: string | CallError | { readonly message: string }): string =>
  typeof error === "string" ? error : "reason" in error ? error.reason._tag : "RemoteFailure"

/** Reserves the most it can use, and gives back what it did not. */
const paid = (step: Run, used: number): Run =>
  Effect.mapError(
    Budget.reserve({ tokens: 10 }, step, () => ({ tokens: used })),
    (error) => typeof error === "string" ? error : error._tag
  )

/** A model that is busy is asked again when it says so. */
const patiently = (call: Effect.Effect<Schema.Json, ServiceError>) =>
  Effect.retry(call, { schedule: Schedule.exponential("100 millis"), times: 5 })

/** How an agent is run. `intensity`: defects within 30 seconds that its server survives. */
export interface Serving {
  readonly concurrency: number
  readonly intensity: number | undefined
}

const boom = (isInside: boolean): Run =>
  Effect.flatMap(TaskContext, ({ attempt }) => {
    const body = attempt === 1 ? Effect.die("boom") : Effect.succeed("calm")
    return isInside ? Step.run("boom", 0, body) : body
  })

/** Calls a tool of the foreign server. */
const abroadOf = (foreign: Surroundings["foreign"]) => (program: Extract<Program, { readonly t: "abroad" }>): Run => {
  const { tool, within, takes, asks, fails, stubborn } = program
  const agent = foreign?.get(tool)
  if (agent === undefined) return Effect.fail("nobody")
  const errand = {
    takes,
    ...asks === true ? { asks } : {},
    ...fails === true ? { fails } : {},
    ...stubborn === true ? { stubborn } : {}
  }
  return Effect.mapBoth(agent.call(errand, { deadline: within }), {
    onSuccess: () => "done",
    onFailure: (error) => failureOf(error as CallError)
  })
}

/** What programs do with the world outside. */
const effectsOf = ({ bank, foreign, model }: Surroundings) => {
  /** The bank can tell whether it was paid, or nobody asks it. */
  const careOf = (care: "verify" | "once") =>
    care === "once" ? { atMostOnce: true } as const : { verify: Effect.flatMap(Step.idempotencyKey, bank.look) }

  const step = ({ calm, care, model: isModel, n }: Extract<Program, { readonly t: "step" }>): Run => {
    const effect = isModel === true ? patiently(model.call({ ask: n })) : bank.call({ pay: n })
    const body = Effect.mapError(effect, ({ reason }): string => reason)
    const whole = calm === true ? Effect.uninterruptible(body) : body
    if (care !== undefined) {
      return Effect.mapError(
        Step.run(`c${n}`, n, whole, careOf(care)),
        (error) => error instanceof OutcomeUnknown ? "outcome unknown" : error
      )
    }
    const step = Step.run(`s${n}`, n, whole)
    return isModel === true ? paid(step, n) : step
  }

  /** Books two things; both are given back when what follows fails. */
  const saga = (n: number, rest: Run): Run => {
    const book = (part: number) =>
      Saga.step("book", [n, part], Effect.mapError(bank.call({ saga: n, part }), ({ reason }): string => reason), {
        compensate: () => bank.call({ saga: n, undo: part })
      })
    const whole = Effect.flatMap(Effect.andThen(book(0), book(1)), () => rest)
    return Saga.run(whole).pipe(
      Effect.map((value) => ({ kept: n, value })),
      Effect.mapError((error) => `saga-${n}: ${error}`)
    )
  }

  /** What was heard is recorded, so that it shows that nobody hears it twice. */
  const listen = (ms: number): Run =>
    Effect.flatMap(Effect.timeoutOption(Steering.next, ms), (heard) =>
      Option.isNone(heard)
        ? Effect.succeed(null)
        : Step.run("heard", heard.value.message, Effect.succeed(heard.value.message)))

  const look = Effect.as(Effect.ignore(bank.call({ look: 0 })), null)

  return { step, saga, listen, look, abroad: abroadOf(foreign) }
}

export const live = (
  { concurrency, intensity }: Serving,
  surroundings: Surroundings
): Orchestrator.AgentLayer => {
  const { abroad, listen, look, saga, step } = effectsOf(surroundings)
  const Prog = Agent.make("prog", {
    description: "Runs a program",
    input: Input,
    output: Output,
    error: Schema.String,
    attempts: 20,
    concurrency
  })

  const call = ({ exit, loose, on, within, x }: Extract<Program, { readonly t: "call" }>): Run => {
    const agent = on === undefined ? undefined : surroundings.remotes.get(on)
    const options = { onParentExit: exit ?? "stop", deadline: within } as const
    const input = { program: x as unknown as Schema.Json }
    const called: Effect.Effect<{ readonly value: Schema.Json }, unknown, TaskContext> = agent === undefined
      ? Prog.call(input, options)
      : agent.call(input, options)
    if (loose === true) return Effect.as(Effect.forkDetach(called), "loose")
    return Effect.mapBoth(called, {
      onSuccess: ({ value }) => value,
      onFailure: (error) => failureOf(error as CallError)
    })
  }

  const run = (program: Program): Run => {
    switch (program.t) {
      case "step":
        return step(program)
      case "saga":
        return saga(program.n, run(program.x))
      case "listen":
        return listen(program.ms)
      case "call":
        return call(program)
      case "abroad":
        return abroad(program)
      case "sleep":
        return Effect.as(Durable.sleep(program.ms), program.ms)
      case "ask":
        return Human.ask({ message: `q${program.n}`, form: Form }).pipe(
          Effect.map(({ ok }): Schema.Json => ok),
          Effect.catch(({ action }) => Effect.succeed(action))
        )
      case "fail":
        return Effect.fail(`f${program.n}`)
      case "boom":
        return boom(program.inside === true)
      case "progress":
        return Effect.as(Durable.progress({ progress: 1, total: 2 }), null)
      case "look":
        return look
      case "seq":
        return Effect.forEach(program.xs, run)
      case "all":
        return Effect.forEach(program.xs, run, { concurrency: program.c === 0 ? "unbounded" : program.c })
      case "race":
        return Effect.raceAll(program.xs.map(run))
      case "timeout":
        return run(program.x).pipe(
          Effect.timeout(program.ms),
          Effect.catchTag("TimeoutError", () => Effect.fail("timeout"))
        )
      case "catch":
        return Effect.catch(run(program.x), () => run(program.y))
    }
  }
  return Prog.toLayer(({ program }) => Effect.map(run(program as never), (value) => ({ value })), { intensity })
}
