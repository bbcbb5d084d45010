import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isAbsolute, resolve } from "node:path"
import { fromConfig, fromEnvironment, fromFlags, merge, parseStore } from "../src/Settings.ts"
import { badUsage, type StartError } from "../src/StartError.ts"

const refusal = (effect: Effect.Effect<unknown, StartError>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.strictEqual(error.exitCode, badUsage)
    assert.notInclude(error.message, "\n")
    return error.message
  })

describe("Settings", () => {
  it("has defaults", () => {
    const settings = merge()
    assert.deepInclude(settings, { port: 4280, host: "127.0.0.1", data: resolve(".coppice"), logLevel: "info" })
    assert.strictEqual(settings.store, `sqlite:${resolve(".coppice/coppice.db")}`)
  })

  it("keeps the default store in the data folder", () => {
    assert.strictEqual(merge({ data: "elsewhere" }).store, `sqlite:${resolve("elsewhere/coppice.db")}`)
    assert.strictEqual(merge({ data: "elsewhere", store: "memory:" }).store, "memory:")
  })

  it.effect("lets flags win over the environment, and that over the configuration", () =>
    Effect.gen(function*() {
      const file = yield* fromConfig("coppice.config.ts", { port: 1, host: "::1", data: "a" })
      const environment = yield* fromEnvironment({ COPPICE_PORT: "2", COPPICE_HOST: "localhost", PORT: "9" })
      const flags = yield* fromFlags(["--port", "0"])
      const settings = merge(file, environment, flags)
      assert.deepInclude(settings, { port: 0, host: "localhost", data: resolve("a") })
    }))

  it.effect("reads --flag=value, and several hosts", () =>
    Effect.gen(function*() {
      const settings = merge(yield* fromFlags(["--store=memory:", "--allow-hosts=A.test:80,b.test:81"]))
      assert.strictEqual(settings.store, "memory:")
      assert.deepStrictEqual(settings.allowedHosts, ["a.test:80", "b.test:81"])
    }))

  it.effect.each(
    [
      [["--prot", "1"], "There is no flag --prot; did you mean --port?"],
      [["--dta=x"], "There is no flag --dta; did you mean --data?"],
      [
        ["serve"],
        "There is no flag serve; use one of --port, --host, --store, --data, --config, --allow-hosts, " +
        "--log-level, --mcp-auth, --code-version, --help, --version"
      ],
      [["--port"], "--port needs a value; for example --port 4280"],
      [["--port", "x"], "--port cannot be \"x\"; give a number from 0 to 65535"],
      [["--port", "65536"], "--port cannot be \"65536\"; give a number from 0 to 65535"],
      [["--port", "-1"], "--port cannot be \"-1\"; give a number from 0 to 65535"],
      [
        ["--host", "0.0.0.0"],
        "--host cannot be \"0.0.0.0\"; give a loopback address; this release does not serve other " +
        "machines"
      ],
      [
        ["--host", "::"],
        "--host cannot be \"::\"; give a loopback address; this release does not serve other machines"
      ],
      [["--log-level", "loud"], "--log-level cannot be \"loud\"; give one of debug, info, warning, error, none"],
      [
        ["--store", "postgres://db"],
        "--store cannot be \"postgres://db\"; give sqlite:PATH or memory:; PostgreSQL " +
        "stores are not in this release yet"
      ],
      [["--store", "sqlit:x"], "--store cannot be \"sqlit:x\"; give sqlite:PATH or memory: (did you mean sqlite:?)"],
      [["--store", "x.db"], "--store cannot be \"x.db\"; give sqlite:PATH or memory:"],
      [["--data", ""], "--data cannot be \"\"; give a text that is not empty"],
      [
        ["--allow-hosts", "http://a"],
        "--allow-hosts cannot be \"http://a\"; give names with their ports, such as " +
        "example.test:8080"
      ]
    ] as const
  )("refuses the flags %j", ([args, message]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refusal(fromFlags(args)), message)
    }))

  it.effect("refuses a misspelt variable and leaves unrelated ones alone", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* refusal(fromEnvironment({ COPPICE_PROT: "1" })),
        "There is no variable COPPICE_PROT; did you mean COPPICE_PORT?"
      )
      assert.deepStrictEqual(yield* fromEnvironment({ COPPICE_URL: "u", COPPICE_SOMETHING_ELSE: "1", HOME: "h" }), {})
      assert.deepStrictEqual(yield* fromEnvironment({ COPPICE_PORT: "" }), {})
    }))

  it.effect("refuses a misspelt setting and one of the wrong type", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* refusal(fromConfig("c.ts", { prot: 1 })),
        "c.ts: there is no setting \"prot\"; did you mean port?"
      )
      assert.strictEqual(
        yield* refusal(fromConfig("c.ts", { port: "many" })),
        "c.ts: port cannot be \"many\"; give a number from 0 to 65535"
      )
      assert.include(yield* refusal(fromConfig("c.ts", { config: "x" })), "there is no setting \"config\"")
    }))

  it("reads store URLs and makes their paths absolute", () => {
    const paths = ["sqlite:a.db", "sqlite:/a.db", "sqlite:///a.db", "SQLite:a.db"].map((url) =>
      Result.getOrThrow(parseStore(url))
    )
    assert.deepStrictEqual(paths, [
      `sqlite:${resolve("a.db")}`,
      "sqlite:/a.db",
      "sqlite:/a.db",
      `sqlite:${resolve("a.db")}`
    ])
    assert.isTrue(paths.every((url) => isAbsolute(url.slice("sqlite:".length))))
    assert.isTrue(["sqlite:", "sqlite::memory:", "memory:x", ""].every((url) => Result.isFailure(parseStore(url))))
  })
})
