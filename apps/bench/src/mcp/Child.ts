/**
 * The two servers of the wire's cases, each a process of its own that ends with its scope.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Settings } from "../Bed.ts"

/** Where a server is and how to be let in. */
export interface Place {
  readonly url: string
  readonly token: string
}

/** The service, and the folder its other doors are found by. */
export interface ServicePlace extends Place {
  readonly data: string
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** What a program is told by its surroundings. */
type Environment = Readonly<Record<string, string>>

/** Starts a program; succeeds with the first of its lines that is waited for. */
const started = (args: ReadonlyArray<string>, isReady: (line: string) => boolean, env: Environment = {}) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly line: string; readonly kill: () => void }>((resume) => {
      const child = spawn(process.execPath, [...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...env }
      })
      const lines: Array<string> = []
      const hear = (line: string): void => {
        lines.push(line)
        if (isReady(line)) resume(Effect.succeed({ line, kill: () => void child.kill("SIGKILL") }))
      }
      for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", hear)
      child.once("exit", () => resume(Effect.die(new Error(`a server ended: ${lines.join("\n")}`))))
    }),
    ({ kill }) => Effect.sync(kill)
  )

/** The bare server of the SDK. */
export const bare: Effect.Effect<Place, never, Scope.Scope> = Effect.map(
  started([path("bare.ts")], (line) => line.startsWith("http")),
  ({ line }) => ({ url: `${line}/mcp`, token: "" })
)

/** A bare server that hands what it is sent on to those below it, and their answers back. */
export const relay = (below: ReadonlyArray<Place>, bytes: number): Effect.Effect<Place, never, Scope.Scope> =>
  Effect.map(
    started([path("relay.ts"), String(bytes), ...below.map(({ url }) => url)], (line) => line.startsWith("http")),
    ({ line }) => ({ url: `${line}/mcp`, token: "" })
  )

/** The real service over a new store, with the agents of the wire's cases or others. */
export const service = (
  { durability, folder }: Settings,
  { config = "coppice.config.ts", env }: { readonly config?: string; readonly env?: Environment } = {}
): Effect.Effect<ServicePlace, never, Scope.Scope> =>
  Effect.gen(function*() {
    const data = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(folder, "service-"))),
      (own) => Effect.sync(() => rmSync(own, { recursive: true, force: true }))
    )
    const store = durability === "memory" ? "memory:" : `sqlite:${join(data, "coppice.db")}`
    const flags = ["--config", path(config), "--data", data, "--store", store, "--port", "0"]
    yield* started([path("../../../orchestrator/src/main.ts"), ...flags], (line) => line.includes("Ready at"), env)
    const { token, url } = JSON.parse(readFileSync(join(data, "service.json"), "utf8")) as Place
    return { url: `${url}/mcp`, token, data }
  })
