/**
 * A real process of the service, started and ended by its process id.
 *
 * Each one leads a process group of its own, so that whatever it started and left behind can be ended too. Nothing
 * outlives the harness: not a scope that closes, and not a harness that ends in an unforeseen way.
 */
import * as ApiClient from "@coppice/api/ApiClient"
import { ServiceFile } from "@coppice/api/ServiceApi"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** Where a service is set up; many processes follow each other there. */
export interface Site {
  readonly config: string
  readonly data: string
  /** The file its steps leave their lines in. */
  readonly effects: string
  /** Where the processes write what they have to say. */
  readonly output: string
  /** The store, when it is not the one in `data`. */
  readonly store?: string
}

/** A new site that has all it needs in one folder. */
export const siteIn = (folder: string, config: string): Site => {
  mkdirSync(join(folder, "data"), { recursive: true })
  const output = join(folder, "service.log")
  writeFileSync(output, "")
  return { config, data: join(folder, "data"), effects: join(folder, "effects.jsonl"), output }
}

/** How a process ended: its exit code, or the signal that ended it. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly at: number
}

export interface Address {
  readonly url: string
  readonly token: string
}

export interface Running {
  readonly pid: number
  readonly startedAt: number
  readonly ended: Effect.Effect<Ended>
  /** Waits until it takes work. */
  readonly ready: Effect.Effect<Address>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Ends what the process started and left behind. */
  readonly sweep: Effect.Effect<void>
}

const program = fileURLToPath(new URL("../src/main.ts", import.meta.url))

/** Every process group that was started and is not known to be gone. */
const groups = new Set<number>()

const endGroup = (pid: number): void => {
  if (!groups.delete(pid)) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // nobody is left of it
  }
}

process.on("exit", () => {
  for (const pid of groups) endGroup(pid)
})

const environment = (site: Site, failpoints: string): NodeJS.ProcessEnv => {
  const { COPPICE_FAILPOINTS: _, ...inherited } = process.env
  const own = Object.entries(inherited).filter(([name]) => !name.startsWith("COPPICE_") && !name.startsWith("OTEL_"))
  return {
    ...Object.fromEntries(own),
    // what a killed process leaves behind goes with everything else
    TMPDIR: dirname(site.data),
    COPPICE_EFFECTS: site.effects,
    ...failpoints === "" ? {} : { COPPICE_FAILPOINTS: failpoints }
  }
}

const launch = (site: Site, failpoints: string) => {
  const output = openSync(site.output, "a")
  try {
    const args = [program, "--config", site.config, "--data", site.data, "--port", "0", "--host", "127.0.0.1"]
    const store = site.store === undefined ? [] : ["--store", site.store]
    return spawn(process.execPath, [...args, ...store], {
      detached: true,
      env: environment(site, failpoints),
      stdio: ["ignore", output, output]
    })
  } finally {
    closeSync(output)
  }
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(ServiceFile))

/** The address this very process has written; one of an earlier process does not count. */
const addressOf = (site: Site, pid: number): Address | undefined => {
  try {
    const found = Option.getOrUndefined(decode(readFileSync(join(site.data, "service.json"), "utf8")))
    return found?.pid === pid ? { url: found.url, token: found.token } : undefined
  } catch {
    return undefined
  }
}

const isReady = ({ url }: Address) =>
  ApiClient.make({ url }).pipe(
    Effect.flatMap((client) => client.service.readyz()),
    Effect.match({ onSuccess: () => true, onFailure: () => false })
  )

/** The last line the processes of a site have written, for people. */
export const lastWords = ({ output }: Site): string => readFileSync(output, "utf8").trimEnd().split("\n").at(-1) ?? ""

/** How long a process may take until it takes work; it is a failure of the service if it takes longer. */
export const readyLimit = "30 seconds"

const waitUntilReady = Effect.fnUntraced(function*(site: Site, pid: number) {
  while (true) {
    const address = addressOf(site, pid)
    if (address !== undefined && (yield* isReady(address))) return address
    yield* Effect.sleep("10 millis")
  }
})

/** Starts a process; the scope ends it and what it left behind, if nothing else has. */
export const start = Effect.fnUntraced(function*(
  site: Site,
  failpoints = ""
): Effect.fn.Return<Running, never, Scope.Scope> {
  const startedAt = yield* Clock.currentTimeMillis
  const ended = yield* Deferred.make<Ended>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = launch(site, failpoints)
      if (child.pid !== undefined) groups.add(child.pid)
      return child
    }),
    ({ pid }) => Effect.sync(() => pid !== undefined && endGroup(pid))
  )
  const { pid } = child
  if (pid === undefined) return yield* Effect.die(new Error("The service could not be started"))
  child.once("exit", (code, signal) => Deferred.doneUnsafe(ended, Exit.succeed({ code, signal, at: Date.now() })))
  return {
    pid,
    startedAt,
    ended: Deferred.await(ended),
    ready: waitUntilReady(site, pid),
    signal: (signal) => Effect.sync(() => child.kill(signal)),
    sweep: Effect.sync(() => endGroup(pid))
  }
})

/** Starts a process that has to come up. */
export const startUp = Effect.fnUntraced(function*(site: Site) {
  const service = yield* start(site)
  const limit = Effect.timeoutOption(service.ready, readyLimit)
  const address = yield* Effect.raceFirst(limit, Effect.as(service.ended, Option.none<Address>()))
  if (Option.isNone(address)) return yield* Effect.die(new Error(`The service does not start: ${lastWords(site)}`))
  return { service, address: address.value }
})
