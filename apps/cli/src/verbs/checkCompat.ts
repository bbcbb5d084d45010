/**
 * `coppice check-compat <old> <new>`: what two builds' agents promise, compared. Exit 1 when a caller may break.
 *
 * A build is a configuration, or a file written by `--dump`.
 */
import { Compatibility } from "coppice"
import type { Change, Contract } from "coppice/Compatibility"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { loadConfig } from "../Config.ts"
import { badInput, exitCodes, type Failure, silent } from "../Failure.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { type Line, line, muted, spaced, span, strong } from "../Line.ts"

export interface Options {
  readonly old: string | undefined
  readonly next: string | undefined
  readonly dump: string | undefined
  readonly store: string | undefined
  readonly json: boolean
}

const readBuild = Effect.fnUntraced(function*(
  build: string | undefined
): Effect.fn.Return<ReadonlyArray<Contract>, Failure, Host> {
  const { cwd } = yield* Host
  if (build?.endsWith(".json") !== true) return yield* Compatibility.contractsOf(yield* loadConfig(build))
  const path = resolve(cwd, build)
  if (!existsSync(path)) return yield* badInput(`There is no ${build}`)
  return yield* Effect.mapError(
    Effect.fromResult(Compatibility.parse(readFileSync(path, "utf8"))),
    (problem) => badInput(`${build}: ${problem}`, "give a file written by coppice check-compat --dump FILE")
  )
})

interface Told extends Change {
  /** Agents that were seen calling this one. */
  readonly callers: ReadonlyArray<string>
}

const changeLine = ({ agent, breaks, callers, message, part, path }: Told): Line =>
  spaced(
    span(breaks ? "✖" : "·", breaks ? "bad" : "muted"),
    strong(agent),
    muted(part === "agent" ? "" : path === "" ? part : `${part}.${path}`),
    span(message),
    callers.length === 0 ? undefined : muted(`called by ${callers.join(", ")}`)
  )

const callersOf = Effect.fnUntraced(function*(store: string | undefined) {
  const { cwd } = yield* Host
  if (store === undefined) return new Map<string, ReadonlySet<string>>()
  const path = resolve(cwd, store.replace(/^sqlite:/, ""))
  if (!existsSync(path)) return yield* badInput(`--store: there is no ${store}`)
  return yield* Effect.mapError(Compatibility.callersIn(`sqlite:${path}`), ({ message }) => badInput(message))
})

const dumped = Effect.fnUntraced(function*(build: string | undefined, file: string) {
  const { cwd, err } = yield* Host
  const contracts = yield* readBuild(build)
  yield* Effect.try({
    try: () => writeFileSync(resolve(cwd, file), Compatibility.format(contracts)),
    catch: (cause) => badInput(`--dump: ${String(cause).split("\n")[0]}`)
  })
  writeLines(err, [line(muted(`${contracts.length} contracts in ${file}`))])
})

export const checkCompat = Effect.fn("check-compat")(function*({ dump, json, next, old, store }: Options) {
  if (dump !== undefined) return yield* dumped(old, dump)
  if (old === undefined) return yield* badInput("Two builds are compared", "coppice check-compat <old> [<new>]")
  const { out } = yield* Host
  const callers = yield* callersOf(store)
  const changes = Compatibility.compare(yield* readBuild(old), yield* readBuild(next))
  const told = changes.map((change): Told => ({ ...change, callers: [...callers.get(change.agent) ?? []].sort() }))
  const broken = told.filter(({ breaks }) => breaks)
  if (json) writeJson(out, { compatible: broken.length === 0, changes: told })
  else {
    writeLines(out, [
      ...told.map(changeLine),
      broken.length === 0
        ? line(span("✔ ", "good"), "Callers of the old build can go on with the new one")
        : line(span("✖ ", "bad"), `${broken.length} of ${told.length} changes may break callers`)
    ])
  }
  if (broken.length > 0) return yield* silent(exitCodes.failedTask)
})
