/**
 * The agents of a configuration, for verbs that need their code but no service.
 */
import type { Orchestrator } from "coppice/Orchestrator"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { badInput } from "./Failure.ts"
import { Host } from "./Host.ts"

const names = ["coppice.config.ts", "coppice.config.mts", "coppice.config.js", "coppice.config.mjs"]

/** Loads what a configuration exports; without a name, the one in this folder. */
export const loadConfig = Effect.fnUntraced(function*(given: string | undefined) {
  const { cwd } = yield* Host
  const path = given === undefined
    ? names.map((name) => resolve(cwd, name)).find((path) => existsSync(path))
    : resolve(cwd, given)
  if (path === undefined || !existsSync(path)) {
    return yield* badInput(`There is no ${given ?? "coppice.config.ts in this folder"}`, "give --config FILE")
  }
  const module = yield* Effect.tryPromise({
    try: () => import(pathToFileURL(path).href) as Promise<{ readonly default?: unknown }>,
    catch: (cause) => badInput(`${path} cannot be loaded: ${String(cause).split("\n")[0]}`, "correct it and try again")
  })
  const found = module.default as Orchestrator | undefined
  if (found?._tag === "Orchestrator") return found
  return yield* badInput(`${path} has no orchestrator`, "write `export default Orchestrator.make({ agents: […] })`")
})
