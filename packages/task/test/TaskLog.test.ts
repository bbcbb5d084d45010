import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import type { TaskId } from "../src/Task.ts"
import type { Envelope } from "../src/TaskEvent.ts"
import type { Entry, TaskLog } from "../src/TaskLog.ts"
import { StoreError, TaskStore } from "../src/TaskStore.ts"
import { plainSpec } from "../src/testing/Ledger.ts"
import * as Engine from "./support/engine.ts"

type Log = TaskLog["Service"]

const root = (log: Log, deadline: number | null = null): Entry => {
  const id = log.ids.next(log.now())
  const spec = plainSpec
  return log.create({ run: id, parent: null, key: null, agent: "a", input: null, attempt: 1, deadline, spec }, id)
}

const below = (log: Log, parent: Entry, key = "k"): Entry => {
  const { id, run } = parent.state
  const creation = {
    run,
    parent: id,
    key,
    agent: "a",
    input: null,
    attempt: 1,
    deadline: null,
    spec: plainSpec
  } as const
  return log.create(creation, log.ids.next(log.now()))
}

const progress = (log: Log, entry: Entry, n: number) =>
  log.dispatch(entry, { _tag: "Progress", attempt: 1, progress: { progress: n, total: null, message: null } })

const complete = (log: Log, entry: Entry) => log.dispatch(entry, { _tag: "Complete", attempt: 1, result: null })

const cancel = (log: Log, entry: Entry) => log.dispatch(entry, { _tag: "Cancel", by: "x", reason: null })

const ask = (log: Log, entry: Entry) =>
  log.dispatch(entry, {
    _tag: "RequestInput",
    attempt: 1,
    request: { key: "q", mode: "form", message: "?", schema: null, url: null, deadline: null }
  })

const answer = (log: Log, entry: Entry) =>
  log.dispatch(entry, { _tag: "Respond", key: "q", response: { action: "accept", content: 1, by: "ann" } })

/** Runs a test over an engine of its own. */
const engine = <A, E>(test: (services: Engine.Services) => Effect.Effect<A, E, TaskStore>) =>
  Effect.flatMap(Engine.services, test).pipe(Effect.provide(Engine.layer))

describe("group commit", () => {
  it.effect("writes everything of one turn in one commit", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const entries = Array.from({ length: 50 }, () => root(log))
      for (const entry of entries) progress(log, entry, 1)
      yield* Effect.all(Array.from({ length: 20 }, () => log.barrier), { concurrency: "unbounded" })
      assert.lengthOf(faults.written, 1)
      assert.lengthOf(faults.written[0]!.events, 100)
      assert.lengthOf(faults.written[0]!.created, 50)
      assert.deepStrictEqual({ ...log.written }, { commits: 1, events: 100 })
    })))

  it.effect("decides at once and is durable after the barrier", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const store = yield* TaskStore
      const entry = root(log)
      const { id } = entry.state
      assert.isUndefined(yield* store.load(id))
      yield* log.barrier
      assert.deepStrictEqual((yield* store.load(id))?.state, entry.state)
      ask(log, entry)
      assert.strictEqual(entry.state.status, "input_required")
      assert.strictEqual((yield* store.load(id))?.state.status, "working")
      yield* log.barrier
      assert.strictEqual((yield* store.load(id))?.state.status, "input_required")
    })))

  it.effect("collects what is decided while a commit is on its way, and puts it into the next", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const pause = faults.pause("commit")
      const entry = root(log)
      const first = yield* Effect.forkChild(log.barrier, { startImmediately: true })
      yield* pause.reached
      progress(log, entry, 1)
      progress(log, entry, 2)
      const second = yield* Effect.forkChild(log.barrier, { startImmediately: true })
      yield* Engine.turn
      assert.isUndefined(first.pollUnsafe())
      assert.lengthOf(faults.written, 1)
      yield* pause.resume
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual(faults.written.map(({ events }) => events.length), [1, 2])
    })))

  it.effect("lets a barrier pass at once when nothing is open, and wait for what is on its way", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      yield* log.barrier
      assert.strictEqual(faults.calls("commit"), 0)
      const pause = faults.pause("commit")
      root(log)
      yield* pause.reached
      const waiting = yield* Effect.forkChild(log.barrier, { startImmediately: true })
      yield* Engine.turn
      assert.isUndefined(waiting.pollUnsafe())
      yield* pause.resume
      yield* Fiber.join(waiting)
      assert.strictEqual(faults.calls("commit"), 1)
    })))

  it.effect("numbers facts without gaps, also those it was told of late", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const store = yield* TaskStore
      const entries = [root(log), root(log)]
      for (let i = 0; i < 5; i++) {
        for (const entry of entries) progress(log, entry, i)
        yield* log.barrier
      }
      const events = yield* store.events({ since: 0, limit: 100 })
      assert.deepStrictEqual(events.map(({ seq }) => seq), Array.from({ length: 12 }, (_, i) => i + 1))
      assert.strictEqual(log.head, 12)
    })))

  it.effect("refuses without writing", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const entry = root(log)
      complete(log, entry)
      yield* log.barrier
      assert.isTrue(Result.isFailure(complete(log, entry)))
      yield* log.barrier
      assert.lengthOf(faults.written, 1)
    })))
})

describe("notification", () => {
  it.effect("tells of facts after their commit, in log order, before barriers resume", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const heard: Array<string> = []
      const stop = log.onCommit((events) => {
        for (const { seq } of events) heard.push(`${faults.written.length}:${seq}`)
      })
      const entry = root(log)
      progress(log, entry, 1)
      assert.deepStrictEqual(heard, [])
      yield* log.barrier
      assert.deepStrictEqual(heard, ["1:1", "1:2"])
      stop()
      progress(log, entry, 2)
      yield* log.barrier
      assert.lengthOf(heard, 2)
    })))

  it.effect("lets a listener dispatch, and one take itself out while the others are told", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const heard: Array<ReadonlyArray<Envelope>> = []
      const stop = log.onCommit(() => stop())
      log.onCommit((events) => {
        heard.push(events)
        const entry = log.resident(events[0]!.task)!
        if (heard.length === 1) progress(log, entry, 1)
      })
      root(log)
      yield* log.barrier
      yield* log.barrier
      assert.deepStrictEqual(heard.map((events) => events.length), [1, 1])
      assert.lengthOf(faults.written, 2)
    })))
})

describe("residency", () => {
  it.effect("keeps a task as long as it is pinned or a fact waits, and nothing after that", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const parent = root(log)
      const children = Array.from({ length: 10 }, (_, i) => below(log, parent, `${i}`))
      for (const entry of children) {
        complete(log, entry)
        log.release(entry)
      }
      assert.strictEqual(log.residentCount, 11)
      yield* log.barrier
      assert.strictEqual(log.residentCount, 1)
      assert.lengthOf(log.children(parent.state.id), 0)
      complete(log, parent)
      yield* log.barrier
      log.release(parent)
      assert.strictEqual(log.residentCount, 0)
    })))

  it.effect("pins a task once for each holder", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const entry = root(log)
      yield* log.barrier
      assert.strictEqual(yield* log.acquire(entry.state.id), entry)
      log.release(entry)
      assert.strictEqual(log.residentCount, 1)
      log.release(entry)
      assert.strictEqual(log.residentCount, 0)
      const again = (yield* log.acquire(entry.state.id))!
      assert.notStrictEqual(again, entry)
      assert.deepStrictEqual(again.state, entry.state)
      assert.isUndefined(yield* log.acquire("nobody" as TaskId))
    })))

  it.effect("never takes a row that is older than what was written while it was read", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const store = yield* TaskStore
      const entry = root(log)
      ask(log, entry)
      yield* log.barrier
      log.release(entry)
      const { id } = entry.state
      const pause = faults.pause("load")
      const slow = yield* Effect.forkChild(log.acquire(id), { startImmediately: true })
      yield* pause.reached
      const quick = (yield* log.acquire(id))!
      assert.isTrue(Result.isSuccess(answer(log, quick)))
      log.release(quick)
      yield* log.barrier
      yield* pause.resume
      const late = (yield* Fiber.join(slow))!
      assert.isTrue(Result.isFailure(answer(log, late)))
      log.release(late)
      assert.strictEqual(log.residentCount, 0)
      assert.strictEqual((yield* store.load(id))?.state.status, "working")
    })))

  it.effect("does not keep tasks for reads that began later", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const entry = root(log)
      yield* log.barrier
      const reading = (id: TaskId) =>
        Effect.gen(function*() {
          const pause = faults.pause("load")
          const fiber = yield* Effect.forkChild(log.acquire(id), { startImmediately: true })
          yield* pause.reached
          return { end: Effect.andThen(pause.resume, Fiber.join(fiber)) }
        })
      const first = yield* reading("x" as TaskId)
      log.release(entry)
      const second = yield* reading("y" as TaskId)
      assert.strictEqual(log.residentCount, 1)
      yield* first.end
      assert.strictEqual(log.residentCount, 0)
      yield* second.end
    })))

  it.effect("counts the children that still have to settle", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const parent = root(log)
      const { id } = parent.state
      const [done, cancelled, released] = [below(log, parent, "1"), below(log, parent, "2"), below(log, parent, "3")]
      assert.strictEqual(log.liveChildCount(id), 3)
      complete(log, done)
      log.dispatch(released, { _tag: "Release", rule: "continue" })
      assert.deepStrictEqual(log.liveChildren(id), [cancelled])
      cancel(log, cancelled)
      assert.strictEqual(log.liveChildCount(id), 1)
      log.dispatch(cancelled, { _tag: "Settle", how: "stopped", took: 0 })
      complete(log, released)
      assert.strictEqual(log.liveChildCount(id), 0)
      for (const entry of [done, cancelled, released]) log.release(entry)
      yield* log.barrier
      assert.strictEqual(log.residentCount, 1)
      assert.isTrue(log.knowsChildren(parent))
    })))

  it.effect("knows when a child may be in the store alone", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const parent = root(log)
      const entry = below(log, parent)
      yield* log.barrier
      assert.isTrue(log.knowsChildren(parent))
      log.release(entry)
      assert.isFalse(log.knowsChildren(parent))
      assert.strictEqual(log.liveChildCount(parent.state.id), 0)
    })))
})

describe("parking", () => {
  it.effect("wakes a task in the commit of its answer, its timer or its child's end", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const asking = root(log)
      ask(log, asking)
      const sleeping = root(log)
      const parent = root(log)
      const entry = below(log, parent)
      for (const parked of [asking, sleeping, parent]) log.setParked(parked, true)
      yield* log.barrier
      assert.deepStrictEqual(faults.written[0]!.created.map((row) => row.parked), [true, true, true, false])
      answer(log, asking)
      log.dispatch(sleeping, { _tag: "FireTimer", key: "t" })
      complete(log, entry)
      yield* log.barrier
      assert.lengthOf(faults.written, 2)
      assert.isTrue(faults.written[1]!.changed.every((row) => !row.parked))
      assert.lengthOf(faults.written[1]!.changed, 4)
    })))

  it.effect("wakes a parent that is out of memory", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const store = yield* TaskStore
      const parent = root(log)
      const entry = below(log, parent)
      log.setParked(parent, true)
      log.release(parent)
      yield* log.barrier
      assert.isUndefined(log.resident(parent.state.id))
      complete(log, entry)
      // acquired before the wake is written: a later write must not put it to sleep again
      const again = (yield* log.acquire(parent.state.id))!
      assert.isFalse(again.parked)
      yield* log.barrier
      assert.deepStrictEqual(faults.written[1]!.woken, [parent.state.id])
      progress(log, again, 1)
      yield* log.barrier
      assert.isFalse((yield* store.load(parent.state.id))?.parked)
    })))

  it.effect("is not quiet while a fact about the task or a child of it waits", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const parent = root(log)
      assert.isFalse(log.isQuiet(parent))
      const entry = below(log, parent)
      yield* log.barrier
      assert.isTrue(log.isQuiet(parent))
      complete(log, entry)
      assert.isFalse(log.isQuiet(parent))
      yield* log.barrier
      assert.isTrue(log.isQuiet(parent))
    })))

  it.effect("does not park what has ended", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const entry = root(log)
      complete(log, entry)
      yield* log.barrier
      log.setParked(entry, true)
      yield* log.barrier
      assert.lengthOf(faults.written, 1)
    })))
})

describe("timers of the log", () => {
  it.effect("leave nothing behind when their task ends, whenever they were set", () =>
    engine(Effect.fnUntraced(function*({ log }) {
      const store = yield* TaskStore
      const [quick, slow, deadline] = [root(log), root(log), root(log, 1e9)]
      for (const entry of [quick, slow]) log.dispatch(entry, { _tag: "SetTimer", attempt: 1, key: "t", due: 1e6 })
      complete(log, quick)
      yield* log.barrier
      assert.deepStrictEqual((yield* store.timersDue(1e12, 10)).map(({ key, task }) => [task, key]), [
        [slow.state.id, "t"],
        [deadline.state.id, "deadline"]
      ])
      complete(log, slow)
      cancel(log, deadline)
      yield* log.barrier
      assert.isUndefined(yield* store.nextTimer)
    })))
})

describe("a store that fails for a while (case 6)", () => {
  it.effect("holds the batch and what comes after it, and loses nothing", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const store = yield* TaskStore
      faults.fail("commit", { reason: "DiskFull", times: Infinity })
      const entry = root(log)
      const first = yield* Effect.forkChild(log.barrier, { startImmediately: true })
      yield* Engine.turn
      assert.strictEqual(log.trouble?.reason, "DiskFull")
      progress(log, entry, 1)
      const second = yield* Effect.forkChild(log.barrier, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.isAbove(faults.calls("commit"), 5)
      assert.isUndefined(first.pollUnsafe())
      assert.isUndefined(second.pollUnsafe())
      faults.heal()
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.isUndefined(log.trouble)
      assert.deepStrictEqual((yield* store.events({ since: 0, limit: 10 })).map(({ seq }) => seq), [1, 2])
    })))

  it.effect("stops at once when it is asked to stop meanwhile", () =>
    Effect.gen(function*() {
      const fiber = yield* engine(Effect.fnUntraced(function*({ faults, log }) {
        faults.fail("commit", { reason: "Busy", times: Infinity })
        root(log)
        const fiber = yield* Effect.forkDetach(log.barrier, { startImmediately: true })
        yield* Engine.turn
        return fiber
      }))
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber))).reason, "Busy")
    }))

  it.effect("gives the last commit of a stop one try", () =>
    Effect.gen(function*() {
      const { faults, fiber } = yield* engine(Effect.fnUntraced(function*({ faults, log }) {
        faults.fail("commit", { reason: "DiskFull", times: Infinity })
        root(log)
        return { faults, fiber: yield* Effect.forkDetach(log.barrier, { startImmediately: true }) }
      }))
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber))).reason, "DiskFull")
      assert.strictEqual(faults.calls("commit"), 1)
    }))
})

describe("a store that fails for good (case 5)", () => {
  for (const side of ["before", "after"] as const) {
    it.effect(`stops the log and tells every waiter, when it fails ${side} the write`, () =>
      engine(Effect.fnUntraced(function*({ faults, log }) {
        const told: Array<string> = []
        log.onStop(({ reason }) => told.push(reason))
        log.onCommit(() => told.push("committed"))
        faults.fail("commit", { reason: "Io", side })
        const entry = root(log)
        const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(log.barrier, { startImmediately: true }))
        const errors = yield* Effect.forEach(fibers, (fiber) => Effect.flip(Fiber.join(fiber)))
        assert.deepStrictEqual(errors.map(({ reason }) => reason), ["Io", "Io", "Io"])
        assert.deepStrictEqual(told, ["Io"])
        assert.strictEqual(log.stoppedBy?.reason, "Io")
        progress(log, entry, 1)
        root(log)
        assert.strictEqual((yield* Effect.flip(log.barrier)).reason, "Io")
        yield* Engine.turn
        assert.strictEqual(faults.calls("commit"), 1)
        assert.lengthOf(faults.written, side === "before" ? 0 : 1)
      })))
  }

  it.effect("stops when another process took over (case 10)", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const store = yield* TaskStore
      yield* store.open
      root(log)
      assert.strictEqual((yield* Effect.flip(log.barrier)).reason, "Fenced")
      assert.lengthOf(faults.written, 0)
    })))

  it.effect("tells who waits for a batch that was on its way when it was stopped, once", () =>
    engine(Effect.fnUntraced(function*({ faults, log }) {
      const pause = faults.pause("commit")
      root(log)
      const waiting = yield* Effect.forkChild(Effect.exit(log.barrier), { startImmediately: true })
      yield* pause.reached
      log.stop(new StoreError({ reason: "Stopped", message: "now" }))
      assert.isTrue(Exit.isFailure(yield* Fiber.join(waiting)))
      yield* pause.resume
      yield* Engine.turn
      assert.strictEqual(log.written.commits, 0)
    })))
})
