/**
 * Whom a cancellation reaches, over random trees: random rules for a parent's end, several cancels at once, children that
 * begin meanwhile, parents that return, tasks out of memory, and a crash after any commit.
 *
 * The judge reads the log alone, fact by fact, and knows only who is responsible for whom.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as MemoryTaskStore from "../../src/MemoryTaskStore.ts"
import { Rescuer } from "../../src/Rescuer.ts"
import { Settler } from "../../src/Settler.ts"
import { isTerminal, type ParentExit, type TaskId } from "../../src/Task.ts"
import type { Envelope, TaskEvent } from "../../src/TaskEvent.ts"
import { replay, type TaskState } from "../../src/TaskMachine.ts"
import { type Batch, TaskStore } from "../../src/TaskStore.ts"
import * as TaskArbitrary from "../../src/testing/TaskArbitrary.ts"
import * as Engine from "../support/engine.ts"
import { runs } from "../support/runs.ts"

const Rule = Schema.Literals(["stop", "stop", "continue", "adopt"])
const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))
const Op = Schema.Struct({
  what: Schema.Literals(["cancel", "cancel", "return", "child", "park", "stubborn", "commit"]),
  at: Index,
  rule: Rule
})

const Worlds = Arbitrary.all({
  parents: TaskArbitrary.tree,
  rules: Arbitrary.array(Arbitrary.schema(Rule), { minLength: 25, maxLength: 25 }),
  ops: Arbitrary.array(Arbitrary.schema(Op), { maxLength: 14 }),
  crash: Arbitrary.schema(Index)
})

type Needs = TaskStore | Settler | Rescuer | Engine.Needs

const setting = Effect.gen(function*() {
  const worker = yield* Engine.work("worker", { concurrency: 10_000, queue: 10_000 })
  return { ...yield* Engine.services, worker, settler: yield* Settler }
})
type Setting = Effect.Success<typeof setting>

const child = ({ log, tasks, worker }: Setting, parent: TaskId, key: string, onParentExit: ParentExit) => {
  const entry = log.resident(parent)
  if (entry === undefined || isTerminal(entry.state.status)) return undefined
  const request = { parent: entry, key, input: null, worker, deadline: null, onParentExit }
  return Result.getOrThrow(tasks.submitChild(request)).state.id
}

const grow = Effect.fnUntraced(
  function*(all: Setting, parents: ReadonlyArray<number>, rules: ReadonlyArray<ParentExit>) {
    const ids = [(yield* all.tasks.submit({ agent: "worker", input: null })).id]
    parents.forEach((parent, i) => ids.push(child(all, ids[parent]!, `${i}`, rules[i] ?? "stop")!))
    // another tree, which nobody touches
    const { id: other } = yield* all.tasks.submit({ agent: "worker", input: null })
    child(all, other, "other", "stop")
    yield* all.log.barrier
    return ids
  }
)

/** Everything comes to rest that is to. */
const calm = ({ log, worker }: Setting) =>
  Effect.gen(function*() {
    for (let i = 0; i < 30; i++) {
      for (const [id, { state }] of [...worker.held]) if (isTerminal(state.status)) worker.settle(id)
      yield* log.barrier
      yield* Engine.turn
    }
  })

const act = Effect.fnUntraced(function*(all: Setting, ids: Array<TaskId>, ops: ReadonlyArray<typeof Op.Type>) {
  const { log, settler, tasks, worker } = all
  const returned = new Set<TaskId>()
  for (const [n, { at, rule, what }] of ops.entries()) {
    const id = ids[at % ids.length]!
    const held = worker.held.get(id)
    const isActive = held !== undefined && !isTerminal(held.state.status)
    if (what === "cancel") yield* Effect.forkChild(Effect.ignore(tasks.cancel({ id, by: `c${n}:${id}` })))
    else if (what === "commit") yield* log.barrier
    else if (!isActive) continue
    else if (what === "child") ids.push(child(all, id, `late${n}`, rule) ?? id)
    else if (what === "park") worker.park(id)
    else if (what === "stubborn") worker.stubborn.add(id)
    else {
      returned.add(id)
      settler.leave(held, () => {
        if (worker.held.has(id) && !isTerminal(held.state.status)) worker.complete(id)
      })
    }
  }
  return returned
})

const facts = Effect.flatMap(TaskStore, (store) => store.events({ since: 0, limit: 100_000 }))

/** What the judge knows of a task. */
interface Known {
  readonly parent: TaskId | null
  readonly rule: ParentExit
  guardian: TaskId | null
  isAdopted: boolean
  isOver: boolean
}

/**
 * Goes through the log: nobody ends who was not to end, and nobody is let go who was to. Whoever has `returned` ends its
 * children before itself.
 */
const judge = (log: ReadonlyArray<Envelope>, returned: ReadonlySet<TaskId>): ReadonlyMap<TaskId, Known> => {
  const known = new Map<TaskId, Known>()
  const lives = (id: TaskId | null): boolean => id !== null && !known.get(id)!.isOver
  const hasHeir = (id: TaskId): boolean => {
    for (let above = known.get(id)!.guardian; above !== null; above = known.get(above)!.guardian) {
      if (lives(above)) return true
    }
    return false
  }
  const ended = (id: TaskId, event: TaskEvent & { readonly _tag: "Cancelled" }): void => {
    const self = known.get(id)!
    if (event.by.endsWith(`:${id}`)) return
    const { guardian, isAdopted, rule } = self
    assert.isNotNull(guardian, `${id} was cancelled with nobody responsible for it`)
    // a parent that is about to return ends its children first
    const isEnding = !lives(guardian) || (event.by === "parent" && returned.has(guardian))
    assert.isTrue(isEnding, `${id} was cancelled by ${event.by} while ${guardian} lives`)
    if (!isAdopted) assert.notStrictEqual(rule, "continue", `${id} was to go on`)
    if (!isAdopted && rule === "adopt" && event.by !== "parent") assert.isFalse(hasHeir(id), `${id} had an heir`)
  }
  for (const { event, task } of log) {
    if (event._tag === "Created") {
      const { parent, spec } = event
      known.set(task, { parent, rule: spec.onParentExit, guardian: parent, isAdopted: false, isOver: false })
    } else if (event._tag === "Released") {
      const self = known.get(task)!
      assert.strictEqual(event.rule, self.rule)
      self.guardian = event.to ?? null
      self.isAdopted = event.to !== null
      if (event.to !== null) assert.isTrue(lives(event.to!), `${task} was adopted by one that has ended`)
    } else if (event._tag === "Cancelled") {
      ended(task, event)
      known.get(task)!.isOver = true
    } else if (event._tag === "Completed" || event._tag === "Failed") known.get(task)!.isOver = true
  }
  return known
}

/** At the end: who is left has somebody responsible who lives, or nobody; and all that has ended is at rest, leaves first. */
const atRest = Effect.fnUntraced(function*({ tasks }: Setting, returned: ReadonlySet<TaskId>) {
  const store = yield* TaskStore
  const log = yield* facts
  const known = judge(log, returned)
  const states = new Map<TaskId, TaskState>()
  const settled = new Map<TaskId, number>()
  for (const [id, history] of Map.groupBy(log, ({ task }) => task)) {
    const state = replay(id, history)!
    states.set(id, state)
    const row = (yield* store.load(id))!
    assert.deepStrictEqual(state, row.state)
    if (row.settledSeq !== null) settled.set(id, row.settledSeq)
  }
  for (const [id, { status }] of states) {
    const { guardian } = known.get(id)!
    const above = guardian === null ? undefined : states.get(guardian)!
    if (isTerminal(status)) assert.isTrue(settled.has(id), `${id} has ended and is not at rest`)
    else if (above !== undefined) {
      assert.isFalse(isTerminal(above.status), `${id} goes on below ${guardian}, which has ended`)
    }
    if (guardian === null || !settled.has(guardian)) continue
    assert.isBelow(settled.get(id) ?? Infinity, settled.get(guardian)!, `${guardian} settled before ${id}`)
  }
  for (const { event, task } of log) {
    if (event._tag !== "Cancelled" || !event.by.endsWith(`:${task}`)) continue
    const report = yield* tasks.cancelReport(task)
    assert.isTrue(report.converged)
    const under = (id: TaskId | null): boolean => id !== null && (id === task || under(known.get(id)!.guardian))
    assert.sameMembers<string>(report.nodes.map(({ id }) => id), [...known.keys()].filter(under))
  }
})

/** A store as a process finds it that starts after so many commits. */
const restored = (batches: ReadonlyArray<Batch>) => {
  const shared = MemoryTaskStore.layerShared()
  const written = Effect.gen(function*() {
    const store = yield* TaskStore
    const { epoch } = yield* store.open
    for (const batch of batches) yield* store.commit({ ...batch, epoch })
  })
  return Layer.provideMerge(Layer.effectDiscard(written), shared)
}

const live = <A, E>(store: Layer.Layer<TaskStore, any>, life: Effect.Effect<A, E, Needs>) =>
  life.pipe(Effect.scoped, Effect.provide(Engine.over(store), { local: true }))

describe("a cancellation", () => {
  it.effect.prop(
    "reaches exactly its tree, and everything comes to rest, also after a crash (D2, I5, I7, I11)",
    [Worlds],
    ([{ crash, ops, parents, rules }]) =>
      Effect.gen(function*() {
        const { batches, returned } = yield* live(
          MemoryTaskStore.layerShared(),
          Effect.gen(function*() {
            const all = yield* setting
            const ids = yield* grow(all, parents, rules)
            const returned = yield* act(all, ids, ops)
            yield* calm(all)
            yield* atRest(all, returned)
            return { batches: [...all.faults.written], returned }
          })
        )
        yield* live(
          restored(batches.slice(0, 1 + crash % batches.length)),
          Effect.gen(function*() {
            const all = yield* setting
            yield* (yield* Rescuer).sweep
            yield* calm(all)
            yield* atRest(all, returned)
          })
        )
      }),
    { arbitrary: { runs: runs(150) } }
  )
})

describe("a cancel storm (case 39)", () => {
  /** A tree of so many tasks: a trunk of this depth, and as much as is left at each node of it. */
  const storm = (count: number, depth: number) =>
    Effect.gen(function*() {
      const all = yield* setting
      const { log, tasks } = all
      const { id: root } = yield* tasks.submit({ agent: "worker", input: null })
      const trunk = [root]
      while (trunk.length < depth) trunk.push(child(all, trunk.at(-1)!, "trunk", "stop")!)
      for (let i = depth; i < count; i++) child(all, trunk[i % Math.min(depth, 10)]!, `${i}`, "stop")
      yield* log.barrier
      return { root, batches: [...all.faults.written] }
    })

  const cancelled = (batches: ReadonlyArray<Batch>, root: TaskId, count: number) =>
    live(
      restored(batches),
      Effect.gen(function*() {
        const all = yield* setting
        const started = performance.now()
        // while the start still brings everything back
        const sweep = yield* Effect.forkChild(Effect.flatMap(Rescuer, (rescuer) => rescuer.sweep))
        yield* all.tasks.cancel({ id: root, by: "ann" })
        yield* Fiber.await(sweep)
        yield* all.tasks.cancelSettled(root)
        const took = performance.now() - started
        const report = yield* all.tasks.cancelReport(root)
        assert.strictEqual(report.totals.stopped, count)
        assert.isTrue(report.converged)
        for (let i = 0; i < 3; i++) yield* all.log.barrier
        assert.strictEqual(all.log.residentCount, 0)
        return took
      })
    )

  it.effect(
    "of 10,000 tasks, 100 deep and 1,000 wide, during the start, is linear and needs no deep stack",
    () =>
      Effect.gen(function*() {
        const small = yield* live(MemoryTaskStore.layerShared(), storm(1_000, 100))
        const large = yield* live(MemoryTaskStore.layerShared(), storm(10_000, 100))
        const one = yield* cancelled(small.batches, small.root, 1_000)
        const ten = yield* cancelled(large.batches, large.root, 10_000)
        assert.isBelow(ten, 10 * Math.max(one, 30) * 4)
      }),
    60_000
  )

  it.effect("of a chain of 5,000 needs no deep stack either", () =>
    Effect.gen(function*() {
      const { batches, root } = yield* live(MemoryTaskStore.layerShared(), storm(5_000, 5_000))
      yield* cancelled(batches, root, 5_000)
    }), 60_000)
})
