/**
 * `coppice doctor`: looks at everything a working setup needs and says what to do about the rest.
 */
import type { Info } from "@coppice/api/ServiceApi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import { existsSync, statSync } from "node:fs"
import { statfs } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import * as Checkup from "../Checkup.ts"
import * as Connection from "../Connection.ts"
import { exitCodes, type Failure, silent } from "../Failure.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { fit, line, muted } from "../Line.ts"
import { findFile, findService, type Found, type Search } from "../Service.ts"
import { version } from "../Version.ts"

export interface Options {
  readonly url: string | undefined
  readonly data: string | undefined
  readonly json: boolean
}

type Check = Checkup.Check

const configNames = ["coppice.config.ts", "coppice.config.mts", "coppice.config.js", "coppice.config.mjs"]

const failed = (name: string, { fix, message }: Failure): Check => ({
  name,
  level: "fail",
  message,
  ...(fix === undefined ? {} : { fix })
})

const timed = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const before = yield* Clock.currentTimeNanos
  const value = yield* effect
  return { value, took: Number((yield* Clock.currentTimeNanos) - before) / 1e6 }
})

/** The folder the service writes to, as far as one can tell from here. */
const dataFolder = (search: Search): string => {
  const file = findFile(search)
  if (file !== undefined) return dirname(file.path)
  const folder = resolve(search.cwd, search.data ?? search.env["COPPICE_DATA"] ?? ".coppice")
  return existsSync(folder) ? folder : search.cwd
}

const checkDisk = (folder: string) =>
  Effect.tryPromise(() => statfs(folder)).pipe(
    Effect.map(({ bavail, bsize }) => Checkup.checkDisk(bavail * bsize, folder)),
    Effect.orElseSucceed((): Check => ({
      name: "disk",
      level: "warn",
      message: `the free space of ${folder} cannot be read`,
      fix: "check its permissions"
    }))
  )

/** The machine and the folder: what can be looked at without a service. */
const checkHere = Effect.fnUntraced(function*(search: Search) {
  const file = findFile(search)
  const config = configNames.map((name) => join(search.cwd, name)).find((path) => existsSync(path))
  return [
    Checkup.checkNode(process.version),
    Checkup.checkConfig(config),
    Checkup.checkServiceFile(file === undefined ? undefined : { path: file.path, mode: statSync(file.path).mode }),
    yield* checkDisk(dataFolder(search))
  ]
})

/** The service's clock, as the header of any answer tells it. */
const checkClock = Effect.fnUntraced(function*(url: string) {
  const { took, value } = yield* timed(HttpClient.get(`${url}/healthz`))
  const there = Date.parse(value.headers["date"] ?? "")
  const here = yield* Clock.currentTimeMillis
  return Number.isNaN(there) ? undefined : Checkup.checkClock(here - there, took)
}, Effect.provide(FetchHttpClient.layer))

const samples = 9

/** What only somebody with the token may see. */
const checkInside = Effect.gen(function*() {
  const { call, client } = yield* Connection.Connection
  const read = timed(call(client.tasks.list({ query: { limit: 1 } })))
  yield* read
  const reads = yield* Effect.all(Array.from({ length: samples }, () => read))
  const { agents } = yield* call(client.agents.list())
  return [
    Checkup.checkLatency(reads.map(({ took }) => took)),
    Checkup.checkAgents(agents.map(({ contract, state }) => ({ name: contract.name, state }))),
    Checkup.checkLoop(
      agents.flatMap(({ contract, lastBlock }) => lastBlock === null ? [] : [{ ...lastBlock, agent: contract.name }]),
      yield* Clock.currentTimeMillis
    )
  ]
}).pipe(Effect.catch((failure) => Effect.succeed([failed("access", failure)])))

const checkService = Effect.fnUntraced(function*(found: Found, info: Info) {
  const { call, client } = yield* Connection.Connection
  const ready = yield* Effect.result(call(client.service.readyz()))
  const clock = yield* Effect.orElseSucceed(checkClock(found.url), () => undefined)
  const reached: Check = {
    name: "service",
    level: "ok",
    message: `${found.url} (by ${found.source}), store ${info.store}`
  }
  return [
    reached,
    ...(Result.isFailure(ready) ? [failed("ready", ready.failure)] : []),
    Checkup.checkVersions(version, info.version),
    ...(clock === undefined ? [] : [clock]),
    ...(yield* checkInside)
  ]
})

/** The service: found, reached, and what it says of itself. */
const checkThere = Effect.fnUntraced(function*(search: Search) {
  const found = findService(search)
  if (Result.isFailure(found)) return [failed("service", found.failure)]
  const connection = yield* Connection.make(found.success)
  return yield* connection.call(connection.client.service.info()).pipe(
    Effect.flatMap((info) => checkService(found.success, info)),
    Effect.catch((failure) => Effect.succeed([failed("service", failure)])),
    Effect.provideService(Connection.Connection, connection)
  )
})

export const doctor = Effect.fn("doctor")(function*({ data, json, url }: Options) {
  const { cwd, env, out } = yield* Host
  const search = { url, data, cwd, env }
  const checks: ReadonlyArray<Check> = [...(yield* checkHere(search)), ...(yield* checkThere(search))]
  if (json) writeJson(out, { version, checks })
  else {
    const lines = [...Checkup.checkLines(checks), line(muted(`coppice ${version}: ${Checkup.summary(checks)}`))]
    writeLines(out, lines.map((spans) => fit(spans, out.columns())))
  }
  const bad = checks.filter(({ level }) => level === "fail")
  if (bad.length === 0) return
  return yield* silent(bad.some(({ name }) => name === "service") ? exitCodes.unreachable : exitCodes.failedTask)
})
