/**
 * Finds and loads the configuration: the value `Orchestrator.make` returns, as the default export of a module.
 */
import { nearest } from "@coppice/task/Nearest"
import type { Orchestrator } from "coppice/Orchestrator"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { existsSync } from "node:fs"
import { relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { type StartError, usage } from "./StartError.ts"

/** File names that are looked for, first found wins. */
const fileNames = ["coppice.config.ts", "coppice.config.mts", "coppice.config.js", "coppice.config.mjs"]

/** What a configuration may say. */
const optionNames = [
  "agents",
  "code",
  "supervision",
  "executor",
  "budget",
  "auditRetention",
  "mcp",
  "servers",
  "limits",
  "people",
  "webhooks",
  "service"
]

/** A loaded configuration. */
export interface Definition {
  readonly file: string
  readonly orchestrator: Orchestrator
  /** Settings of the service, unchecked. */
  readonly service: object
}

/** The configuration at `config`, or the one in this folder; an absolute path. */
export const find = Effect.fnUntraced(function*(config: string | undefined): Effect.fn.Return<string, StartError> {
  if (config !== undefined) {
    return existsSync(config) ? resolve(config) : yield* usage(`There is no file ${config}`, "check --config")
  }
  const found = fileNames.map((name) => resolve(name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  return yield* usage(
    "There is no coppice.config.ts in this folder",
    "write one that exports Orchestrator.make({ agents: [...] }) as its default, or give --config FILE"
  )
})

const firstLine = (cause: unknown): string => String(cause instanceof Error ? cause.message : cause).split("\n")[0]!

const isOrchestrator = (value: unknown): value is Orchestrator =>
  Predicate.hasProperty(value, "_tag") && value._tag === "Orchestrator" && Predicate.hasProperty(value, "options")

/** What a configuration's module exports as its default, if that is one. `path`: where it stands. */
export const check = Effect.fnUntraced(
  function*(path: string, exported: unknown): Effect.fn.Return<Definition, StartError> {
    const file = relative(".", path)
    if (!isOrchestrator(exported)) {
      return yield* usage(`${file} has no orchestrator`, "write `export default Orchestrator.make({ agents: […] })`")
    }
    const { options } = exported
    for (const key of Object.keys(options)) {
      if (optionNames.includes(key)) continue
      const meant = nearest(key, optionNames)
      return yield* usage(
        `${file}: there is no option "${key}"`,
        meant === undefined ? `use one of ${optionNames.join(", ")}` : `did you mean "${meant}"?`
      )
    }
    const service = (options as { readonly service?: object | undefined }).service ?? {}
    return { file, orchestrator: exported, service }
  }
)

/** Loads the configuration at `config`, or the one in this folder. */
export const load = Effect.fn("Definition.load")(function*(
  config: string | undefined
): Effect.fn.Return<Definition, StartError> {
  const path = yield* find(config)
  const module = yield* Effect.tryPromise({
    try: () => import(pathToFileURL(path).href) as Promise<{ readonly default?: unknown }>,
    catch: (cause) =>
      usage(`${relative(".", path)} cannot be loaded: ${firstLine(cause)}`, "correct it and start again")
  })
  return yield* check(path, module.default)
})
