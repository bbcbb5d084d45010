/**
 * `coppice dev` as a process: the service of the configuration, whose code is followed as it is edited.
 */
import type { DevProblem } from "@coppice/api/DevApi"
import * as Hosts from "@coppice/api/Hosts"
import * as HttpFetch from "@coppice/mcp/HttpFetch"
import * as Runtime from "coppice/Orchestrator"
import * as Roster from "coppice/Roster"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Agent, fetch as undiciFetch } from "undici"
import * as Definition from "../Definition.ts"
import * as Launcher from "../Launcher.ts"
import { Listener } from "../Listener.ts"
import * as Orchestrator from "../Orchestrator.ts"
import { Token } from "../Security.ts"
import * as Settings from "../Settings.ts"
import * as Store from "../Store.ts"
import { DevClock } from "./DevClock.ts"
import * as DevService from "./DevService.ts"
import * as DevState from "./DevState.ts"
import * as Modules from "./Modules.ts"
import { Network } from "./Network.ts"
import * as Reloader from "./Reloader.ts"
import * as Screen from "./Screen.ts"

export const usage = `coppice dev [config] [flags]

Starts the service and takes up edits while it runs; faults on demand by its console and its API.

${Settings.help()}
  --help         print this
  --version      print the release
`

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** The configuration may be named without its flag. */
const withConfig = ([first, ...rest]: ReadonlyArray<string>): ReadonlyArray<string> =>
  first === undefined ? [] : first.startsWith("-") ? [first, ...rest] : ["--config", first, ...rest]

/** Waits for code that can be loaded, and says what is wrong until then. */
const firstDefinition = Effect.fnUntraced(function*(modules: Modules.Modules, file: string) {
  const load = Effect.tapError(Reloader.loadWith(modules, file), (problem: DevProblem) =>
    Effect.sync(() => {
      for (const line of Screen.broken(problem, false)) say(line)
    }))
  return yield* Effect.catch(load, () => Effect.retry(Effect.andThen(modules.changed, load), { while: () => true }))
})

/** Requests to MCP servers, which may stay open as long as they like. */
const patientFetch = (): typeof globalThis.fetch => {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connectTimeout: 10_000 })
  return ((input: string, init: object) => undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch
}

/** The network of this process, also for code that uses the global `fetch`. */
const hindered: Effect.Effect<Network, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const real = globalThis.fetch
    const network = new Network()
    globalThis.fetch = network.over(real)
    return { network, real }
  }),
  ({ real }) => Effect.sync(() => void (globalThis.fetch = real))
).pipe(Effect.map(({ network }) => network))

/** Whoever edits wants to know soon what no longer fits. */
const quick = { grace: "1 second" } as const

/** The orchestrator's own services; agents come by the roster. */
const runtimeOf = ({ orchestrator: { options } }: Definition.Definition) =>
  Runtime.make({ ...options, agents: [], servers: {}, executor: { ...quick, ...options.executor } }).runtime

const answerFirst = 100

/** The answer to who asked for it leaves before. */
const die = (): void => void setTimeout(() => process.kill(process.pid, "SIGKILL"), answerFirst)

const announce = Effect.fnUntraced(function*(settings: Settings.Settings) {
  const { url } = yield* Listener
  const token = Redacted.value(yield* Token)
  const service = Launcher.hosts(settings, url)
  const lines = Screen.doors({
    // it carries the token, so it goes into no file
    console: process.stdout.isTTY ? Hosts.console(url, token) : `${url}/`,
    mcp: service.mcp,
    host: Hosts.overHttp(service),
    traces: process.env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? process.env["OTEL_EXPORTER_OTLP_ENDPOINT"]
  })
  // whoever starts it again says where it is only once
  if (process.send === undefined) { for (const line of lines) say(line) }
  else process.send({ port: new URL(url).port, lines })
})

/** Serves until a signal comes, or something fails that only a new start can cure. */
export const dev = Effect.fnUntraced(
  function*(args: ReadonlyArray<string>, signal: Effect.Effect<NodeJS.Signals>) {
    const flags = yield* Settings.fromFlags(withConfig(args))
    const environment = yield* Settings.fromEnvironment(process.env)
    const early = Settings.merge(environment, flags)
    const file = yield* Definition.find(early.config)
    const network = yield* hindered
    const modules = yield* Modules.make(file)
    const loading = Effect.map(firstDefinition(modules, file), (started) => ({ started }))
    const loaded = yield* Effect.raceFirst(loading, Effect.as(signal, undefined))
    if (loaded === undefined) return
    const { started } = loaded
    const own = yield* Settings.fromConfig(started.file, started.service)
    const settings = Settings.merge({ logLevel: "warning" }, own, environment, flags)
    const state = DevState.read(settings.data)
    const clock = new DevClock(yield* Clock.Clock, state.ahead)
    const options = { file, modules, started, data: settings.data, state, clock, network, say, die }
    const orchestrator = {
      ...started.orchestrator,
      layer: Layer.provideMerge(DevService.layer(options), Layer.provideMerge(Roster.layer, runtimeOf(started)))
    }
    const service = Orchestrator.layerOver(Store.layer(settings.store), { orchestrator }, settings).pipe(
      Layer.provide(Layer.succeed(HttpFetch.HttpFetch, network.over(patientFetch()))),
      Layer.provide(Layer.succeed(Clock.Clock, clock))
    )
    yield* Launcher.hold({ service, settings, signal, announce: announce(settings) })
  },
  Effect.scoped
)
