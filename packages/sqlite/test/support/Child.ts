/**
 * A program of `programs/` in a process of its own, killed with its scope.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** The path of a program. */
export const programPath = (name: string): string => fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))

/** Starts a program; its lines of output are what the test waits for. */
export const start = Effect.fnUntraced(function*(name: string, args: ReadonlyArray<string>) {
  const lines = yield* Queue.unbounded<string>()
  const ended = yield* Deferred.make<void>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [programPath(name), ...args], { stdio: ["pipe", "pipe", "inherit"] })),
    (child) => Effect.andThen(Effect.sync(() => child.kill("SIGKILL")), Deferred.await(ended))
  )
  createInterface({ input: child.stdout }).on("line", (line) => Queue.offerUnsafe(lines, line))
  child.on("exit", () => Deferred.doneUnsafe(ended, Effect.void))
  return {
    pid: child.pid,
    line: Queue.take(lines),
    say: (line: string) => Effect.sync(() => child.stdin.write(`${line}\n`)),
    kill: (signal: NodeJS.Signals) => Effect.andThen(Effect.sync(() => child.kill(signal)), Deferred.await(ended))
  }
})
