import * as Agent from "@coppice/agent/Agent"
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import * as Human from "@coppice/agent/Human"
import * as Step from "@coppice/agent/Step"
import { Tasks } from "@coppice/task/Tasks"
import { Workers } from "@coppice/task/Worker"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Orchestrator from "../src/Orchestrator.ts"
import * as Roster from "../src/Roster.ts"
import type { Server } from "../src/Servers.ts"
import * as Store from "../src/Store.ts"

const { Roster: Service } = Roster

const agent = (name: string, input: Schema.Codec<any, any> = Schema.Json) =>
  Agent.make(name, { description: name, input, output: Schema.Json })

const says = (name: string, word: string) => agent(name).toLayer(() => Effect.succeed(word))

const live = Roster.layer.pipe(
  Layer.provideMerge(Orchestrator.make({ agents: [], executor: { grace: "100 millis" } }).runtime),
  Layer.provide(Store.layer("memory:"))
)

const replace = (agents: ReadonlyArray<Orchestrator.AgentLayer>, servers: Record<string, Server> = {}) =>
  Effect.flatMap(Service, (roster) => roster.replace({ agents, servers }))

const run = (name: string) => Effect.map(Orchestrator.run(name, null), ({ ending }) => ending)

const submit = Effect.fnUntraced(function*(name: string) {
  return (yield* (yield* Tasks).submit({ agent: name, input: null })).id
})

/** Waits for the task's nth fact of the kind. */
const fact = Effect.fnUntraced(function*(task: any, tag: string, nth = 1) {
  const { watch } = yield* Tasks
  return yield* watch({ task, since: 0 }).pipe(
    Stream.filter(({ event }) => event._tag === tag),
    Stream.take(nth),
    Stream.runLast
  )
})

const answer = Effect.fnUntraced(function*(task: any, content: Schema.Json) {
  yield* (yield* Tasks).respond({ id: task, response: { action: "accept", content, by: "test" } })
})

const ending = (task: any) => Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.result(task), (one) => one.ending))

const inService = <A, E>(body: Effect.Effect<A, E, Layer.Success<typeof live>>) => Effect.provide(body, live)

const Go = Schema.Struct({ go: Schema.Boolean })
const completed = (result: unknown): any => ({ _tag: "Completed", result })

describe("an agent that is exchanged", () => {
  it.live("runs its new code for the next task, and the others are left alone", () =>
    inService(Effect.gen(function*() {
      const other = says("other", "same")
      const first = yield* replace([says("a", "old"), other])
      assert.deepStrictEqual([first.added, first.changed, first.removed], [["a", "other"], [], []])
      const before = yield* Effect.map(AgentSupervisor, ({ tree }) => tree().find(({ id }) => id === "other")!.since)
      assert.deepStrictEqual(yield* run("a"), completed("old"))
      const second = yield* replace([says("a", "new"), other])
      assert.deepStrictEqual([second.added, second.changed, second.removed], [[], ["a"], []])
      assert.deepStrictEqual(yield* run("a"), completed("new"))
      const { tree } = yield* AgentSupervisor
      assert.deepStrictEqual(tree().map(({ id }) => id), ["a", "other"])
      assert.strictEqual(tree()[1]!.since, before)
    })))

  it.live("keeps its parked tasks, which go on with the new code", () =>
    inService(Effect.gen(function*() {
      const asks = (word: string) =>
        agent("a").toLayer(() => Effect.as(Effect.orDie(Human.ask({ message: "go?", form: Go })), word))
      yield* replace([asks("old")])
      const task = yield* submit("a")
      yield* fact(task, "InputRequested")
      yield* replace([asks("new")])
      yield* answer(task, { go: true })
      assert.deepStrictEqual(yield* ending(task), completed("new"))
    })))

  it.live("replays what was running, and its recorded steps are not done again", () =>
    inService(Effect.gen(function*() {
      let effects = 0
      const held = yield* Deferred.make<void>()
      const works = (rest: Effect.Effect<string>) =>
        agent("a").toLayer(() =>
          Effect.gen(function*() {
            yield* Step.run("first", Effect.sync(() => ++effects))
            return yield* Step.run("second", rest)
          })
        )
      yield* replace([works(Effect.andThen(Deferred.succeed(held, undefined), Effect.never))])
      const task = yield* submit("a")
      yield* Deferred.await(held)
      yield* replace([works(Effect.succeed("new"))])
      assert.deepStrictEqual(yield* ending(task), completed("new"))
      assert.strictEqual(effects, 1)
    })))

  it.live("parks with what differs when its steps are others", () =>
    inService(Effect.gen(function*() {
      const steps = (name: string) =>
        agent("a").toLayer(() =>
          Effect.gen(function*() {
            const said = yield* Step.run(name, Effect.succeed(name))
            yield* Effect.orDie(Human.ask({ message: "go?", form: Go }))
            return said
          })
        )
      yield* replace([steps("read")])
      const task = yield* submit("a")
      yield* fact(task, "InputRequested")
      yield* replace([steps("fetch")])
      yield* answer(task, { go: true })
      yield* fact(task, "InputRequested", 2)
      const [question] = yield* Effect.flatMap(Tasks, (tasks) => tasks.inbox({}))
      assert.match(question!.request.message, /- step "read".*\n.*\+ step "fetch"/)
      yield* answer(task, { choice: "restart" })
      yield* fact(task, "InputRequested", 3)
      yield* answer(task, { go: true })
      assert.deepStrictEqual(yield* ending(task), completed("fetch"))
    })))

  it.live("tells what its contract has changed", () =>
    inService(Effect.gen(function*() {
      const typed = (input: Schema.Codec<any, any>) => agent("a", input).toLayer(() => Effect.succeed(1))
      yield* replace([typed(Schema.Struct({ path: Schema.String }))])
      const { contracts } = yield* replace([typed(Schema.Struct({ path: Schema.String, depth: Schema.Int }))])
      assert.deepStrictEqual(contracts.map(({ breaks, part, path }) => [part, path, breaks]), [[
        "input",
        "depth",
        true
      ]])
    })))
})

describe("exchanges under load", () => {
  it.live("lose no task and do no recorded step again", () =>
    inService(Effect.gen(function*() {
      const steps = new Map<string, number>()
      const works = (word: number) =>
        Agent.make("a", { description: "", input: Schema.String, output: Schema.Json }).toLayer((input) =>
          Effect.gen(function*() {
            for (const name of ["first", "second"]) {
              yield* Step.run(name, Effect.sync(() => steps.set(input + name, (steps.get(input + name) ?? 0) + 1)))
              yield* Effect.yieldNow
            }
            return word
          })
        )
      yield* replace([works(0)])
      const submitAll = Effect.forEach(
        Array.from({ length: 300 }, (_, i) => `task ${i} `),
        (input) => Effect.flatMap(Tasks, (tasks) => tasks.submit({ agent: "a", input })),
        { concurrency: 8 }
      )
      const submitting = yield* Effect.forkChild(submitAll)
      for (let word = 1; word <= 20; word++) yield* replace([works(word)])
      const ids = (yield* Fiber.join(submitting)).map(({ id }) => id)
      const endings = yield* Effect.forEach(ids, ending)
      assert.isTrue(endings.every(({ _tag }) => _tag === "Completed"))
      const again = [...steps.values()].filter((times) => times > 1).length
      // a step whose end was not committed yet is done again
      assert.isBelow(again, 300)
    })))
})

describe("an exchange", () => {
  it.live("that cannot be built changes nothing, and gives back what it had opened", () =>
    inService(Effect.gen(function*() {
      let open = 0
      const pool = Layer.effectDiscard(Effect.acquireRelease(
        Effect.sync(() => ++open),
        () => Effect.sync(() => --open)
      ))
      const broken = Layer.effectDiscard(Effect.die(new Error("no database")))
      const old = says("a", "old")
      yield* replace([old])
      const error = yield* Effect.flip(replace([Layer.provide(says("a", "new"), pool), broken]))
      assert.strictEqual(error.message, "no database")
      assert.strictEqual(open, 0)
      assert.deepStrictEqual(yield* run("a"), completed("old"))
      const twice = yield* Effect.flip(replace([old, says("a", "new")]))
      assert.strictEqual(twice.message, "\"a\" names two of the agents and groups")
    })))

  it.live("forgets what is gone, and keeps what the rest shares", () =>
    inService(Effect.gen(function*() {
      const seen: Array<string> = []
      const pool = Layer.effectDiscard(Effect.acquireRelease(
        Effect.sync(() => seen.push("open")),
        () => Effect.sync(() => seen.push("closed"))
      ))
      const [a, b] = ["a", "b"].map((name) => Layer.provide(says(name, name), pool))
      yield* replace([a!, b!])
      const { removed } = yield* replace([b!])
      assert.deepStrictEqual([removed, seen], [["a"], ["open"]])
      const unknown = yield* Effect.flip(Orchestrator.run("a", null))
      assert.strictEqual(unknown._tag, "UnknownAgent")
      assert.deepStrictEqual(yield* Effect.map(Workers, (workers) => workers.contracts().map(({ name }) => name)), [
        "b"
      ])
      yield* replace([])
      assert.deepStrictEqual(seen, ["open", "closed"])
    })))

  it.live(
    "connects a server again only when something of it is said otherwise",
    () =>
      inService(Effect.gen(function*() {
        const remote = (timeout: string): Server => ({
          url: "http://127.0.0.1:1/mcp",
          timeout: timeout as "1 second",
          agents: [Agent.remote("far", { input: Schema.Struct({ a: Schema.String }) })]
        })
        const worker = Effect.map(Workers, (workers) => workers.find("far"))
        assert.deepStrictEqual((yield* replace([], { far: remote("1 second") })).added, ["server:far"])
        const before = yield* worker
        const same = yield* replace([], { far: remote("1 second") })
        assert.deepStrictEqual([same.changed, yield* worker], [[], before])
        assert.deepStrictEqual((yield* replace([], { far: remote("2 seconds") })).changed, ["server:far"])
        assert.notStrictEqual(yield* worker, before)
        assert.deepStrictEqual((yield* replace([])).removed, ["server:far"])
        assert.isUndefined(yield* worker)
      })),
    60_000
  )
})
