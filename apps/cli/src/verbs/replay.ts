/**
 * `coppice replay <run>`: runs a recorded run again with the code there is now, offline, and says where it differs.
 *
 * The record is a file of `coppice export`, a store (`--store`, of which a copy is read), or the running service's log.
 */
import { Replay } from "coppice"
import type { Report } from "coppice/Replay"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { loadConfig } from "../Config.ts"
import type { Connection } from "../Connection.ts"
import { badInput, exitCodes, type Failure, silent } from "../Failure.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { empty, type Line, line, muted, type Role, spaced, span, strong } from "../Line.ts"
import { exported } from "./export.ts"

export interface Options {
  readonly run: string
  readonly config: string | undefined
  readonly store: string | undefined
  readonly json: boolean
}

type Service = Layer.Layer<Connection, Failure, Host>

const recordingOf = Effect.fnUntraced(function*({ run, store }: Options, service: Service) {
  const { cwd } = yield* Host
  const path = resolve(cwd, run)
  if (existsSync(path)) {
    const parsed = Replay.parse(readFileSync(path, "utf8"))
    return yield* Effect.mapError(
      Effect.fromResult(parsed),
      ({ message }) => badInput(`${run}: ${message}`, "give a file of coppice export")
    )
  }
  if (store === undefined) return yield* Effect.provide(exported(run), service)
  const file = `sqlite:${resolve(cwd, store.replace(/^sqlite:/, ""))}`
  if (!existsSync(file.slice("sqlite:".length))) return yield* badInput(`--store: there is no ${store}`)
  return yield* Effect.mapError(Replay.fromStore(file, run), ({ message }) => badInput(message))
})

const marks: Readonly<Record<string, readonly [string, Role]>> = {
  same: ["✔", "good"],
  drift: ["✖", "bad"],
  skipped: ["·", "muted"]
}

const lines = ({ run, same, tasks }: Report): ReadonlyArray<Line> => [
  ...tasks.flatMap(({ agent, diff, outcome, task }) => {
    const [mark, role] = marks[outcome]!
    return [
      spaced(span(mark, role), strong(agent), muted(task), span(outcome, role)),
      ...diff === "" ? [] : [...diff.split("\n").map((one) => one === "" ? empty : line(`    ${one}`)), empty]
    ]
  }),
  line(same ? span("✔ ", "good") : span("✖ ", "bad"), `Run ${run} ${same ? "comes to the same end" : "has drifted"}`)
]

export const replay = Effect.fn("replay")(function*(options: Options, service: Service) {
  const { out } = yield* Host
  const orchestrator = yield* loadConfig(options.config)
  const report = yield* Replay.check(orchestrator, yield* recordingOf(options, service))
  if (options.json) writeJson(out, report)
  else writeLines(out, lines(report))
  if (!report.same) return yield* silent(exitCodes.failedTask)
})
