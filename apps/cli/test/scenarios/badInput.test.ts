/**
 * What goes wrong outside this code, in one table: each is told in one clear line with what to do, ends with its exit code,
 * and costs nothing that was acknowledged.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { config, run, serve, start } from "../support/Command.ts"
import { folder } from "../support/Orchestrator.ts"

/** What is said, without its colours, on one line. */
const said = (err: string) => err.trim().split("\n").map((line) => line.trim()).join(" ")

const ada = ["run", "greet", "--input", "{\"name\":\"Ada\"}"]

/** A folder in which a service runs that has done something. */
const served = Effect.gen(function*() {
  const cwd = yield* folder
  const service = yield* serve(cwd)
  assert.strictEqual((yield* run(cwd, ada)).code, 0)
  return { cwd, service }
})

/** The runs that were acknowledged are there, and the service takes work. */
const isWell = Effect.fnUntraced(function*(cwd: string, runs: number) {
  const { code, out } = yield* run(cwd, ["ps", "--json", "--limit", "100"])
  assert.strictEqual(code, 0)
  assert.lengthOf(JSON.parse(out).tasks, runs)
  assert.strictEqual((yield* run(cwd, ada)).code, 0)
})

/** What the service of a data folder answers to who asks whether it takes work. */
const readiness = async (data: string): Promise<number> => {
  const { url } = JSON.parse(readFileSync(join(data, "service.json"), "utf8"))
  return (await fetch(`${url}/readyz`)).status
}

interface Refused {
  readonly what: string
  readonly args: ReadonlyArray<string>
  readonly code: number
  readonly line: RegExp
}

describe("a start", () => {
  interface Start extends Refused {
    readonly env?: Readonly<Record<string, string>>
    /** Makes what is wrong in the folder. */
    readonly prepare?: (cwd: string) => void
  }
  const written = (name: string, text: string) => (cwd: string) => writeFileSync(join(cwd, name), text)
  const store = (path: string) => ["--config", config, "--store", `sqlite:${path}`]

  const starts: ReadonlyArray<Start> = [
    { what: "a flag", args: ["--prot", "1"], code: 2, line: /no flag --prot; did you mean --port\?$/ },
    {
      what: "a variable",
      args: ["--config", config],
      env: { COPPICE_STROE: "x" },
      code: 2,
      line: /no variable COPPICE_STROE; did you mean COPPICE_STORE\?$/
    },
    { what: "no configuration", args: [], code: 2, line: /no coppice.config.ts in this folder; write one/ },
    {
      what: "a configuration's key",
      args: ["--config", "c.mjs"],
      prepare: written("c.mjs", "export default { _tag: 'Orchestrator', options: { agnets: [] } }"),
      code: 2,
      line: /no option "agnets"; did you mean "agents"\?$/
    },
    {
      what: "a store's kind",
      args: ["--config", config, "--store", "postgres://db"],
      code: 2,
      line: /not in this release yet/
    },
    {
      what: "a damaged store",
      args: store("broken.db"),
      prepare: written("broken.db", "not a database ".repeat(500)),
      code: 4,
      line: /broken.db: damaged .*; restore a backup/
    },
    {
      what: "a store of a newer release",
      args: store("newer.db"),
      prepare: (cwd) => {
        const database = new DatabaseSync(join(cwd, "newer.db"))
        database.exec("PRAGMA user_version = 99")
        database.close()
      },
      code: 4,
      line: /schema 99.*start it with the newer release/
    },
    {
      what: "a data folder that is a file",
      args: ["--config", config, "--data", "file"],
      prepare: written("file", ""),
      code: 4,
      line: /is a file, not a folder; name another/
    }
  ]

  it.live.each(starts)("is refused for $what", ({ args, code, env, line, prepare }) =>
    Effect.gen(function*() {
      const cwd = yield* folder
      prepare?.(cwd)
      const refused = yield* run(cwd, ["serve", "--port", "0", ...args], env)
      assert.match(said(refused.err), line)
      assert.lengthOf(refused.err.trim().split("\n"), 1)
      assert.deepStrictEqual([refused.code, refused.out], [code, ""])
    }))

  it.live("is refused for a port in use", () =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const { port } = server.address() as AddressInfo
      const refused = yield* run(yield* folder, ["serve", "--config", config, "--port", String(port)])
      assert.match(said(refused.err), /Port \d+ is in use; stop what uses it, or choose another with --port/)
      assert.strictEqual(refused.code, 4)
    }))

  it.live("is refused for a store that another service owns, which goes on", () =>
    Effect.gen(function*() {
      const { cwd } = yield* served
      const args = ["serve", "--port", "0", "--config", config, "--data", "other"]
      const refused = yield* run(cwd, [...args, "--store", "sqlite:.coppice/coppice.db"])
      assert.match(said(refused.err), /in use by process \d+ .*; stop that process or choose another file/)
      assert.strictEqual(refused.code, 4)
      yield* isWell(cwd, 1)
    }), 20_000)
})

describe("a command", () => {
  const commands: ReadonlyArray<Refused> = [
    { what: "a verb", args: ["rnu"], code: 2, line: /no command rnu → did you mean run\?/ },
    { what: "a flag", args: ["ps", "--jsn"], code: 2, line: /no flag --jsn → did you mean --json\?/ },
    { what: "an agent", args: ["run", "gret"], code: 2, line: /Unknown agent "gret"; did you mean "greet"\?/ },
    { what: "invalid JSON", args: ["run", "greet", "--input", "{"], code: 2, line: /--input is not JSON/ },
    {
      what: "a file that is not there",
      args: ["run", "greet", "--input", "@no.json"],
      code: 2,
      line: /Cannot read .*no/
    },
    {
      what: "input that does not fit",
      args: ["run", "greet", "--input", "{\"name\":\"Ada\",\"language\":\"xx\"}"],
      code: 2,
      line: /does not fit "greet".*language/
    },
    { what: "a task nobody knows", args: ["tree", "0".repeat(20)], code: 2, line: /No task "0{20}"/ },
    {
      what: "a task that fails",
      args: ["run", "break", "--input", "{}"],
      code: 1,
      line: /break .*failed.*it was asked to/
    }
  ]

  it.live("is refused in a line, with its exit code, and nothing is lost", () =>
    Effect.gen(function*() {
      const { cwd } = yield* served
      for (const { args, code, line, what } of commands) {
        const refused = yield* run(cwd, args)
        assert.match(said(refused.err), line, what)
        assert.deepStrictEqual([refused.code, refused.out], [code, ""], what)
        assert.notMatch(refused.err, /^\s+at /m, what)
      }
      // the one that was begun well, and the one that failed
      yield* isWell(cwd, 2)
    }), 30_000)

  it.live("says that no service answers", () =>
    Effect.gen(function*() {
      const refused = yield* run(yield* folder, ["ps"])
      assert.match(said(refused.err), /No service found: .* → start one with `coppice serve`/)
      assert.deepStrictEqual([refused.code, refused.out], [3, ""])
    }))

  it.live("says that the disk is full, and goes on when there is room (case 6)", (test) =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const data = join(cwd, ".coppice")
      mkdirSync(data, { mode: 0o700 })
      const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", data])
      if (mount.status !== 0) return test.skip("mounting a 2 MB tmpfs needs root on Linux")
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", ["-l", data])))
      yield* serve(cwd)
      assert.strictEqual((yield* run(cwd, ada)).code, 0)
      const ballast = join(data, "ballast")
      spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4k"])
      // the one that meets it first waits for room
      const first = yield* start(cwd, ["run", "greet", "--input", "{\"name\":\"Grace\"}"])
      yield* Effect.repeat(Effect.promise(() => readiness(data)), { until: (status) => status === 503 })
      const refused = yield* run(cwd, ada)
      assert.match(said(refused.err), /The store cannot write: .*disk is full.* try again in \d+ s/)
      assert.deepStrictEqual([refused.code, refused.out], [3, ""])
      assert.strictEqual((yield* run(cwd, ["ps"])).code, 0)
      rmSync(ballast)
      assert.strictEqual(yield* Effect.promise(() => first.closed), 0, first.said.err)
      yield* isWell(cwd, 2)
    }), 30_000)
})
