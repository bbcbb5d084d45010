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

/** Runs a program over a store until it ends or is killed; how, and its last line. */
const run = (program: string, path: string, failpoint: string) =>
  Effect.callback<{ readonly signal: string | null | undefined; readonly line: string }>((resume) => {
    const file = fileURLToPath(new URL(`../support/programs/${program}.ts`, import.meta.url))
    const env = { ...process.env, COPPICE_FAILPOINTS: failpoint }
    execFile(process.execPath, [file, path], { env }, (error, stdout) => {
      resume(Effect.succeed({ signal: error?.signal, line: stdout.trim().split("\n").at(-1) ?? "" }))
    })
  })

/** The last fact this life was told is durable. */
const live = (path: string, failpoint: string) =>
  Effect.map(run("life", path, failpoint), ({ line, signal }) => ({
    signal,
    acknowledged: Number(/^ack (\d+)$/.exec(line)?.[1] ?? 0)
  }))

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

/** What is there for the next process, and what is left when it has deleted it again. */
const forgotten = (path: string) =>
  Effect.gen(function*() {
    const store = yield* TaskStore
    yield* store.open
    const { tasks } = yield* store.counts
    yield* store.deleteRuns(yield* store.expired(Number.MAX_SAFE_INTEGER, 10_000))
    return { tasks, after: yield* store.counts }
  }).pipe(Effect.provide(owned({ path }), { local: true }), Effect.scoped)

describe("kill -9 while runs are forgotten", () => {
  it.effect.each(["removal.within=kill", "removal.within=kill@1500", "removal.after=kill@2"])(
    "leaves whole tasks, and the next process forgets the rest (%s)",
    (failpoint) =>
      Effect.gen(function*() {
        const path = join(yield* folder, "coppice.db")
        const { signal } = yield* run("forget", path, failpoint)
        assert.strictEqual(signal, "SIGKILL")
        assert.deepStrictEqual(yield* damage(path), [])
        const { after, tasks } = yield* forgotten(path)
        if (failpoint === "removal.within=kill") assert.strictEqual(tasks, 2_001)
        else assert(tasks > 0 && tasks <= 2_001, `${tasks} are left`)
        assert.deepStrictEqual(after, { tasks: 0, active: 0, events: 0 })
      }),
    60_000
  )
})
