/**
 * What makes a service one of `coppice dev`: it follows edits, tells of them, and does faults on demand.
 */
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import type { DevStatus, Outgrown } from "@coppice/api/DevApi"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import type { OpenInput } from "@coppice/task/TaskStore"
import type { Servers } from "coppice/Servers"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { relative } from "node:path"
import type { Definition } from "../Definition.ts"
import { DevMode } from "../DevMode.ts"
import type { DevClock } from "./DevClock.ts"
import * as DevState from "./DevState.ts"
import { Faults } from "./Faults.ts"
import type { Modules } from "./Modules.ts"
import type { Network } from "./Network.ts"
import * as Reloader from "./Reloader.ts"
import * as Screen from "./Screen.ts"

export interface DevOptions {
  /** The configuration, an absolute path. */
  readonly file: string
  readonly modules: Modules
  readonly started: Definition
  readonly data: string
  readonly state: DevState.DevState
  readonly clock: DevClock
  readonly network: Network
  /** Prints a line. */
  readonly say: (line: string) => void
  /** SIGKILL for this process, in a moment. */
  readonly die: () => void
}

/** Of questions about changed code; nobody else's begin so. */
const isUpgradeKey = (key: string): boolean => key.startsWith("upgrade:")

/** As many as are listed in the status. */
const most = 100

const choicesOf = ({ request }: OpenInput): ReadonlyArray<string> => {
  const properties = request.schema?.["properties"] as { readonly choice?: { readonly enum?: unknown } } | undefined
  const choices = properties?.choice?.enum
  return Array.isArray(choices) ? choices.map(String) : []
}

const toOutgrown = (question: OpenInput): Outgrown => ({
  task: question.task,
  run: question.run,
  agent: question.agent,
  key: question.request.key,
  since: question.since,
  message: question.request.message,
  choices: choicesOf(question)
})

const hostsOf = (servers: Servers = {}): ReadonlyMap<string, string | undefined> =>
  new Map(
    Object.entries(servers).map(([name, server]) => [
      name,
      "url" in server ? URL.parse(server.url)?.host : undefined
    ])
  )

const outgrown = Effect.map(
  Effect.flatMap(Tasks, (tasks) => Effect.orElseSucceed(tasks.inbox({ limit: 1_000 }), () => [])),
  (questions) => questions.filter(({ request }) => isUpgradeKey(request.key)).map(toOutgrown)
)

/** Follows edits for as long as the service stands. */
const following = (reloader: Reloader.Reloader, say: DevOptions["say"]) =>
  Effect.forever(Effect.map(reloader.next, (outcome) => {
    const lines = outcome._tag === "Reloaded" ? Screen.reloaded(outcome.reload) : Screen.broken(outcome.problem, true)
    for (const line of lines) say(line)
  }))

/** Tells of every task that parks because the code has changed. */
const telling = (say: DevOptions["say"]) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const log = yield* TaskLog
    const asked = Stream.filter(
      tasks.watch({ since: log.head }),
      ({ event }) => event._tag === "InputRequested" && isUpgradeKey(event.request.key)
    )
    yield* Stream.runForEach(asked, ({ task }) =>
      Effect.map(outgrown, (all) => {
        const one = all.find((question) => question.task === task)
        for (const line of one === undefined ? [] : Screen.outgrown(one)) say(line)
      }))
  })

const make = Effect.fnUntraced(function*(options: DevOptions) {
  const { clock, data, file, modules, network, say, started } = options
  const supervisor = yield* AgentSupervisor
  const startedAt = yield* Clock.currentTimeMillis
  const context = yield* Effect.context<Tasks>()
  const reloader = yield* Reloader.make(modules, file, started)
  const first = reloader.problem()
  for (const line of first === null ? [] : Screen.broken(first, false)) say(line)

  const agents = () => supervisor.tree().map(({ id }) => id)
  const servers = () => hostsOf(reloader.options().servers)
  const faults = new Faults({
    now: () => clock.currentTimeMillisUnsafe(),
    agents,
    servers,
    killWorker: supervisor.kill,
    killProcess: options.die,
    jump: (millis) => clock.jump(millis),
    cut: (host) => network.cut(host),
    changed: (all) => DevState.write(data, { ahead: clock.ahead, faults: all }),
    say,
    config: `./${relative(process.cwd(), file)}`
  }, options.state.faults)
  network.meet = faults.meet

  yield* Effect.forkScoped(following(reloader, say))
  yield* Effect.forkScoped(Effect.ignore(telling(say)))

  const status = Effect.map(Effect.provideContext(outgrown, context), (questions): DevStatus => ({
    config: relative(process.cwd(), file),
    startedAt,
    reloads: reloader.reloads(),
    last: reloader.last(),
    problem: reloader.problem(),
    outgrown: questions.slice(0, most),
    clock: { now: clock.currentTimeMillisUnsafe(), ahead: clock.ahead },
    faults: faults.list(),
    targets: {
      agents: agents(),
      servers: [...servers()].flatMap(([name, host]) => host === undefined ? [] : [name]),
      hosts: [...network.hosts]
    }
  }))

  return { status, fault: faults.apply, clear: faults.clear, clearAll: faults.clearAll }
})

/** The agents of `started` in their places, and whatever the code says from then on. */
export const layer = (options: DevOptions) => Layer.effect(DevMode, make(options))
