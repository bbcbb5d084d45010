/**
 * The agents the wire is measured with, and two that tell of the process they run in.
 */
import { Agent, Orchestrator } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { heap, machineTime } from "../Meter.ts"

const nothing = Schema.Struct({})

const clock = Effect.sync(machineTime)

const Echo = Agent.make("echo", { description: "", input: nothing, output: Schema.Finite, task: "never" })
const Task = Agent.make("task", { description: "", input: nothing, output: Schema.Finite, task: "always" })
/** Works for 20 ms and returns when it was done. */
const Nap = Agent.make("nap", { description: "", input: nothing, output: Schema.Finite, task: "always" })
const Hold = Agent.make("hold", {
  description: "",
  input: nothing,
  output: Schema.Void,
  task: "always",
  concurrency: 20_000
})
const Process = Agent.make("process", {
  description: "",
  input: nothing,
  output: Schema.Struct({ heap: Schema.Finite, p99: Schema.Finite, max: Schema.Finite }),
  task: "never"
})

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()

/** Bytes reachable, and how late the event loop was since the last question, milliseconds. */
const look = Effect.sync(() => {
  const [p99, max] = [delay.percentile(99) / 1e6, delay.max / 1e6]
  const bytes = heap()
  delay.reset()
  return { heap: bytes, p99, max }
})

export default Orchestrator.make({
  agents: [
    Echo.toLayer(() => Effect.succeed(1)),
    Task.toLayer(() => Effect.succeed(1)),
    Nap.toLayer(() => Effect.andThen(Effect.sleep("20 millis"), clock)),
    Hold.toLayer(() => Effect.never),
    Process.toLayer(() => look)
  ],
  executor: { maxIdle: 20_000 }
})
