/**
 * Starts another program in this one's place: same terminal, same signals, and its exit code is this one's.
 *
 * Where the system can (not on Windows, not on old Nodes) the process itself becomes that program, so that nothing stands
 * between it and whoever sends signals.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { exitCodes, Failure } from "./Failure.ts"
import { Host } from "./Host.ts"

type Execve = (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) => never

/** How a child ended, as a shell would say it. */
const exitCode = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? (signal === null ? 1 : 128 + constants.signals[signal])

/** Runs a Node module with these arguments and returns its exit code. Never returns where the process is replaced. */
export const launch = Effect.fn("Launch.launch")(function*(
  module: string,
  args: ReadonlyArray<string>
): Effect.fn.Return<number, Failure, Host> {
  const { execve } = process as { readonly execve?: Execve }
  if (execve !== undefined && process.platform !== "win32") {
    return execve.call(process, process.execPath, [process.execPath, module, ...args], process.env)
  }
  const host = yield* Host
  return yield* Effect.scoped(Effect.gen(function*() {
    const signals = yield* host.signals
    const child = spawn(process.execPath, [module, ...args], { stdio: "inherit" })
    // A terminal sends its Ctrl-C to both; any other signal reached this process alone.
    const forward = Effect.forever(Effect.map(Queue.take(signals), (signal) => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal)
    }))
    yield* Effect.forkScoped(forward)
    return yield* Effect.callback<number, Failure>((resume) => {
      child.once(
        "error",
        ({ message }) =>
          resume(
            Effect.fail(new Failure({ exit: exitCodes.cannotStart, message: `Cannot start ${module}: ${message}` }))
          )
      )
      child.once("close", (code, signal) => resume(Effect.succeed(exitCode(code, signal))))
    })
  }))
})
