/**
 * Agents some of whose inputs end the whole process, for the tests of quarantine.
 */
import { Agent, Orchestrator, Step } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const ends: Record<string, () => void> = {
  exit: () => process.exit(1),
  sigkill: () => process.kill(process.pid, "SIGKILL")
}

const Work = Agent.make("work", {
  description: "Ends the process, or works for a while",
  input: Schema.String,
  output: Schema.String
})

const work = Work.toLayer(
  Effect.fn("work")(function*(input) {
    yield* Step.run("before", Effect.void)
    const end = ends[input]
    if (end !== undefined) return yield* Step.run("end", Effect.andThen(Effect.sync(end), Effect.never))
    yield* Step.run("long", Effect.sleep("3 seconds"))
    return input
  })
)

/** Ends the process in the handler itself, before anything else. */
const Rash = Agent.make("rash", { description: "Ends the process at once", input: Schema.Null, output: Schema.Null })
const rash = Rash.toLayer(() => Effect.sync(() => process.exit(1)))

export default Orchestrator.make({ agents: [work, rash], executor: { trial: "1 second" } })
