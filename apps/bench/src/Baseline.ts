/**
 * What the machine can do without us: the figures every row stands beside.
 */
import { open } from "@coppice/sqlite/Database"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { heap, now } from "./Meter.ts"

const payload = JSON.stringify({ _tag: "StepRecorded", key: "step:baseline:0", value: "x".repeat(120) })

/** Where and how much to measure; at a small `scale` a baseline is as rough as the figure beside it. */
export interface Extent {
  readonly folder: string
  readonly scale: number
}

const sized = ({ scale }: Extent, count: number): number => Math.max(10, Math.round(count * Math.min(1, scale)))

/**
 * Milliseconds per commit of one row of 170 bytes, one commit after the other, nothing in between: write-ahead log,
 * `synchronous=FULL`, same file system.
 */
export const rawCommit = (extent: Extent): Effect.Effect<number> =>
  Effect.sync(() => {
    const count = sized(extent, 400)
    const database = new DatabaseSync(join(extent.folder, "baseline.db"))
    try {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      database.exec("CREATE TABLE IF NOT EXISTS facts (seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT")
      const insert = database.prepare("INSERT INTO facts (data) VALUES (?)")
      for (let i = 0; i < count / 8; i++) insert.run(payload)
      const started = now()
      for (let i = 0; i < count; i++) insert.run(payload)
      return (now() - started) / count
    } finally {
      database.close()
    }
  })

/** The same commits through our own driver: what it adds to them. */
export const driverCommit = (extent: Extent): Effect.Effect<number> =>
  Effect.gen(function*() {
    const count = sized(extent, 400)
    const database = yield* open({ path: join(extent.folder, "driver.db") })
    database.exec("CREATE TABLE IF NOT EXISTS facts (seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT")
    const insert = database.prepare("INSERT INTO facts (data) VALUES (?)")
    const commit = () => database.transaction(() => insert.run(payload))
    for (let i = 0; i < count / 8; i++) commit()
    const started = now()
    for (let i = 0; i < count; i++) commit()
    return (now() - started) / count
  }).pipe(Effect.scoped, Effect.orDie)

/** Milliseconds to fork a fiber that does nothing and to join it, one after the other. */
export const forkJoin = (extent: Extent): Effect.Effect<number> =>
  Effect.gen(function*() {
    const count = sized(extent, 20_000)
    const started = now()
    for (let i = 0; i < count; i++) yield* Fiber.join(yield* Effect.forkChild(Effect.succeed(i)))
    return (now() - started) / count
  })

/** Milliseconds to run `count` fibers at once and join them. */
export const fanOut = (count: number): Effect.Effect<number> =>
  Effect.gen(function*() {
    const started = now()
    yield* Effect.forEach(Array.from({ length: count }, (_, i) => i), (i) => Effect.as(Effect.yieldNow, i), {
      concurrency: "unbounded"
    })
    return now() - started
  })

/** Bytes of a fiber that waits on a `Deferred`; of so many that the collector's own noise does not show. */
export const parkedFiber = (count: number = 10_000): Effect.Effect<number> =>
  Effect.gen(function*() {
    const before = heap()
    const gate = yield* Deferred.make<void>()
    const fibers = yield* Effect.forEach(Array.from({ length: count }), () => Effect.forkChild(Deferred.await(gate)))
    yield* Effect.yieldNow
    const bytes = (heap() - before) / count
    yield* Deferred.succeed(gate, undefined)
    yield* Effect.forEach(fibers, Fiber.join, { discard: true })
    return bytes
  })

export interface Tree {
  readonly depth: number
  readonly fan: number
}

/** Nodes of a tree: 4,681 at depth 4 and fan-out 8. */
export const nodeCount = ({ depth, fan }: Tree): number =>
  depth === 0 ? 1 : 1 + fan * nodeCount({ depth: depth - 1, fan })

/** Milliseconds to interrupt a tree of bare fibers, until every node has seen it. */
export const interruptTree = (tree: Tree): Effect.Effect<number> =>
  Effect.gen(function*() {
    let running = 0
    let seen = 0
    const node = (depth: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        running++
        const children = Array.from({ length: tree.fan }, () => node(depth - 1))
        return depth === 0 ? Effect.never : Effect.all(children, { concurrency: "unbounded", discard: true })
      }).pipe(Effect.onInterrupt(() => Effect.sync(() => seen++)))
    const root = yield* Effect.forkChild(node(tree.depth))
    while (running < nodeCount(tree)) yield* Effect.yieldNow
    const started = now()
    yield* Fiber.interrupt(root)
    const took = now() - started
    return seen === nodeCount(tree)
      ? took
      : yield* Effect.die(new Error(`${seen} of ${running} fibers were interrupted`))
  })
