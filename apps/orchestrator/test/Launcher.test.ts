import * as ApiClient from "@coppice/api/ApiClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { verdict } from "../src/Launcher.ts"
import { config, type Ending, serve, start } from "./support/Process.ts"
import { ask, folder } from "./support/Service.ts"

const refused = (ending: Ending, code: number, pattern: RegExp) => {
  assert.strictEqual(ending.lines.length, 1, ending.lines.join("\n"))
  assert.match(ending.lines[0]!, pattern)
  assert.strictEqual(ending.code, code)
}

const usedPort = Effect.acquireRelease(
  Effect.callback<ReturnType<typeof createServer>>((resume) => {
    const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
).pipe(Effect.map((server) => (server.address() as AddressInfo).port))

const run = Effect.fnUntraced(
  function*(args: ReadonlyArray<string>, environment?: Record<string, string>, cwd?: string) {
    const { ended } = yield* start(args, environment, cwd)
    return yield* ended
  }
)

/** The task of the run that asks. */
const questionOf = (client: ApiClient.ApiClient, run: string) =>
  client.follow({ run }).pipe(
    Stream.filter((frame) => frame.event === "message" && frame.data.event._tag === "InputRequested"),
    Stream.runHead,
    Effect.map((found) =>
      Option.match(found, {
        onNone: () => "",
        onSome: (frame) => frame.event === "message" ? frame.data.task : ""
      })
    )
  )

describe("a start that is refused says why in one line", () => {
  it.live("for a flag, a variable or a setting nobody knows", () =>
    Effect.gen(function*() {
      const data = yield* folder
      refused(yield* run(["--prot", "1"]), 2, /^coppice: There is no flag --prot; did you mean --port\?$/)
      refused(
        yield* run([], { COPPICE_STROE: "x" }),
        2,
        /There is no variable COPPICE_STROE; did you mean COPPICE_STORE\?/
      )
      refused(yield* run(["--store", "postgres://u:secret@db"]), 2, /not in this release yet/)
      const file = join(data, "bad.config.mjs")
      writeFileSync(file, "export default { _tag: 'Orchestrator', options: { agnets: [] } }")
      refused(yield* run(["--config", file]), 2, /there is no option "agnets"; did you mean "agents"\?$/)
      writeFileSync(
        join(data, "service.config.mjs"),
        "export default { _tag: 'Orchestrator', options: { service: { prot: 1 } } }"
      )
      refused(
        yield* run(["--config", join(data, "service.config.mjs")]),
        2,
        /there is no setting "prot"; did you mean port\?$/
      )
    }))

  it.live("for a configuration that is missing, broken or empty", () =>
    Effect.gen(function*() {
      const data = yield* folder
      refused(yield* run([], {}, data), 2, /There is no coppice.config.ts in this folder; write one that exports/)
      refused(yield* run(["--config", "nowhere.ts"]), 2, /There is no file .*nowhere.ts; check --config$/)
      const file = join(data, "c.mjs")
      writeFileSync(file, "export default {}")
      refused(yield* run(["--config", file]), 2, /has no orchestrator; write `export default Orchestrator.make/)
      writeFileSync(file, "throw new Error('first line\\nsecond line')")
      refused(yield* run(["--config", file]), 2, /cannot be loaded: first line; correct it and start again$/)
    }))

  it.live("for a port that is in use", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const port = yield* usedPort
      const ending = yield* run(["--config", config, "--data", data, "--port", String(port)])
      refused(ending, 4, new RegExp(`Port ${port} is in use; stop what uses it, or choose another with --port`))
      assert.isFalse(existsSync(join(data, "service.json")))
    }))

  it.live("for a data folder that is a file, or may not be written", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const file = join(data, "file")
      writeFileSync(file, "")
      refused(
        yield* run(["--config", config, "--data", file, "--port", "0"]),
        4,
        /is a file, not a folder; name another/
      )
      refused(yield* run(["--config", config, "--data", join(file, "x"), "--port", "0"]), 4, /is a file, not a folder/)
      if (process.getuid?.() === 0) return
      const locked = join(data, "locked")
      mkdirSync(locked)
      chmodSync(locked, 0o500)
      refused(yield* run(["--config", config, "--data", locked, "--port", "0"]), 4, /cannot be written .*--data/)
    }))

  it.live("for a store that is damaged, or from a newer release", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const damaged = join(data, "damaged.db")
      writeFileSync(damaged, "not a database ".repeat(500))
      const args = ["--config", config, "--data", data, "--port", "0", "--store"]
      refused(yield* run([...args, `sqlite:${damaged}`]), 4, /damaged.db: damaged .*; restore a backup/)
      assert.include(readFileSync(damaged, "utf8"), "not a database")
      const newer = join(data, "newer.db")
      const database = new DatabaseSync(newer)
      database.exec("PRAGMA user_version = 99")
      database.close()
      refused(yield* run([...args, `sqlite:${newer}`]), 4, /schema 99.*newer release/)
      refused(yield* run([...args, `sqlite:${data}`]), 4, /is a folder/)
    }))

  it.live("for a store another process owns, and leaves that one alone (case 10)", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const first = yield* serve(data)
      const store = `sqlite:${join(data, "coppice.db")}`
      const other = yield* run(["--config", config, "--port", "0", "--data", join(data, "b"), "--store", store])
      refused(other, 4, new RegExp(`in use by process ${first.pid} .*; stop that process or choose another file`))
      const same = yield* run(["--config", config, "--port", "0", "--data", data, "--store", "memory:"])
      refused(same, 4, new RegExp(`A service already runs at ${first.url} \\(process ${first.pid}\\)`))
      assert.strictEqual((yield* Effect.promise(() => ask(`${first.url}/readyz`))).status, 200)
    }))
})

describe("a service as a process", () => {
  it.live(
    "stops on a signal, keeps what was acknowledged, and goes on at the next start",
    () =>
      Effect.gen(function*() {
        const data = yield* folder
        const first = yield* serve(data)
        const file = join(data, "service.json")
        assert.strictEqual(statSync(file).mode & 0o777, 0o600)
        assert.strictEqual(statSync(data).mode & 0o077, 0)
        const client = yield* ApiClient.make(first)
        const { id } = yield* client.tasks.submit({ payload: { agent: "survey", input: { text: "Go on?" } } })
        yield* first.kill("SIGTERM")
        const ending = yield* first.ended
        assert.deepStrictEqual([ending.code, ending.signal], [0, null], ending.lines.join("\n"))
        assert.isFalse(existsSync(file))
        assert.notInclude(ending.lines.join("\n"), first.token)

        const again = yield* ApiClient.make(yield* serve(data))
        assert.strictEqual((yield* again.tasks.get({ params: { id } })).endedAt, null)
        const question = yield* questionOf(again, id)
        yield* again.inbox.answer({ params: { id: question }, payload: { action: "accept", content: { ok: true } } })
        assert.deepStrictEqual((yield* again.result(id)).completed, { output: true })
      }),
    30_000
  )

  it.live("replaces the file of a service that was killed, and goes on with its tasks", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const first = yield* serve(data)
      const client = yield* ApiClient.make(first)
      const { id } = yield* client.tasks.submit({ payload: { agent: "nap", input: { seconds: 0.2 } } })
      yield* first.kill("SIGKILL")
      yield* first.ended
      const second = yield* serve(data)
      // the folder's own secret: hosts that know it need not be told again
      assert.strictEqual(second.token, first.token)
      assert.include(yield* second.line("MCP hosts:"), `claude mcp add --transport http coppice ${second.url}/mcp`)
      assert.notInclude(yield* second.line("MCP hosts:"), second.token)
      assert.notStrictEqual(second.pid, first.pid)
      const again = yield* ApiClient.make(second)
      assert.deepStrictEqual((yield* again.result(id)).completed, { output: null })
    }), 30_000)

  it.live(
    "is forced to end by a second signal",
    () =>
      Effect.forEach(
        [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const,
        ([signal, code]) =>
          Effect.gen(function*() {
            const running = yield* serve(yield* folder, [], { TEST_SLOW_STOP: "1" })
            yield* running.kill("SIGINT")
            yield* running.line("Stopping")
            yield* running.kill(signal)
            assert.strictEqual((yield* running.ended).code, code)
          })
      ),
    30_000
  )

  it.live("stops within ten seconds, whatever does not let go", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const running = yield* serve(data, [], { TEST_SLOW_STOP: "1" })
      yield* running.kill("SIGTERM")
      yield* running.line("Some work did not stop within 10s")
      assert.strictEqual((yield* running.ended).code, 0)
      assert.isFalse(existsSync(join(data, "service.json")))
    }), 30_000)

  it.live("ends long waits and streams when it stops", () =>
    Effect.gen(function*() {
      const running = yield* serve(yield* folder)
      const client = yield* ApiClient.make(running)
      const { id } = yield* client.tasks.submit({ payload: { agent: "nap", input: { seconds: 3_600 } } })
      const headers = { authorization: `Bearer ${running.token}` }
      const waiting = ask(`${running.url}/api/v1/tasks/${id}/result?wait=60`, { headers })
      // answered after the wait was asked for: a signal before that would meet a request nobody has read
      const stream = yield* Effect.promise(() => ask(`${running.url}/api/v1/events?run=${id}`, { headers }))
      yield* running.kill("SIGTERM")
      assert.strictEqual((yield* Effect.promise(() => waiting)).status, 200)
      assert.include(yield* Effect.promise(() => stream.text()), "Created")
      assert.strictEqual((yield* running.ended).code, 0)
    }), 30_000)
})

describe("verdict", () => {
  it("has one line for what nobody foresaw", () => {
    assert.deepStrictEqual(verdict(Exit.void), { code: 0, line: undefined })
    const { code, line } = verdict(Exit.die(new Error("oops\nsecond")))
    assert.strictEqual(code, 1)
    assert.notInclude(line!, "\n")
  })
})
