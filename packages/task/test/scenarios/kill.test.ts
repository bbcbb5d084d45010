import * as Database from "@coppice/sqlite/Database"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as SqlTaskStore from "../../src/SqlTaskStore.ts"
import { TaskEvent } from "../../src/TaskEvent.ts"
import { TaskStore } from "../../src/TaskStore.ts"
import { folder, owned } from "../support/places.ts"

const program = fileURLToPath(new URL("../support/programs/life.ts", import.meta.url))

/** Runs the program until it ends or is killed; the last fact it was told is durable. */
const live = (path: string, failpoint: string) =>
  Effect.callback<{ readonly signal: string | null | undefined; readonly acknowledged: number }>((resume) => {
    const env = { ...process.env, COPPICE_FAILPOINTS: failpoint }
    execFile(process.execPath, [program, path], { env }, (error, stdout) => {
      const last = stdout.trim().split("\n").at(-1) ?? ""
      resume(Effect.succeed({ signal: error?.signal, acknowledged: Number(/^ack (\d+)$/.exec(last)?.[1] ?? 0) }))
    })
  })

const damage = (path: string) =>
  SqlTaskStore.verify.pipe(
    Effect.provide(Layer.effect(SqlTaskStore.SqlDriver, Database.open({ path })), { local: true })
  )

/** What the next process finds, and that it can go on. */
const found = (path: string) =>
  Effect.gen(function*() {
    const store = yield* TaskStore
    const head = yield* store.open
    return { head, events: yield* store.events({ since: 0, limit: 100 }) }
  }).pipe(Effect.provide(owned({ path }), { local: true }), Effect.scoped)

const facts = Object.keys(TaskEvent.cases)

describe("kill -9 at every fact (case 1)", () => {
  it.effect("leaves alone who is not killed", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "coppice.db")
      const { acknowledged, signal } = yield* live(path, "")
      assert.isUndefined(signal)
      const { events } = yield* found(path)
      assert.lengthOf(events, acknowledged)
      assert.sameMembers([...new Set(events.map(({ event }) => event._tag))], facts)
    }))

  // by day each fact on one side of its commit, by night on both
  const nightly = process.env["COPPICE_NIGHTLY"] === "1"
  const points = facts.flatMap((fact, i) =>
    (["before", "after"] as const).filter((_, side) => nightly || i % 2 === side).map((side) => ({ fact, side }))
  )

  it.effect(
    "loses nothing that was acknowledged, and leaves nothing half done",
    () =>
      Effect.forEach(points, ({ fact, side }) =>
        Effect.gen(function*() {
          const path = join(yield* folder, "coppice.db")
          const { acknowledged, signal } = yield* live(path, `${side}:${fact}=kill`)
          assert.strictEqual(signal, "SIGKILL", fact)
          const { events, head } = yield* found(path)
          assert.isAtLeast(events.length, acknowledged)
          assert.strictEqual(head.seq, events.length)
          assert.strictEqual(events.some(({ event }) => event._tag === fact), side === "after", fact)
          assert.deepStrictEqual(yield* damage(path), [], fact)
        }), { concurrency: 2, discard: true }),
    120_000
  )
})
