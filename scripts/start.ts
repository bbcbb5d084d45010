/**
 * `npm start`: the service with the code-migration showcase, and the terminal that watches it.
 *
 * The service is a process of its own, found by the file it writes; the run is followed by the `coppice` command like
 * any other. An unfinished showcase is taken up again, by the idempotency key it was submitted with.
 *
 * `--yes` answers its question, `--exit` ends with the run, `--source` and `--output` name folders; `--port`, `--store`
 * and `--data` go to the service.
 */
import type * as ApiClient from "@coppice/api/ApiClient"
import * as Hosts from "@coppice/api/Hosts"
import type { TaskTree } from "@coppice/api/TasksApi"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { statSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { buildConsole } from "./console.ts"
import { root, Service, Stop } from "./service.ts"

const config = join(root, "docs/examples/code-migration/coppice.config.ts")
const began = Date.now()

type Task = TaskTree["tasks"][number]

const options = {
  yes: { type: "boolean", default: false },
  exit: { type: "boolean", default: false },
  source: { type: "string" },
  output: { type: "string" },
  port: { type: "string" },
  store: { type: "string" },
  data: { type: "string", default: ".coppice" },
  help: { type: "boolean", default: false }
} as const

const readFlags = () => {
  try {
    return parseArgs({ options, allowPositionals: false }).values
  } catch (error) {
    throw new Stop(`${(error as Error).message.split(".")[0]}; flags: --${Object.keys(options).join(", --")}`, 2)
  }
}

type Flags = ReturnType<typeof readFlags>

const folder = (name: string, path: string | undefined): string | undefined => {
  if (path === undefined) return undefined
  const full = resolve(path)
  if (name === "source" && statSync(full, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new Stop(`--source ${path} is not a folder`, 2)
  }
  return full
}

/** The flags that are the service's own. */
const serviceArgs = (flags: Flags): ReadonlyArray<string> => {
  const passed = (["port", "store", "data"] as const).flatMap((name) =>
    flags[name] === undefined ? [] : [`--${name}`, flags[name]]
  )
  return ["--config", config, ...passed]
}

type Client = ApiClient.ApiClient

interface Work {
  readonly input: unknown
  readonly key: string
  readonly resumed: boolean
}

/** The showcase that has not ended, or a new one. */
const findWork = Effect.fnUntraced(function*(client: Client, flags: Flags) {
  const query = { agent: "migrate", status: ["working", "input_required"], roots: true, limit: 1 } as const
  const task = (yield* client.tasks.list({ query })).tasks[0]
  if (task === undefined || task.spec.idempotencyKey === null) {
    const source = folder("source", flags.source)
    const output = folder("output", flags.output)
    const input = { ...source === undefined ? {} : { source }, ...output === undefined ? {} : { output } }
    return { input, key: `showcase-${began}`, resumed: false } satisfies Work
  }
  const { events } = yield* client.tasks.events({ params: { id: task.id }, query: { limit: 1 } })
  const first = events[0]?.event
  const input = first?._tag === "Created" ? first.input : {}
  return { input, key: task.spec.idempotencyKey, resumed: true } satisfies Work
})

/** While the run's screen is in front, a Ctrl-C is its business. */
let watching = false

/** Follows the run in the terminal, across deaths of the service; its result comes from the service afterwards. */
const follow = async (service: Service, flags: Flags, work: Work): Promise<number> => {
  const { COPPICE_TOKEN: _token, COPPICE_URL: _url, ...env } = process.env
  const run = ["run", "migrate", "--input", JSON.stringify(work.input), "--key", work.key, "--data", flags.data]
  const args = [join(root, "apps/cli/src/main.ts"), ...run]
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["inherit", "ignore", "inherit"] })
  const giveUp = () => void child.kill("SIGTERM")
  service.end.then(giveUp, giveUp)
  watching = true
  const [code] = await once(child, "exit") as [number | null]
  watching = false
  return code ?? 1
}

/** Says yes to every question of the showcase, as long as this process of the service lives. */
const sayYes = (client: Client): Effect.Effect<void, unknown> => {
  const answerAll = Effect.gen(function*() {
    const { questions } = yield* client.inbox.list({ query: {} })
    for (const { request, task } of questions) {
      const payload = { key: request.key, action: "accept", content: { approve: true } } as const
      yield* Effect.ignore(client.inbox.answer({ params: { id: task }, payload }))
    }
  })
  return Stream.runForEach(
    client.follow({ since: 0 }),
    (frame) => frame.event === "message" && frame.data.event._tag === "InputRequested" ? answerAll : Effect.void
  )
}

const numbers = new Intl.NumberFormat("en")
const count = (n: number): string => numbers.format(n)

/** What the run did, for a person; every failure is named. */
const report = (result: Migration, tasks: ReadonlyArray<Task>, run: Task): ReadonlyArray<string> => {
  const attempts = tasks.reduce((sum, task) => sum + task.attempt, 0)
  const seconds = ((run.endedAt ?? run.updatedAt) - run.createdAt) / 1_000
  return [
    `Migrated ${result.source}`,
    `      to ${result.approved ? result.output : "nothing: the change was not approved"}`,
    "",
    `  files migrated   ${result.migrated} (${result.unchanged} as they were, ${result.failures.length} failed)`,
    `  lines            +${count(result.linesAdded)} −${count(result.linesRemoved)}`,
    `  checks compared  ${count(result.compared)}, ${count(result.equal)} equal; ` +
    `${result.modulesLoaded} modules and ${count(result.exportsCompared)} exports alike`,
    `  tasks run        ${tasks.length}`,
    `  attempts         ${attempts}${attempts > tasks.length ? " (restarts took up what was left)" : ""}`,
    `  wall time        ${seconds.toFixed(1)} s`,
    ...result.failures.map(({ path, why }) => `  ✖ ${path}: ${why}`),
    ...result.differences.map((difference) => `  ≠ ${difference}`)
  ]
}

interface Migration {
  readonly source: string
  readonly output: string
  readonly approved: boolean
  readonly migrated: number
  readonly unchanged: number
  readonly failures: ReadonlyArray<{ readonly path: string; readonly why: string }>
  readonly linesAdded: number
  readonly linesRemoved: number
  readonly compared: number
  readonly equal: number
  readonly exportsCompared: number
  readonly modulesLoaded: number
  readonly differences: ReadonlyArray<string>
}

/** Prints how the showcase ended. True when every check was equal and no file failed. */
const tell = Effect.fnUntraced(function*(client: Client, key: string) {
  const { tasks: runs } = yield* client.tasks.list({ query: { agent: "migrate", roots: true, limit: 100 } })
  const run = runs.find((task) => task.spec.idempotencyKey === key)
  if (run === undefined || run.endedAt === null) return false
  const { completed, failed } = yield* client.tasks.result({ params: { id: run.id }, query: {} })
  const { tasks } = yield* client.tasks.tree({ params: { id: run.id }, query: { elsewhere: false } })
  const result = completed?.output as unknown as Migration | undefined
  const lines = result === undefined
    ? [`The run ${run.status}: ${failed?.message ?? run.statusMessage ?? ""}`]
    : report(result, tasks, run)
  yield* Console.log(["", ...lines, ""].join("\n"))
  return result !== undefined && result.differences.length === 0 && result.equal === result.compared
})

/** How an MCP host is told of this service, in commands to copy. */
const hostLines = (mcp: string | null, data: string): ReadonlyArray<string> => {
  if (mcp === null) return []
  const folder = resolve(root, data)
  const service = {
    mcp,
    tokenFile: join(folder, "token"),
    data: folder === join(root, ".coppice") ? undefined : folder
  }
  return ["  hosts", `    ${Hosts.overHttp(service)}`, `    ${Hosts.overPipe(service)}`]
}

const links = Effect.fnUntraced(function*(client: Client, service: Service, data: string) {
  const { links } = yield* client.service.info()
  const named = {
    api: links.api,
    console: links.console === null ? null : service.console,
    mcp: links.mcp,
    traces: links.traces
  }
  const shown = Object.entries(named).flatMap(([name, url]) => url === null ? [] : [`  ${name.padEnd(8)} ${url}`])
  yield* Console.log(
    [
      `Serving at ${service.url}`,
      ...shown,
      ...hostLines(links.mcp, data),
      "  Ctrl-C stops it; `npm start` goes on where it stopped"
    ].join("\n")
  )
})

const program = Effect.fnUntraced(function*(flags: Flags, service: Service, building: Promise<string | undefined>) {
  const ready = (((yield* Clock.currentTimeMillis) - began) / 1_000).toFixed(1)
  const trouble = yield* Effect.promise(() => building)
  const work = yield* Effect.flatMap(service.client, (client) => findWork(client, flags))
  yield* Console.log(
    `${work.resumed ? "Taking up the unfinished migration" : "Migrating"} (service ready after ${ready} s)`
  )
  yield* Console.log(trouble === undefined ? `Watch it at ${service.console}` : `Without a console: ${trouble}`)
  const yes = Effect.andThen(Effect.ignore(Effect.flatMap(service.client, sayYes)), Effect.sleep("200 millis"))
  if (flags.yes) yield* Effect.forkChild(Effect.forever(yes))
  const code = yield* Effect.promise(() => follow(service, flags, work))
  const client = yield* service.client
  const good = yield* tell(client, work.key)
  if (flags.exit) return code === 0 && !good ? 1 : code
  yield* links(client, service, flags.data)
  yield* Effect.tryPromise({ try: () => service.end, catch: (error) => error as Stop })
  return 0
})

const main = async (): Promise<number> => {
  const flags = readFlags()
  if (flags.help) {
    console.log(`npm start -- [--${Object.keys(options).join("] [--")}]`)
    return 0
  }
  folder("source", flags.source)
  const building = buildConsole()
  const service = await Service.start(serviceArgs(flags), flags.data)
  process.on("SIGINT", () => watching || void service.stop())
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => void service.stop())
  try {
    return await Effect.runPromise(program(flags, service, building))
  } finally {
    await service.stop()
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(`coppice: ${(error as Error).message}`)
    process.exit(error instanceof Stop ? error.code : 1)
  }
)
