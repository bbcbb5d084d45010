/**
 * A real service in a process of its own, over memory, with the agents of `coppice.config.ts`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { TestHost } from "./TestHost.ts"

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A folder that goes with the scope. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "coppice-cli-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const main = at("../../../orchestrator/src/main.ts")
const config = at("./coppice.config.ts")

const start = (data: string) => {
  const args = [main, "--port", "0", "--store", "memory:", "--data", data, "--config", config]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
  return Effect.as(
    Effect.callback<void>((resume) => {
      let said = ""
      const read = (chunk: Buffer) => {
        said += String(chunk)
        if (said.includes("Ready at")) resume(Effect.void)
      }
      child.stdout.on("data", read)
      child.stderr.on("data", read)
      child.once("exit", (code) => resume(Effect.die(new Error(`the service ended with ${code}: ${said}`))))
    }),
    child
  )
}

export class Orchestrator extends Context.Service<Orchestrator, {
  readonly data: string
  /** The file with its agents. */
  readonly config: string
  /** A host in the service's folder. */
  readonly host: (options?: ConstructorParameters<typeof TestHost>[0]) => TestHost
}>()("@coppice/cli/test/Orchestrator") {
  static readonly layer = Layer.effect(
    Orchestrator,
    Effect.gen(function*() {
      const cwd = yield* folder
      const data = join(cwd, ".coppice")
      yield* Effect.acquireRelease(start(data), (child) =>
        Effect.promise(async () => {
          const ended = once(child, "exit")
          child.kill("SIGTERM")
          await ended
        }))
      return { config, data, host: (options) => new TestHost({ cwd, ...options }) }
    })
  )
}
