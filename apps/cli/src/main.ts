/**
 * The process of `coppice`: signals in, exit code out.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { run } from "./Cli.ts"
import { exitCodes } from "./Failure.ts"
import * as NodeHost from "./NodeHost.ts"

const { host, notify } = NodeHost.make()
const fiber = Effect.runFork(run(process.argv.slice(2), host))

let seen = 0
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // Whatever hangs, the third signal ends it.
    if (++seen > 2) process.exit(exitCodes.interrupted)
    if (!notify(signal)) Effect.runFork(Fiber.interrupt(fiber))
  })
}

// `coppice ps | head` closes the pipe early: that is no mistake of anybody.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))
}

const exit = await Effect.runPromise(Fiber.await(fiber))
const code = exit._tag === "Success" ? exit.value : exitCodes.interrupted
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
