/**
 * A workflow that gives a part of its budget to an agent, which reserves what it may need and spends less.
 *
 * With `TEST_HOLD` the second of its steps begins and stays, so that whoever kills the process meets an open reservation.
 */
import { Agent, Budget, Orchestrator, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What the agent is given, reserves for a step, and uses in it. */
export const [given, most, used] = [40, 10, 4]

const Steps = Schema.Struct({ steps: Schema.Int })
const Spend = Agent.make("spend", { description: "Spends", input: Steps, output: Schema.Int })
const House = Workflow.make("house", { description: "Gives a part away", input: Schema.Null, output: Schema.Int })

const think = (n: number) => {
  const body = n === 1 && process.env["TEST_HOLD"] !== undefined ? Effect.never : Effect.succeed(used)
  return Budget.reserve({ tokens: most }, Step.run("think", { n }, body), (tokens) => ({ tokens }))
}

const sum = (values: ReadonlyArray<number>) => values.reduce((a, b) => a + b)

export default Orchestrator.make({
  agents: [
    Spend.toLayer(({ steps }) => Effect.map(Effect.forEach(Array.from({ length: steps }, (_, n) => n), think), sum)),
    House.toLayer(() => Effect.orDie(Spend.call({ steps: 3 }, { budget: { tokens: given } })))
  ]
})
