import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import * as ServiceFile from "../src/ServiceFile.ts"
import { cannotStart } from "../src/StartError.ts"
import { folder } from "./support/Service.ts"

const contents = { url: "http://127.0.0.1:1", token: "t", pid: process.pid, startedAt: 1, version: "0" }

const answeringAs = (pid: number) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((_, response) => response.end(JSON.stringify({ pid })))
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))

describe("ServiceFile", () => {
  it.live("is there for its user while the scope is open", () =>
    Effect.gen(function*() {
      const data = yield* folder
      yield* ServiceFile.prepare(data)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* ServiceFile.publish(data, contents)
        assert.deepStrictEqual(Option.getOrThrow(ServiceFile.read(data)), contents)
        assert.strictEqual(statSync(join(data, "service.json")).mode & 0o777, 0o600)
      }))
      assert.isTrue(Option.isNone(ServiceFile.read(data)))
    }))

  it.live("keeps the folder out of version control", () =>
    Effect.gen(function*() {
      const data = yield* folder
      yield* ServiceFile.prepare(data)
      assert.strictEqual(readFileSync(join(data, ".gitignore"), "utf8"), "*\n")
    }))

  it.live("leaves the file of another service where it is", () =>
    Effect.gen(function*() {
      const data = yield* folder
      yield* Effect.scoped(Effect.gen(function*() {
        yield* ServiceFile.publish(data, contents)
        writeFileSync(
          join(data, "service.json"),
          JSON.stringify({ ...contents, pid: contents.pid + 1, token: "other" })
        )
      }))
      assert.strictEqual(Option.getOrThrow(ServiceFile.read(data)).token, "other")
    }))

  it.live("refuses a second service only while the first one answers", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const write = (pid: number, url: string) =>
        writeFileSync(join(data, "service.json"), JSON.stringify({ ...contents, pid, url }))
      const { ppid } = process
      write(ppid, yield* answeringAs(ppid))
      const error = yield* Effect.flip(ServiceFile.refuseSecond(data))
      assert.strictEqual(error.exitCode, cannotStart)
      write(ppid, yield* answeringAs(1))
      yield* ServiceFile.refuseSecond(data)
      write(ppid, "http://127.0.0.1:1")
      yield* ServiceFile.refuseSecond(data)
      write(2 ** 30, "http://127.0.0.1:1")
      yield* ServiceFile.refuseSecond(data)
      writeFileSync(join(data, "service.json"), "{")
      yield* ServiceFile.refuseSecond(data)
    }))
})
