/**
 * Starts the service as a process and ends it as one: arguments in, exit code out.
 *
 * | exit code | means |
 * | --- | --- |
 * | 0 | it stopped cleanly after a signal |
 * | 1 | the supervisor gave up |
 * | 2 | a flag, a variable or the configuration is wrong |
 * | 4 | the store, the port or the disk does not allow it, at the start or later |
 * | 129, 130, 143 | a second signal forced the end |
 *
 * A stop is bounded: what has not ended by then is abandoned, and nothing that was acknowledged is lost by that.
 */
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import * as Hosts from "@coppice/api/Hosts"
import * as Failpoint from "@coppice/task/Failpoint"
import { TaskLog } from "@coppice/task/TaskLog"
import { StoreError } from "@coppice/task/TaskStore"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { constants } from "node:os"
import { join, relative, resolve } from "node:path"
import { isBuilt, Site } from "./ConsoleRoutes.ts"
import * as Definition from "./Definition.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { Listener } from "./Listener.ts"
import * as Logging from "./Logging.ts"
import * as Orchestrator from "./Orchestrator.ts"
import { Token } from "./Security.ts"
import { version } from "./ServiceRoutes.ts"
import * as Settings from "./Settings.ts"
import { cannotStart, StartError } from "./StartError.ts"
import { toStartError } from "./Store.ts"

/** How long a graceful stop may take. */
const stopLimit: Duration.Duration = Duration.seconds(10)

/** How often the log is asked whether it still can be written. */
const watchInterval = "250 millis"

const usage = `coppice serve [flags]

${Settings.help()}
  --help         print this
  --version      print the release
`

/** Reads everything that can be set; the configuration is loaded here. */
const configure = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const flags = yield* Settings.fromFlags(args)
  const environment = yield* Settings.fromEnvironment(process.env)
  const { config } = Settings.merge(environment, flags)
  const definition = yield* Definition.load(config)
  const file = yield* Settings.fromConfig(definition.file, definition.service)
  return { definition, settings: Settings.merge(file, environment, flags) }
})

/** Fails as soon as the log has stopped for good: nothing can be acknowledged any more. */
export const storeFailure = Effect.gen(function*() {
  const log = yield* TaskLog
  while (log.trouble === undefined || log.trouble.isRetryable) yield* Effect.sleep(watchInterval)
  return yield* log.trouble
})

const escalation = Effect.flatMap(AgentSupervisor, (supervisor) => supervisor.escalation)

/** Serves until a signal comes, or something fails that only a new start can cure. */
const serve = Effect.fnUntraced(function*(args: ReadonlyArray<string>, signal: Effect.Effect<NodeJS.Signals>) {
  const { definition, settings } = yield* configure(args)
  return yield* hold({
    service: Orchestrator.layer(definition, settings),
    settings,
    signal,
    announce: announce(settings)
  })
})

/** A service, and until when it is held. */
export interface Held<E> {
  readonly service: Layer.Layer<Orchestrator.Services, E>
  readonly settings: Settings.Settings
  readonly signal: Effect.Effect<NodeJS.Signals>
  /** Tells where it is, once it is ready. */
  readonly announce: Effect.Effect<void, never, Orchestrator.Services>
}

/** Holds a service until the signal comes, or something fails that only a new start can cure. */
export const hold = Effect.fnUntraced(function*<E>({ announce, service, settings, signal }: Held<E>) {
  const scope = yield* Scope.make()
  return yield* Layer.buildWithScope(service, scope).pipe(
    Effect.flatMap((context) => Effect.provideContext(Effect.andThen(announce, untilTheEnd(signal)), context)),
    Effect.onExit((exit) => closed(Scope.close(scope, exit))),
    Effect.provide(Logging.layer(settings.logLevel))
  )
})

/** How MCP hosts are told of this service; from this folder they find its own data by themselves. */
export const hosts = ({ data, mcpAuth }: Settings.Settings, url: string): Hosts.Service => {
  const token = join(data, "token")
  const near = relative(".", token)
  return {
    mcp: `${url}/mcp`,
    tokenFile: mcpAuth === "none" ? undefined : near.startsWith("..") ? token : near,
    data: data === resolve(".coppice") ? undefined : data
  }
}

/** The link that signs a browser in, for a person who looks; it carries the token, so it goes into no file. */
const consoleLink = Effect.gen(function*() {
  if (!process.stderr.isTTY || !isBuilt(yield* Site)) return undefined
  return `Console: ${Hosts.console((yield* Listener).url, Redacted.value(yield* Token))}`
})

const announce = Effect.fnUntraced(function*(settings: Settings.Settings) {
  const listener = yield* Listener
  const service = hosts(settings, listener.url)
  yield* Effect.logInfo(`Ready at ${listener.url}`)
  const link = yield* consoleLink
  if (link !== undefined) yield* Effect.promise(() => print(link))
  yield* Effect.logInfo(`MCP hosts: ${Hosts.overHttp(service)}`)
  yield* Effect.logInfo(`or: ${Hosts.overPipe(service)}`)
})

const untilTheEnd = Effect.fnUntraced(function*(signal: Effect.Effect<NodeJS.Signals>) {
  const lifecycle = yield* Lifecycle
  const end = Effect.raceFirst(signal, Effect.raceFirst(storeFailure, escalation))
  const name = yield* Effect.ensuring(end, lifecycle.stop)
  yield* Effect.logInfo(`Stopping (${name})`)
})

/** Waits for the close, but not for ever. */
const closed = Effect.fnUntraced(function*(close: Effect.Effect<void>) {
  const closing = yield* Effect.forkDetach(close)
  const ended = yield* Fiber.await(closing).pipe(Effect.interruptible, Effect.timeoutOption(stopLimit))
  if (Option.isSome(ended)) return
  yield* Effect.logWarning(`Some work did not stop within ${Duration.format(stopLimit)}; it goes on at the next start`)
})

/** The exit code of an end, and the one line that explains it. */
export const verdict = (
  exit: Exit.Exit<unknown, unknown>
): { readonly code: number; readonly line: string | undefined } => {
  if (Exit.isSuccess(exit)) return { code: 0, line: undefined }
  const failure = Result.getOrUndefined(Cause.findError(exit.cause))
  if (failure instanceof StartError) return { code: failure.exitCode, line: failure.message }
  if (failure instanceof StoreError) return { code: cannotStart, line: toStartError(failure).message }
  const [line] = Cause.pretty(exit.cause).split("\n")
  return { code: 1, line: line ?? "failed" }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Succeeds at the first signal; the second one ends the process at once. */
const firstSignal: Effect.Effect<NodeJS.Signals> = Effect.callback((resume) => {
  let seen = false
  for (const name of signals) {
    process.on(name, () => {
      if (seen) process.exit(128 + constants.signals[name])
      seen = true
      resume(Effect.succeed(name))
    })
  }
})

const print = (line: string): Promise<void> =>
  new Promise((resolve) => process.stderr.write(line + "\n", () => resolve()))

/** What a process runs: its arguments and the signal that ends it in, how it ended out. */
export interface Program {
  readonly usage: string
  readonly run: (args: ReadonlyArray<string>, signal: Effect.Effect<NodeJS.Signals>) => Effect.Effect<unknown, unknown>
}

/** Runs the program with these arguments and ends the process. */
export const launch = async (program: Program, args: ReadonlyArray<string>): Promise<void> => {
  if (args.includes("--help") || args.includes("-h")) return void process.stdout.write(program.usage)
  if (args.includes("--version")) return void process.stdout.write(`coppice ${version}\n`)
  const refused = Failpoint.armFromText(process.env["COPPICE_FAILPOINTS"] ?? "")
  if (refused.length > 0) {
    await print(`coppice: COPPICE_FAILPOINTS has entries that do not parse: ${refused.join(", ")}`)
  }
  const signal = Effect.runPromise(firstSignal)
  const exit = await Effect.runPromiseExit(program.run(args, Effect.promise(() => signal)))
  const { code, line } = verdict(exit)
  if (line !== undefined) await print(`coppice: ${line}`)
  process.exit(code)
}

/** Runs the service with these arguments and ends the process. */
export const run = (args: ReadonlyArray<string>): Promise<void> => launch({ usage, run: serve }, args)
