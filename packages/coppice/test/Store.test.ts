import { TaskStore } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Store from "../src/Store.ts"
import * as TempFolder from "./support/TempFolder.ts"

/** Opens a store beside the ones that are open. */
const open = (url: string) => Effect.provide(Effect.flatMap(TaskStore, (store) => store.open), Store.layer(url))

const pathOf = (url: string) => url.slice("sqlite:".length)

describe("layer", () => {
  it.effect.each(["memory:", "sqlite::memory:"])("%s forgets", (url) =>
    Effect.gen(function*() {
      const epochs = [yield* open(url), yield* open(url)].map(({ epoch }) => epoch)
      assert.strictEqual(epochs[0], epochs[1])
      assert.isFalse(existsSync(":memory:"))
    }))

  it.effect("sqlite: makes the file and the folders above it, and knows it again", () =>
    Effect.gen(function*() {
      const url = yield* TempFolder.sqliteUrl
      const first = yield* open(url)
      assert.isTrue(existsSync(pathOf(url)))
      assert.isAbove((yield* open(url)).epoch, first.epoch)
    }))

  it.effect("refuses a file that is open already, and gives it back when it is closed", () =>
    Effect.gen(function*() {
      const url = yield* TempFolder.sqliteUrl
      const error = yield* Effect.provide(Effect.flip(open(url)), Store.layer(url))
      assert.strictEqual(error.reason, "Locked")
      assert.include(error.message, `in use by process ${process.pid}`)
      assert.isFalse(error.isRetryable)
      yield* open(url)
    }))

  it.effect("says what is wrong with a file", () =>
    Effect.gen(function*() {
      const url = yield* TempFolder.sqliteUrl
      mkdirSync(dirname(pathOf(url)))
      writeFileSync(pathOf(url), "no database, but long enough to be taken for one\n".repeat(100))
      assert.strictEqual((yield* Effect.flip(open(url))).reason, "Corrupt")
      const folder = yield* Effect.flip(open(`sqlite:${dirname(pathOf(url))}`))
      assert.strictEqual(folder.reason, "Other")
      assert.match(folder.message, /is a folder; name a file inside it/)
    }))

  it.effect("refuses the file of a newer release", () =>
    Effect.gen(function*() {
      const url = yield* TempFolder.sqliteUrl
      yield* open(url)
      const database = new DatabaseSync(pathOf(url))
      database.exec("PRAGMA user_version = 999")
      database.close()
      assert.strictEqual((yield* Effect.flip(open(url))).reason, "NewerSchema")
    }))

  it.effect.each<readonly [string, string]>([
    ["postgres://localhost/coppice", "Postgres stores are not in this release; use sqlite:PATH or memory:"],
    ["postgresql:x", "Postgres stores are not in this release; use sqlite:PATH or memory:"],
    ["coppice.db", `"coppice.db" is not a store; use sqlite:PATH or memory:`],
    ["", `"" is not a store; use sqlite:PATH or memory:`],
    ["memory", `"memory" is not a store; use sqlite:PATH or memory:`],
    ["sqlite:", `"sqlite:" is not a store; use sqlite:PATH or memory:`]
  ])("refuses %j and says what there is", ([url, message]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(open(url))
      assert.deepStrictEqual([error.reason, error.message], ["Other", message])
    }))

  it.effect("fails before anything uses the store", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Store.layer("nowhere:"))))
      assert.strictEqual(error._tag, "StoreError")
    }))
})
