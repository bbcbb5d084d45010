import * as ApiClient from "@coppice/api/ApiClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { dev, startDev } from "../support/Process.ts"
import { config, imports, project, says } from "../support/Project.ts"

const output = Effect.fnUntraced(function*(client: ApiClient.ApiClient, agent: string, input: any = null) {
  const { id } = yield* client.tasks.submit({ payload: { agent, input } })
  return (yield* client.result(id)).completed?.output
})

const asked = (client: ApiClient.ApiClient, run: string, n = 1) =>
  client.follow({ run }).pipe(
    Stream.filter((frame) => frame.event === "message" && frame.data.event._tag === "InputRequested"),
    Stream.take(n),
    Stream.runDrain
  )

const start = Effect.fnUntraced(function*(files: Readonly<Record<string, string>>) {
  const made = yield* project(files)
  const running = yield* dev(made.app)
  return { ...made, running, client: yield* ApiClient.make(running) }
})

const asks = (word: string) =>
  `${imports}
export const Live = Agent.make("asks", { description: "Asks", input: Schema.Json, output: Schema.Json }).toLayer(() =>
  Effect.gen(function*() {
    const said = yield* Step.run(${word}, Effect.succeed(${word}))
    yield* Effect.orDie(Human.ask({ message: "go?", form: Schema.Struct({ go: Schema.Boolean }) }))
    return [said, ${word}, "${word.length}"]
  })
)
`

describe("an edit", () => {
  it.live(
    "of a module, of a package of the workspace and of the configuration is what the next task runs",
    () =>
      Effect.gen(function*() {
        const { client, running, write } = yield* start({
          "app/coppice.config.ts": config(["a", "b"]),
          "app/a.ts": says("a", "\"one\""),
          "app/b.ts": `import { word } from "@acme/words"\n${says("b", "word")}`
        })
        assert.deepStrictEqual(running.lines.map((line) => line.slice(0, 11)), [
          "  console  ",
          "  mcp      ",
          "  traces   "
        ])
        assert.match(running.lines[1]!, /http:\/\/127\.0\.0\.1:\d+\/mcp +claude mcp add /)
        assert.deepStrictEqual([yield* output(client, "a"), yield* output(client, "b")], ["one", "one"])

        yield* write("app/a.ts", says("a", "\"two\""))
        const first = yield* running.line("reloaded in", 1)
        assert.match(first, /^reloaded in \d+ ms: a changed \(a\.ts\)$/)
        assert.deepStrictEqual([yield* output(client, "a"), yield* output(client, "b")], ["two", "one"])

        yield* write("words/src/index.ts", "export const word: string = \"two\"\n")
        const second = yield* running.line("reloaded in", 2)
        assert.match(second, /: b changed \(\.\.\/words\/src\/index\.ts\)$/)
        assert.strictEqual(yield* output(client, "b"), "two")

        yield* write("app/c.ts", says("c", "3"))
        yield* write("app/coppice.config.ts", config(["a", "c"], "budget: { depth: 3 }"))
        const third = yield* running.line("reloaded in", 3)
        assert.match(third, /: c added, b removed \(coppice\.config\.ts\)$/)
        yield* running.line("budget changed too: start again")
        assert.strictEqual(yield* output(client, "c"), 3)
        const { error } = (yield* Effect.flip(output(client, "b"))) as any
        assert.strictEqual(error.code, "unknown_agent")
        assert.isTrue((yield* client.service.info()).dev)
        const { last, problem, reloads } = yield* client.dev.status()
        assert.deepStrictEqual([reloads, problem], [3, null])
        assert.deepStrictEqual([last?.added, last?.removed, last?.restart], [["c"], ["b"], ["budget"]])
        for (const line of [first, second, third]) process.stdout.write(`${line}\n`)
      }),
    60_000
  )

  it.live("leaves parked tasks and open streams alone", () =>
    Effect.gen(function*() {
      const { client, running, write } = yield* start({
        "app/coppice.config.ts": config(["asks"]),
        "app/asks.ts": asks("\"one\"")
      })
      const { id } = yield* client.tasks.submit({ payload: { agent: "asks", input: null } })
      yield* asked(client, id)
      const stream = yield* Effect.forkChild(
        client.follow({ run: id }).pipe(
          Stream.takeUntil((frame) => frame.event === "message" && frame.data.event._tag === "Completed"),
          Stream.runCollect
        )
      )
      yield* write("app/asks.ts", asks("\"one\"").replace("[said, ", "[\"new\", said, "))
      yield* running.line("reloaded in", 1)
      yield* client.inbox.answer({ params: { id }, payload: { action: "accept", content: { go: true } } })
      assert.deepStrictEqual((yield* client.result(id)).completed?.output, ["new", "one", "one", "5"])
      const frames = yield* Fiber.join(stream)
      const seqs = frames.flatMap((frame) => frame.event === "message" ? [frame.data.seq] : [])
      assert.deepStrictEqual(seqs, [...new Set(seqs)].toSorted((a, b) => a - b))
    }), 60_000)

  it.live(
    "that no longer fits a task parks it with the difference, in the terminal and over the API",
    () =>
      Effect.gen(function*() {
        const { client, running, write } = yield* start({
          "app/coppice.config.ts": config(["asks"]),
          "app/asks.ts": asks("\"one\"")
        })
        const { id } = yield* client.tasks.submit({ payload: { agent: "asks", input: null } })
        yield* asked(client, id)
        yield* write("app/asks.ts", asks("\"other\""))
        yield* running.line("reloaded in", 1)
        yield* client.inbox.answer({ params: { id }, payload: { action: "accept", content: { go: true } } })
        yield* running.line(`coppice answer ${id} --accept '{"choice":"restart"}'`)
        assert.match(yield* running.line("- step"), /- step "one" {3}\(recorded, and the code does not ask for it\)/)
        const { outgrown } = yield* client.dev.status()
        assert.deepStrictEqual(outgrown.map(({ agent, choices, task }) => [agent, task, choices]), [
          ["asks", id, ["continue", "restart", "stop"]]
        ])
        yield* client.inbox.answer({ params: { id }, payload: { action: "accept", content: { choice: "restart" } } })
        yield* asked(client, id, 3)
        yield* client.inbox.answer({ params: { id }, payload: { action: "accept", content: { go: true } } })
        assert.deepStrictEqual((yield* client.result(id)).completed?.output, ["other", "other", "7"])
      }),
    60_000
  )

  it.live("of a contract is told with what breaks", () =>
    Effect.gen(function*() {
      const { client, running, write } = yield* start({
        "app/coppice.config.ts": config(["a"]),
        "app/a.ts": says("a", "1", "Schema.Struct({ path: Schema.String })")
      })
      yield* write("app/a.ts", says("a", "1", "Schema.Struct({ path: Schema.String, depth: Schema.Int })"))
      assert.strictEqual(yield* running.line("  ! a, input"), "  ! a, input depth: is required and was not there")
      const { last } = yield* client.dev.status()
      assert.deepStrictEqual(last?.contracts.map(({ breaks, path }) => [path, breaks]), [["depth", true]])
    }), 60_000)
})

describe("a start", () => {
  it.live("that is only asked for help, or names no configuration, ends", () =>
    Effect.gen(function*() {
      const { app } = yield* project({})
      const help = yield* Effect.flatMap(startDev(app, ["--help"]), ({ ended }) => ended)
      assert.deepStrictEqual([help.code, help.lines[0]], [0, "coppice dev [config] [flags]"])
      const nowhere = yield* Effect.flatMap(startDev(app, ["--config", "nowhere.ts"]), ({ ended }) => ended)
      assert.deepStrictEqual([nowhere.code, nowhere.lines.length], [2, 1])
      assert.match(nowhere.lines[0]!, /There is no file .*nowhere\.ts; check --config$/)
    }), 60_000)
})

describe("code that cannot run", () => {
  const broken = {
    "does not parse": [`export const Live = ;\n`, /a\.ts:1:21 Expression expected/],
    "is not what Node reads": [`${says("a", "1")}export enum E { A }\n`, /a\.ts:10:8 TypeScript enum is not supported/],
    "names no file": [
      `import { x } from "./b"\n${says("a", "1")}`,
      /a\.ts it imports \.\/b, and there is no such file/
    ],
    "imports a type as a value": [`import { Yieldable } from "effect/Effect"\n${says("a", "1")}`, /Yieldable/],
    "throws": [`${says("a", "1")}throw new Error("no key")\n`, /a\.ts:\d+:\d+ no key/],
    "imports what is not there": [
      `import { x } from "./nowhere.ts"\n${says("a", "x")}`,
      /a\.ts it imports \.\/nowhere\.ts, and there is no such file/
    ],
    "needs what cannot be built": [
      `${says("a", "1").replace("Live", "Own")}
import * as Layer from "effect/Layer"
export const Live = Layer.provide(Own, Layer.effectDiscard(Effect.sync(() => { throw new Error("no database") })))
`,
      /a\.ts:\d+:\d+ no database/
    ],
    "exports nothing": [says("a", "1").replace("const Live =", "const Own ="), /one of the agents is none/]
  } as const

  it.live(
    "leaves the code of before, says where it is wrong, and is forgotten once it is right",
    () =>
      Effect.gen(function*() {
        const { client, running, write } = yield* start({
          "app/coppice.config.ts": config(["a"]),
          "app/a.ts": says("a", "0")
        })
        let count = 0
        for (const [, [text, message]] of Object.entries(broken)) {
          count++
          yield* write("app/a.ts", text)
          assert.match(yield* running.line("not loaded:", count), message)
          assert.strictEqual(yield* output(client, "a"), count - 1)
          const { problem } = yield* client.dev.status()
          assert.match(
            [problem?.file, problem?.line, problem?.column].filter((one) => one != null).join(":") +
              ` ${problem?.message}`,
            message
          )
          yield* write("app/a.ts", says("a", String(count)))
          yield* running.line("reloaded in", count)
          assert.isNull((yield* client.dev.status()).problem)
          assert.strictEqual(yield* output(client, "a"), count)
        }
      }),
    60_000
  )

  it.live("at the start is waited for", () =>
    Effect.gen(function*() {
      const { app, write } = yield* project({
        "app/coppice.config.ts": config(["a"]),
        "app/a.ts": "export const Live = ;\n"
      })
      const running = yield* startDev(app)
      yield* running.line("not loaded: a.ts:1:21")
      yield* running.line("Nothing runs yet")
      yield* write("app/a.ts", says("a", "1"))
      yield* running.line("  traces ")
      yield* running.kill("SIGTERM")
      assert.strictEqual((yield* running.ended).code, 0)
    }), 60_000)
})
