/**
 * Agents that run programs: one of each node, and the others' as remote agents.
 */
import { Agent, Budget, type CallError, Durable, Human, type Orchestrator, Step, TaskContext } from "coppice"
import type { Service, ServiceError } from "coppice/Simulation"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { Program } from "./Program.ts"

/** What the programs of a node reach. */
export interface Surroundings {
  readonly bank: Service
  readonly model: Service
  /** Other nodes by name. */
  readonly remotes: ReadonlyMap<string, Remote>
}

const Input = Schema.Struct({ program: Schema.Json })
const Output = Schema.Struct({ value: Schema.Json })

/** The tool `prog` of another node, called as `prog-<node>` here. */
export const remote = (node: string) =>
  Agent.remote(`prog-${node}`, { tool: "prog", input: Input, output: Output, attempts: 20 })

type Remote = ReturnType<typeof remote>

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

export const live = (
  { concurrency, intensity }: Serving,
  { bank, model, remotes }: Surroundings
): Orchestrator.AgentLayer => {
  const Prog = Agent.make("prog", {
    description: "Runs a program",
    input: Input,
    output: Output,
    error: Schema.String,
    attempts: 20,
    concurrency
  })

  const call = ({ free, on, within, x }: Extract<Program, { readonly t: "call" }>): Run => {
    const agent = on === undefined ? undefined : remotes.get(on)
    const options = { onParentExit: free === true ? "continue" : "stop", deadline: within } as const
    const input = { program: x as unknown as Schema.Json }
    const called: Effect.Effect<{ readonly value: Schema.Json }, unknown, TaskContext> = agent === undefined
      ? Prog.call(input, options)
      : agent.call(input, options)
    return Effect.mapBoth(called, {
      onSuccess: ({ value }) => value,
      onFailure: (error) => failureOf(error as CallError)
    })
  }

  const run = (program: Program): Run => {
    switch (program.t) {
      case "step": {
        const effect = program.model === true
          ? patiently(model.call({ ask: program.n }))
          : bank.call({ pay: program.n })
        const body = Effect.mapError(effect, ({ reason }): string => reason)
        const step = Step.run(`s${program.n}`, program.n, program.calm === true ? Effect.uninterruptible(body) : body)
        return program.model === true ? paid(step, program.n) : step
      }
      case "call":
        return call(program)
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
        return Effect.flatMap(TaskContext, ({ attempt }) => attempt === 1 ? Effect.die("boom") : Effect.succeed("calm"))
      case "progress":
        return Effect.as(Durable.progress({ progress: 1, total: 2 }), null)
      case "look":
        return Effect.as(Effect.ignore(bank.call({ look: 0 })), null)
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
