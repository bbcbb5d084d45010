import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as FileOwner from "../src/FileOwner.ts"
import * as Child from "./support/Child.ts"
import * as TempFolder from "./support/TempFolder.ts"

const newPath = Effect.map(TempFolder.make, (folder) => join(folder, "coppice.db"))

const startOwner = Effect.fnUntraced(function*(path: string) {
  const child = yield* Child.start("owner", [path])
  assert.strictEqual(yield* child.line, "ready")
  return child
})

describe("acquire", () => {
  it.effect("refuses a second owner and names the first (case 10)", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const child = yield* startOwner(path)
      yield* child.say("acquire")
      assert.strictEqual(yield* child.line, "owner")
      const error = yield* Effect.flip(FileOwner.acquire(path))
      assert(error.reason._tag === "Locked")
      assert.strictEqual(error.reason.pid, child.pid)
      assert.match(
        error.message,
        new RegExp(`^${path}: in use by process ${child.pid} since 2\\d{3}-.*Z; stop that process`)
      )
    }))

  it.effect("is free as soon as its owner is killed", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const child = yield* startOwner(path)
      yield* child.say("acquire")
      assert.strictEqual(yield* child.line, "owner")
      yield* child.kill("SIGKILL")
      yield* FileOwner.acquire(path)
    }))

  it.effect("names nobody when the file of a killed owner is all there is", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const first = yield* startOwner(path)
      yield* first.say("acquire")
      yield* first.line
      yield* first.kill("SIGKILL")
      assert.isTrue(existsSync(`${path}.owner`))
      yield* Effect.scoped(FileOwner.acquire(path))
      assert.isFalse(existsSync(`${path}.owner`))
      writeFileSync(`${path}.owner`, JSON.stringify({ pid: first.pid, since: "2026-11-21T07:00:00.000Z" }))
      const second = yield* startOwner(path)
      yield* FileOwner.acquire(path)
      writeFileSync(`${path}.owner`, JSON.stringify({ pid: first.pid, since: "2026-11-21T07:00:00.000Z" }))
      yield* second.say("acquire")
      assert.strictEqual(yield* second.line, "refused by undefined")
    }))

  it.effect("lets exactly one of several racing processes win", () =>
    Effect.gen(function*() {
      const folder = yield* TempFolder.make
      for (const round of [1, 2, 3, 4]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const path = join(folder, `${round}.db`)
          const children = yield* Effect.forEach([1, 2, 3], () => startOwner(path), { concurrency: "unbounded" })
          yield* Effect.forEach(children, (child) => child.say("acquire"), { discard: true })
          const said = yield* Effect.forEach(children, (child) => child.line)
          const winner = children[said.indexOf("owner")]
          const expected = children.map((child) => child === winner ? "owner" : `refused by ${winner?.pid}`)
          assert.deepStrictEqual(said, expected)
        }))
      }
    }), 60_000)

  it.effect("is given back with its scope", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* Effect.scoped(FileOwner.acquire(path))
      const child = yield* startOwner(path)
      yield* child.say("acquire")
      assert.strictEqual(yield* child.line, "owner")
    }))

  it.effect("refuses a second owner in the same process, and the first one keeps it", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* FileOwner.acquire(path)
      const error = yield* Effect.flip(FileOwner.acquire(path))
      assert.deepInclude(error.reason, { _tag: "Locked", pid: process.pid })
      const child = yield* startOwner(path)
      yield* child.say("acquire")
      assert.strictEqual(yield* child.line, `refused by ${process.pid}`)
    }))

  it.effect("knows one file by all its names", () =>
    Effect.gen(function*() {
      const folder = yield* TempFolder.make
      mkdirSync(join(folder, "real"))
      writeFileSync(join(folder, "real", "coppice.db"), "")
      symlinkSync(join(folder, "real"), join(folder, "alias"))
      symlinkSync(join(folder, "real", "coppice.db"), join(folder, "other.db"))
      yield* FileOwner.acquire(join(folder, "real", "coppice.db"))
      for (const name of [join("alias", "coppice.db"), "other.db"]) {
        const error = yield* Effect.flip(FileOwner.acquire(join(folder, name)))
        assert.strictEqual(error.reason._tag, "Locked")
      }
    }))

  it.effect("creates a missing folder, refuses to own one, and leaves memory alone", () =>
    Effect.gen(function*() {
      const folder = yield* TempFolder.make
      yield* FileOwner.acquire(join(folder, "a", "b", "coppice.db"))
      const error = yield* Effect.flip(FileOwner.acquire(folder))
      assert.strictEqual(error.message, `${folder}: is a folder; name a file inside it`)
      yield* FileOwner.acquire(":memory:")
      yield* FileOwner.acquire(":memory:")
    }))
})
