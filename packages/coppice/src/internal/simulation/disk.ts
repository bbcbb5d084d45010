/**
 * A node's disk: what was committed stays, whatever becomes of the process.
 *
 * It is the store in memory, shared by all lives of the node, and says of every commit that it is written, as a file
 * with `synchronous=FULL` would.
 */
import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import type { TaskId } from "@coppice/task/Task"
import { type Batch, StoreError, type TaskRow, TaskStore } from "@coppice/task/TaskStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { History } from "./history.ts"
import type { Injector } from "./injector.ts"
import type { Process, World } from "./world.ts"

type Store = TaskStore["Service"]
const isEffect = (value: unknown): value is Effect.Effect<unknown, StoreError> => Effect.isEffect(value)

type Operation = (...args: ReadonlyArray<never>) => Effect.Effect<unknown, StoreError>

/** The life of a node that uses the disk. */
export interface User {
  readonly process: Process
  readonly life: number
  readonly crash: (why: string) => void
}

export class Disk {
  readonly node: string
  /** The rows as the last commit left them. */
  readonly rows = new Map<TaskId, TaskRow>()
  /** Those of them that have not settled. */
  readonly unsettled = new Set<TaskId>()
  /** The number of the last durable fact. */
  seq = 0
  /** Commits so far, all and by the facts they held. */
  private readonly commits = new Map<string, number>()
  /** Until when commits find no room, and how long they take. */
  fullUntil = 0
  slowUntil = 0
  slowBy = 0
  private readonly world: World
  private readonly history: History
  private readonly injector: Injector
  private readonly store: Store

  constructor(node: string, world: World, history: History, injector: Injector) {
    this.node = node
    this.world = world
    this.history = history
    this.injector = injector
    const built = Effect.runSync(Effect.scoped(Layer.build(MemoryTaskStore.layerMemory)))
    this.store = Context.get(built, TaskStore)
  }

  /** Tasks that have a timer. */
  timers(): ReadonlyArray<TaskId> {
    return Effect.runSync(this.store.timersDue(Infinity, 10_000)).map(({ task }) => task)
  }

  heal(): void {
    this.fullUntil = 0
    this.slowUntil = 0
  }

  /** The store as one life of the node has it. */
  layer(user: User): Layer.Layer<TaskStore> {
    const wrapped: Record<string, unknown> = {}
    for (const [name, operation] of Object.entries<unknown>(this.store)) {
      wrapped[name] = isEffect(operation)
        ? this.alive(user, operation)
        : (...args: ReadonlyArray<never>) => this.alive(user, (operation as Operation)(...args))
    }
    const store = { ...wrapped as unknown as Store, commit: (batch: Batch) => this.commit(user, batch) }
    return Layer.succeed(TaskStore, store)
  }

  /** What a dead process reads or writes never comes back. */
  private alive<A, E>({ process }: User, effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const lives = Effect.suspend(() => process.isAlive ? Effect.void : Effect.never)
    const slow = Effect.suspend(() => this.world.elapsed < this.slowUntil ? Effect.sleep(this.slowBy) : Effect.void)
    return Effect.andThen(lives, Effect.flatMap(effect, (value) => Effect.as(Effect.andThen(slow, lives), value)))
  }

  private commit(user: User, batch: Batch): Effect.Effect<void, StoreError> {
    return Effect.suspend((): Effect.Effect<void, StoreError> => {
      const nth = this.count(batch)
      const { injector, node } = this
      if (injector.atCommit("crash-before-write", node, nth) !== undefined) return this.crash(user, batch, "before")
      const error = injector.atCommit("disk-error", node, nth)
      if (error !== undefined) return this.fail(user, batch, error.millis + error.nth)
      if (this.world.elapsed < this.fullUntil) {
        return Effect.fail(new StoreError({ reason: "DiskFull", message: "The disk is full" }))
      }
      const written = this.alive(user, this.write(user, batch))
      if (injector.atCommit("crash-after-write", node, nth) === undefined) return written
      return Effect.andThen(written, this.crash(user, batch, "after"))
    })
  }

  /** The how-manieth commit this is, of all and of those with each of its facts. */
  private count({ events }: Batch): ReadonlyMap<string, number> {
    const names = ["", ...new Set(events.map(({ event }) => event._tag))]
    return new Map(names.map((name) => {
      const nth = this.commits.get(name) ?? 0
      this.commits.set(name, nth + 1)
      return [name, nth]
    }))
  }

  private write(user: User, batch: Batch): Effect.Effect<void, StoreError> {
    return Effect.tap(this.store.commit(batch), () => Effect.sync(() => this.written(user, batch)))
  }

  private written(user: User, { changed, created, events, woken }: Batch): void {
    const at = this.world.elapsed
    for (const row of [...created, ...changed]) {
      this.rows.set(row.state.id, row)
      if (row.state.settlement === null) this.unsettled.add(row.state.id)
      else this.unsettled.delete(row.state.id)
    }
    for (const id of woken) {
      const row = this.rows.get(id)
      if (row !== undefined) this.rows.set(id, { ...row, parked: false })
    }
    for (const envelope of events) {
      this.history.add({ _tag: "Fact", at, node: this.node, life: user.life, envelope })
    }
    this.seq = events.at(-1)?.seq ?? this.seq
  }

  private crash(user: User, { events }: Batch, side: "before" | "after"): Effect.Effect<never> {
    return Effect.suspend(() => {
      user.crash(`${side}:${events[0]?.event._tag ?? "commit"}`)
      return Effect.never
    })
  }

  /** A commit that fails for good; half of them were written all the same. */
  private fail(user: User, batch: Batch, parity: number): Effect.Effect<never, StoreError> {
    const error = Effect.fail(new StoreError({ reason: "Io", message: "The disk reports an error" }))
    return parity % 2 === 0 ? error : Effect.andThen(this.write(user, batch), error)
  }
}
