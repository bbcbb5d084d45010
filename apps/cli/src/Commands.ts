/**
 * The verbs as the command line knows them: their names, flags and help. What a verb does is loaded when it is used, so
 * that a start costs only the verb that was asked for.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Connection } from "./Connection.ts"
import type { Failure } from "./Failure.ts"
import type { Host } from "./Host.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

const given = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

const id = Argument.String("id").pipe(Argument.withDescription("Id of a task, or an unambiguous beginning of it"))
const json = given("json", "Print JSON instead of text")

/** The root: where the service is. */
const root = Command.make("coppice").pipe(
  Command.withDescription("Supervised, durable agents: run them, watch them, answer them"),
  Command.withSharedFlags({
    url: text("url", "URL", "Address of the service [COPPICE_URL, else the nearest .coppice/service.json]"),
    data: text("data", "DIR", "Data folder of the service, where its service.json stands [COPPICE_DATA]")
  })
)

type Verb<Input, R> = (input: Input) => Effect.Effect<void, Failure, R>

/** A verb that talks to the service. */
const connected = <Input>(load: () => Promise<Verb<Input, Host | Connection>>) =>
  Effect.fnUntraced(function*(input: Input) {
    const { data, url } = yield* root
    const [verb, { layer }] = yield* Effect.promise(() => Promise.all([load(), import("./Connection.ts")]))
    return yield* Effect.provide(verb(input), layer({ data, url }))
  })

const example = (command: string, description: string) => ({ command, description })

const run = Command.make("run", {
  agent: Argument.String("agent").pipe(Argument.withDescription("Name of an agent or a workflow")),
  input: text("input", "JSON|@file|-", "What it works on: JSON, a file, or - for the standard input"),
  detach: given("detach", "Print the id and do not wait for the end"),
  deadline: text("deadline", "10m", "Fail the run when it has not ended by then"),
  budget: text(
    "budget",
    "calls=100,wallClock=1h",
    "What the run may use: wallClock, calls, tokens, money, depth, fanOut, soft"
  ),
  key: text("key", "KEY", "Idempotency key: the same key with the same input is the same run"),
  json
}, connected(() => import("./verbs/run.ts").then(({ run }) => run))).pipe(
  Command.withDescription("Start a run, follow it, answer its questions, print its result"),
  Command.withExamples([
    example("coppice run review --input '{\"path\":\"a.ts\"}'", "to its end"),
    example("coppice run review --input @input.json --detach", "in the background")
  ])
)

const statuses = ["working", "input_required", "completed", "failed", "cancelled"] as const

const ps = Command.make("ps", {
  status: Flag.Literals("status", statuses).pipe(
    Flag.withDescription("Only these; may be given several times"),
    Flag.atLeast(0)
  ),
  agent: text("agent", "NAME", "Only of this agent"),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("How many of those that have ended [10]"),
    Flag.filter((limit) => limit >= 1 && limit <= 1_000, () => "a number from 1 to 1000"),
    Flag.withDefault(10)
  ),
  tasks: given("tasks", "Every task, not only whole runs"),
  json
}, connected(() => import("./verbs/ps.ts").then(({ ps }) => ps))).pipe(
  Command.withDescription("List the runs: what is active, and what ended last")
)

const tree = Command.make("tree", { id, json }, connected(() => import("./verbs/tree.ts").then(({ tree }) => tree)))
  .pipe(
    Command.withDescription("Show a task and everything below it")
  )

const watch = Command.make("watch", {
  id: id.pipe(Argument.optional, Argument.map(Option.getOrUndefined)),
  json
}, connected(() => import("./verbs/watch.ts").then(({ watch }) => watch))).pipe(
  Command.withDescription("Watch a run to its end, or all runs")
)

const events = Command.make("events", {
  id,
  follow: given("follow", "Go on with what happens from now on, to the end of the task"),
  since: Flag.Int("since").pipe(
    Flag.withDescription("Only facts after this place in the log [0]"),
    Flag.filter((since) => since >= 0, () => "0 or more"),
    Flag.withDefault(0)
  ),
  json
}, connected(() => import("./verbs/events.ts").then(({ events }) => events))).pipe(
  Command.withDescription("Print what happened, fact by fact")
)

const why = Command.make("why", { id, json }, connected(() => import("./verbs/why.ts").then(({ why }) => why))).pipe(
  Command.withDescription("Tell what a task waits for, since when, and who can change that")
)

const inbox = Command.make("inbox", {
  run: text("run", "ID", "Only questions of this run"),
  json
}, connected(() => import("./verbs/inbox.ts").then(({ inbox }) => inbox))).pipe(
  Command.withDescription("List the questions that wait for a person")
)

const answer = Command.make("answer", {
  id,
  accept: text("accept", "JSON|@file|-", "Answer with this content"),
  decline: given("decline", "Answer no"),
  cancel: given("cancel", "Dismiss the question without a decision"),
  delegate: text("delegate", "NAME", "Give the right to answer it to somebody else"),
  key: text("key", "KEY", "Which question, when the task asks several"),
  json
}, connected(() => import("./verbs/answer.ts").then(({ answer }) => answer))).pipe(
  Command.withDescription("Answer a question; without flags, field by field in the terminal"),
  Command.withExamples([example("coppice answer 01kb2x9f4q --accept '{\"approve\":true}'", "from a script")])
)

const cancel = Command.make("cancel", {
  id,
  reason: text("reason", "TEXT", "Why; it is kept in the log"),
  report: given("report", "Wait until everything is at rest and tell how each task came to it"),
  preview: given("preview", "Tell what would stop and what would go on, and change nothing"),
  json
}, connected(() => import("./verbs/cancel.ts").then(({ cancel }) => cancel))).pipe(
  Command.withDescription("Stop a task and everything below it"),
  Command.withExamples([
    example("coppice cancel 01kb2x9f4q --preview", "what it would do"),
    example("coppice cancel 01kb2x9f4q --report", "what has become of everything")
  ])
)

const steer = Command.make("steer", {
  id,
  message: text("message", "TEXT", "What its code is told, if it listens"),
  priority: Flag.Int("priority").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Higher is given a place first"),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  ),
  deadline: text("deadline", "10m", "Fail it when it has not ended by then; never later than the task above"),
  budget: text("budget", "tokens=20000|JSON|@file|-", "The limits of a whole run"),
  subtree: given("subtree", "Everything below it that runs is told the same"),
  json
}, connected(() => import("./verbs/steer.ts").then(({ steer }) => steer))).pipe(
  Command.withDescription("Tell a running task something, or change its priority or limits"),
  Command.withExamples([
    example("coppice steer 01kb2x9f4q --message 'leave the tests alone'", "guidance"),
    example("coppice steer 01kb2x9f4q --deadline 10m --subtree", "all of it within ten minutes")
  ])
)

const retry = Command.make("retry", {
  id,
  fresh: given("fresh", "Do everything again, also what had succeeded"),
  detach: given("detach", "Print the id and do not wait for the end"),
  json
}, connected(() => import("./verbs/run.ts").then(({ retry }) => retry))).pipe(
  Command.withDescription(
    "Run a task's input again, as a new run; steps and calls that had succeeded are not done again"
  ),
  Command.withExamples([
    example("coppice retry 01kb2x9f4q", "from where it failed"),
    example("coppice retry 01kb2x9f4q --fresh", "from the beginning")
  ])
)

const fork = Command.make("fork", {
  id,
  at: text(
    "at",
    "STEP",
    "Step, call or question from where all is done anew: its key, its name, or a place in the log"
  ),
  input: text("input", "JSON|@file|-", "Another input"),
  answer: text("answer", "KEY=JSON", "Another answer to a question"),
  detach: given("detach", "Print the id and do not wait for the end"),
  json
}, connected(() => import("./verbs/run.ts").then(({ fork }) => fork))).pipe(
  Command.withDescription("Start a new run from a part of a recorded one, which is not done again"),
  Command.withExamples([
    example("coppice fork 01kb2x9f4q --at 'write summary'", "the rest again, with the code there is now"),
    example("coppice fork 01kb2x9f4q --answer 'approve={\"ok\":false}'", "what if the answer had been another one")
  ])
)

const config = text("config", "FILE", "Configuration whose agents are meant [coppice.config.ts]")

const exportRun = Command.make("export", {
  id,
  output: text("output", "FILE", "Where to [the standard output]")
}, connected(() => import("./verbs/export.ts").then(({ exportRun }) => exportRun))).pipe(
  Command.withDescription("Write every fact of a run, one a line: a recording to keep and to replay")
)

const replay = Command.make(
  "replay",
  {
    run: Argument.String("run").pipe(Argument.withDescription("Id of a run, or a file of coppice export")),
    config,
    store: text("store", "sqlite:PATH", "Take the run out of this store, of which a copy is read"),
    json
  },
  Effect.fnUntraced(function*(input) {
    const { data, url } = yield* root
    const [{ replay }, { layer }] = yield* Effect.promise(() =>
      Promise.all([import("./verbs/replay.ts"), import("./Connection.ts")])
    )
    return yield* replay(input, layer({ data, url }))
  })
).pipe(
  Command.withDescription("Run a recorded run again with the code there is now, offline; exit 1 where it differs"),
  Command.withExamples([
    example("coppice replay 01kb2x9f4q", "a run of the service"),
    example("coppice replay test/review.jsonl", "a recording, as a regression test")
  ])
)

const build = (name: string, description: string) =>
  Argument.String(name).pipe(
    Argument.withDescription(description),
    Argument.optional,
    Argument.map(Option.getOrUndefined)
  )

const checkCompat = Command.make("check-compat", {
  old: build("old", "The build that is called: a configuration, or a .json written by --dump"),
  next: build("new", "The build that is to be called [coppice.config.ts]"),
  dump: text("dump", "FILE", "Write the contracts of <old> [coppice.config.ts] to a file, and compare nothing"),
  store: text("store", "sqlite:PATH", "Name the callers this store has recorded; a copy is read"),
  json
}, (input) =>
  Effect.flatMap(
    Effect.promise(() => import("./verbs/checkCompat.ts")),
    ({ checkCompat }) => checkCompat(input)
  )).pipe(
    Command.withDescription("Compare what two builds' agents promise; exit 1 when a caller may break"),
    Command.withExamples([
      example("coppice check-compat --dump contracts.json", "with the build that is deployed"),
      example("coppice check-compat contracts.json", "with the one that is to be")
    ])
  )

const remove = Command.make(
  "delete",
  { id, json },
  connected(() => import("./verbs/delete.ts").then(({ remove }) => remove))
).pipe(Command.withDescription("Forget a run that has ended"))

const agents = Command.make(
  "agents",
  { watch: given("watch", "Show them as they go, until Ctrl-C; in a pipe, every change is a line"), json },
  connected(() => import("./verbs/agents.ts").then(({ agents }) => agents))
).pipe(Command.withDescription("Show the agents, who supervises them, and how busy they are"))

/** What the audit knows, see `@coppice/api/AuditApi`; written out here because a start loads no schema. */
const kinds = [
  "submitted",
  "answered",
  "voted",
  "delegated",
  "steered",
  "cancelled",
  "deleted",
  "refused"
] as const

const audit = Command.make(
  "audit",
  {
    run: text("run", "ID", "Only what concerns this run, which may be gone"),
    by: text("by", "NAME", "Only what this person or principal decided"),
    kind: Flag.Literals("kind", kinds).pipe(
      Flag.withDescription("Only decisions of a kind"),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    ),
    limit: Flag.Int("limit").pipe(Flag.withDescription("How many, the newest"), Flag.withDefault(100)),
    verify: given("verify", "Read the whole record and check that each entry follows from the one before"),
    json
  },
  connected(() => import("./verbs/audit.ts").then(({ audit }) => audit))
).pipe(
  Command.withDescription("Show who decided what: submitted, answered, steered, cancelled, deleted, was refused"),
  Command.withExamples([
    example("coppice audit --by ann", "what Ann decided"),
    example("coppice audit --verify", "whether the record is whole")
  ])
)

const doctor = Command.make(
  "doctor",
  { json },
  Effect.fnUntraced(function*({ json }) {
    const { data, url } = yield* root
    const { doctor } = yield* Effect.promise(() => import("./verbs/doctor.ts"))
    return yield* doctor({ data, url, json })
  })
).pipe(Command.withDescription("Check this machine, this folder and the service, and say what to mend"))

const mcp = Command.make(
  "mcp",
  { config: text("config", "FILE", "Configuration of a service that has to be started [coppice.config.ts]") },
  Effect.fnUntraced(function*({ config }) {
    const { data, url } = yield* root
    const { mcp } = yield* Effect.promise(() => import("./verbs/mcp.ts"))
    return yield* mcp({ data, url, config })
  })
).pipe(
  Command.withDescription("Speak MCP on the standard streams, for hosts that start their servers themselves"),
  Command.withExamples([example("claude mcp add coppice -- npx coppice mcp", "as a server of Claude Code")])
)

const gateway = Command.make(
  "gateway",
  {
    command: Argument.String("command").pipe(
      Argument.withDescription("The server's program and its arguments, after --"),
      Argument.variadic()
    ),
    name: text("name", "NAME", "What the server is called here"),
    port: text("port", "PORT", "Serve HTTP on this port instead of the standard streams")
  },
  Effect.fnUntraced(function*({ command, name, port }) {
    const { data, url } = yield* root
    const { gateway } = yield* Effect.promise(() => import("./verbs/gateway.ts"))
    yield* gateway({ command, data, name, port, url })
  })
).pipe(
  Command.withDescription("Put any MCP server behind durable tasks: its command after --, or its address with --url"),
  Command.withExamples([
    example("coppice gateway -- npx -y some-mcp-server", "a program, on the standard streams"),
    example("coppice gateway --url https://example.test/mcp --port 4290", "an address, over HTTP")
  ])
)

/** Only for the help: the service reads its own flags, see `Cli`. */
const serve = Command.make("serve", {}, () => Effect.void).pipe(
  Command.withDescription("Start the service; `coppice serve --help` lists its flags")
)

/** Only for the help, too. */
const dev = Command.make("dev", {}, () => Effect.void).pipe(
  Command.withDescription("Start the service and take up edits while it runs; `coppice dev --help` lists its flags")
)

/** The whole command. */
export const coppice = root.pipe(Command.withSubcommands([
  { group: "Work", commands: [run, retry, fork, steer, cancel, remove] },
  { group: "Look", commands: [ps, tree, watch, events, why, exportRun, replay] },
  { group: "Answer", commands: [inbox, answer] },
  { group: "Operate", commands: [serve, dev, mcp, gateway, agents, audit, doctor, checkCompat] }
]))

/** Verbs of later releases, and what there is instead today. */
export const later: ReadonlyMap<string, string> = new Map([
  ["backup", "stop the service and copy its data folder"],
  ["init", "write a coppice.config.ts and start it with coppice serve"],
  ["trace", "coppice events <id> and coppice tree <id> show what happened"]
])
