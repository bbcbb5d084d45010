/**
 * Processes of their own: every case runs in one, and some cases need more.
 *
 * A child gets its job as arguments, sends one message back, and is killed: nothing it did may depend on a clean end.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("main.ts", import.meta.url))

/** The first argument of a child of ours. */
export const helperFlag = "--helper"

/** Runs a job of `main.ts` in a fresh process and succeeds with what it says; dies when it ends without a word. */
export const helper = <A>(job: string, args: ReadonlyArray<string>): Effect.Effect<A> =>
  Effect.callback<A>((resume) => {
    const child = spawn(process.execPath, [main, helperFlag, job, ...args], {
      stdio: ["ignore", "ignore", "inherit", "ipc"]
    })
    let said: { readonly message: A } | undefined
    child.once("message", (message) => {
      said = { message: message as A }
      child.kill("SIGKILL")
    })
    child.once("exit", (code, signal) => {
      const ended = () => new Error(`the process of ${job} ended with ${signal ?? code} before it had a result`)
      resume(said === undefined ? Effect.die(ended()) : Effect.succeed(said.message))
    })
    return Effect.sync(() => {
      child.kill("SIGKILL")
    })
  })

/** In such a process: says the one thing, and stays as it is until it is killed. */
export const tell = (message: unknown): Effect.Effect<never> =>
  Effect.suspend(() => {
    process.send!(message)
    return Effect.never
  })
