import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { JsonObject } from "effect/Schema"
import * as MemoryTaskStore from "../src/MemoryTaskStore.ts"
import { payloadLimit } from "../src/Payload.ts"
import type { TaskId } from "../src/Task.ts"
import type { RecordedExit } from "../src/TaskEvent.ts"
import type { Submit } from "../src/Tasks.ts"
import { TaskStore } from "../src/TaskStore.ts"
import * as Engine from "./support/engine.ts"

/** Runs a test over an engine of its own with one agent, `worker`. */
const engine = <A, E>(
  test: (services: Engine.Services & { readonly worker: Engine.FakeWorker }) => Effect.Effect<A, E, TaskStore>,
  options: Parameters<typeof Engine.work>[1] = {}
) =>
  Effect.gen(function*() {
    const worker = yield* Engine.work("worker", options)
    return yield* test({ ...yield* Engine.services, worker })
  }).pipe(Effect.scoped, Effect.provide(Engine.layer))

const keyed = (input: string, more: Partial<Submit> = {}): Submit => ({
  agent: "worker",
  input,
  idempotencyKey: "k",
  ...more
})

const nobody = "00000000000000000000" as TaskId

describe("submit", () => {
  it.effect("creates a durable task, starts it, and records what was asked", () =>
    engine(Effect.fnUntraced(function*({ tasks, worker }) {
      const store = yield* TaskStore
      const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", parentSpanId: "b7ad6b7169203331" }
      const task = yield* tasks.submit({
        agent: "worker",
        input: { n: 1 },
        deadline: 5e12,
        ttl: 0.5,
        trace,
        priority: 3
      })
      assert.deepStrictEqual((yield* store.load(task.id))?.state, task)
      assert.deepStrictEqual([task.run, task.attempt, task.deadline], [task.id, 1, 5e12])
      assert.deepInclude(task.spec, { principal: "local", priority: 3, ttl: 1, depth: 0, idempotencyKey: null })
      assert.deepInclude(task.spec.trace, trace)
      assert.deepStrictEqual(yield* tasks.input(task.id), { n: 1 })
      assert.isTrue(worker.held.has(task.id))
    })))

  it.effect("names an agent it does not know, and the one that was meant", () =>
    engine(Effect.fnUntraced(function*({ tasks }) {
      const error = yield* Effect.flip(tasks.submit({ agent: "wroker", input: null }))
      assert.strictEqual(error.message, `Unknown agent "wroker"; did you mean "worker"?`)
    })))

  it.effect("makes no task of an input the agent refuses, or that is too large or too deep", () =>
    engine(Effect.fnUntraced(function*({ tasks }) {
      const store = yield* TaskStore
      const deep = JSON.parse("[".repeat(10_000) + "]".repeat(10_000))
      const requests: ReadonlyArray<Submit> = [
        { agent: "worker", input: "bad" },
        { agent: "worker", input: "x".repeat(payloadLimit) },
        { agent: "worker", input: deep },
        { agent: "worker", input: null, meta: { deep } }
      ]
      const errors = yield* Effect.forEach(requests, (request) => Effect.flip(tasks.submit(request)))
      const tooLarge = "PayloadTooLarge"
      assert.deepStrictEqual(errors.map(({ _tag }) => _tag), ["InvalidInput", tooLarge, tooLarge, tooLarge])
      assert.strictEqual((yield* store.counts).tasks, 0)
    })))

  it.effect("queues up to the agent's limit, then refuses", () =>
    engine(
      Effect.fnUntraced(function*({ tasks, worker }) {
        const submit = tasks.submit({ agent: "worker", input: null })
        const running = yield* submit
        const queued = yield* submit
        assert.deepStrictEqual([running.attempt, queued.attempt], [1, 0])
        const refused = yield* Effect.flip(submit)
        assert.strictEqual(refused._tag, "QueueFull")
        worker.complete(running.id)
        yield* submit
      }),
      { concurrency: 1, queue: 1 }
    ))

  it.effect("runs without a queue while there are places", () =>
    engine(
      Effect.fnUntraced(function*({ tasks }) {
        const submit = tasks.submit({ agent: "worker", input: null })
        yield* submit
        assert.strictEqual((yield* Effect.flip(submit))._tag, "QueueFull")
      }),
      { concurrency: 1, queue: 0 }
    ))

  it.effect("takes times of any kind: fractions, infinity, the past", () =>
    engine(Effect.fnUntraced(function*({ log, tasks, worker }) {
      const store = yield* TaskStore
      const task = yield* tasks.submit({
        agent: "worker",
        input: null,
        deadline: 0.5,
        retention: Infinity,
        ttl: Infinity
      })
      assert.deepStrictEqual([task.deadline, task.spec.retention, task.spec.ttl], [1, 8.64e15, 8.64e15])
      worker.complete(task.id)
      yield* log.barrier
      assert.deepStrictEqual(yield* store.expired(8e15, 10), [])
    })))

  it.effect("refuses at once while the store is in trouble, and says that it may be tried again", () =>
    engine(Effect.fnUntraced(function*({ faults, tasks }) {
      faults.fail("commit", { reason: "DiskFull", times: Infinity })
      yield* Effect.forkChild(tasks.submit({ agent: "worker", input: null }), { startImmediately: true })
      yield* Engine.turn
      const error = yield* Effect.flip(tasks.submit({ agent: "worker", input: null }))
      assert.isTrue(error._tag === "StoreError" && error.reason === "DiskFull" && error.isRetryable)
      assert.deepStrictEqual(yield* tasks.list({ limit: 10 }), [])
    })))
})

describe("idempotency keys (case 12)", () => {
  it.effect("hands the task to who serves the agent when its receipt has been looked up", () =>
    Effect.gen(function*() {
      const { faults, tasks } = yield* Engine.services
      const before = yield* Engine.work("worker")
      const pause = faults.pause("receipt")
      const submitted = yield* Effect.forkChild(tasks.submit(keyed("a")))
      yield* pause.reached
      const after = yield* Engine.work("worker")
      yield* pause.resume
      const { id } = yield* Fiber.join(submitted)
      assert.deepStrictEqual([before.held.has(id), after.held.has(id)], [false, true])
    }).pipe(Effect.scoped, Effect.provide(Engine.layer)))

  it.effect("give one task to all who submit the same, also at the same time", () =>
    engine(Effect.fnUntraced(function*({ faults, tasks }) {
      const store = yield* TaskStore
      const pause = faults.pause("receipt")
      const many = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => tasks.submit(keyed("a")), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* pause.reached
      yield* pause.resume
      const ids = new Set((yield* Fiber.join(many)).map(({ id }) => id))
      assert.strictEqual(ids.size, 1)
      assert.strictEqual((yield* store.counts).tasks, 1)
      assert.isTrue(ids.has((yield* tasks.submit(keyed("a"))).id))
    })))

  it.effect("outlive the submit that was interrupted before its commit", () =>
    engine(Effect.fnUntraced(function*({ faults, tasks }) {
      const pause = faults.pause("commit", "before")
      const first = yield* Effect.forkChild(tasks.submit(keyed("a")), { startImmediately: true })
      yield* pause.reached
      yield* Fiber.interrupt(first)
      const second = yield* Effect.forkChild(tasks.submit(keyed("a")), { startImmediately: true })
      yield* pause.resume
      yield* Fiber.join(second)
      assert.strictEqual((yield* tasks.list({ limit: 10 })).length, 1)
    })))

  it.effect("are compared by the value of the input, and refuse another", () =>
    engine(Effect.fnUntraced(function*({ tasks }) {
      const request = (input: JsonObject) => tasks.submit({ agent: "worker", input, idempotencyKey: "k" })
      const first = yield* request({ a: 1, b: [{ c: 2, d: 3 }] })
      assert.strictEqual((yield* request({ b: [{ d: 3, c: 2 }], a: 1 })).id, first.id)
      const error = yield* Effect.flip(request({ a: 2 }))
      assert.deepInclude(error, { _tag: "KeyReused", key: "k", task: first.id })
    })))

  it.effect("belong to a principal and an agent", () =>
    engine(Effect.fnUntraced(
      function*({ tasks }) {
        yield* Engine.work("other")
        const requests = [keyed("a"), keyed("a", { principal: "ann" }), keyed("a", { agent: "other" })]
        const ids = yield* Effect.forEach(requests, (request) => Effect.map(tasks.submit(request), ({ id }) => id))
        assert.strictEqual(new Set(ids).size, 3)
      },
      Effect.scoped,
      Effect.provide(Engine.layer)
    )))

  it.effect("survive a restart, and are free again when their task is deleted", () =>
    Effect.gen(function*() {
      const store = Engine.over(MemoryTaskStore.layerShared())
      const life = Effect.gen(function*() {
        const worker = yield* Engine.work("worker")
        const { log, tasks } = yield* Engine.services
        const { id } = yield* tasks.submit(keyed("a"))
        if (worker.held.has(id)) worker.complete(id)
        yield* log.barrier
        return { id, tasks }
      })
      const once = Effect.scoped(Effect.provide(Effect.map(life, ({ id }) => id), store, { local: true }))
      const first = yield* once
      assert.strictEqual(yield* once, first)
      const last = yield* life.pipe(
        Effect.flatMap(({ id, tasks }) => Effect.andThen(tasks.delete(id), tasks.submit(keyed("b")))),
        Effect.scoped,
        Effect.provide(store, { local: true })
      )
      assert.notStrictEqual(last.id, first)
    }))
})

describe("result", () => {
  it.effect("waits for the commit of the end, and finds an end that is long past", () =>
    engine(Effect.fnUntraced(function*({ faults, tasks, worker }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      const waiting = yield* Effect.forkChild(tasks.result(id), { startImmediately: true })
      const pause = faults.pause("commit")
      worker.complete(id, { n: 1 })
      yield* pause.reached
      assert.isUndefined(waiting.pollUnsafe())
      yield* pause.resume
      const outcome = yield* Fiber.join(waiting)
      assert.deepStrictEqual(outcome.ending, { _tag: "Completed", result: { n: 1 } })
      assert.strictEqual(outcome.task.status, "completed")
      assert.deepStrictEqual(yield* tasks.result(id), outcome)
      assert.strictEqual((yield* Effect.flip(tasks.result(nobody)))._tag, "TaskNotFound")
    })))

  it.effect("costs no read while the task is in memory, whatever else is committed", () =>
    engine(Effect.fnUntraced(function*({ faults, log, tasks, worker }) {
      const submit = Effect.map(tasks.submit({ agent: "worker", input: null }), ({ id }) => id)
      const ids = yield* Effect.forEach(Array.from({ length: 200 }), () => submit, { concurrency: "unbounded" })
      const waiting = yield* Effect.forkChild(Effect.forEach(ids, tasks.result, { concurrency: "unbounded" }))
      yield* Engine.turn
      for (const id of ids) {
        worker.complete(id)
        yield* log.barrier
      }
      assert.lengthOf(yield* Fiber.join(waiting), 200)
      assert.strictEqual(faults.calls("load"), 0)
      assert.strictEqual(faults.calls("ending"), 0)
    })))

  it.effect("fails when the log stops, before and after", () =>
    engine(Effect.fnUntraced(function*({ faults, tasks }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      const waiting = yield* Effect.forkChild(tasks.result(id), { startImmediately: true })
      faults.fail("commit", { reason: "Io" })
      yield* Effect.flip(tasks.submit({ agent: "worker", input: null }))
      for (const wait of [Fiber.join(waiting), tasks.result(id)]) {
        assert.deepInclude(yield* Effect.flip(wait), { _tag: "StoreError", reason: "Io" })
      }
    })))
})

describe("respond", () => {
  const form = { type: "object", properties: { go: { type: "boolean" } }, required: ["go"] }
  const ask = (log: Engine.Services["log"], id: TaskId, key: string, mode: "form" | "url" = "form") => {
    const request = { key, mode, message: "Go?", schema: form, url: null, deadline: null }
    log.dispatch(log.resident(id)!, { _tag: "RequestInput", attempt: 1, request })
  }
  const accept = (content: unknown) => ({ action: "accept", content, by: "ann" }) as never

  it.effect("takes the first valid answer of many (case 13)", () =>
    engine(Effect.fnUntraced(function*({ log, tasks }) {
      const store = yield* TaskStore
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      ask(log, id, "q")
      yield* log.barrier
      const answers = Array.from({ length: 10 }, (_, n) => tasks.respond({ id, response: accept({ go: true, n }) }))
      const results = yield* Effect.forEach(answers, Effect.result, { concurrency: "unbounded" })
      assert.deepStrictEqual(results.map(({ _tag }) => _tag), [
        "Success",
        ...Array.from({ length: 9 }, () => "Failure")
      ])
      const facts = yield* store.events({ task: id, since: 0, limit: 10 })
      const received = facts.filter(({ event }) => event._tag === "InputReceived")
      assert.deepStrictEqual(received.map(({ event }) => event), [
        { _tag: "InputReceived", key: "q", response: accept({ go: true, n: 0 }) }
      ])
    })))

  it.effect("refuses an answer that does not fit the form, and keeps asking (case 14)", () =>
    engine(Effect.fnUntraced(function*({ log, tasks }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      ask(log, id, "q")
      yield* log.barrier
      for (const content of [{ go: "yes" }, {}, null, "go", { go: true, more: "x".repeat(payloadLimit) }]) {
        const error = yield* Effect.flip(tasks.respond({ id, response: accept(content) }))
        assert.strictEqual(error._tag, "InvalidAnswer")
      }
      const error = yield* Effect.flip(tasks.respond({ id, response: accept({ go: "yes" }) }))
      assert.strictEqual(error.message, "go: Expected boolean")
      assert.strictEqual((yield* tasks.get(id)).status, "input_required")
      assert.strictEqual((yield* tasks.respond({ id, response: accept({ go: true }) })).status, "working")
    })))

  it.effect("asks which question is meant when there are several", () =>
    engine(Effect.fnUntraced(function*({ log, tasks }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      ask(log, id, "a")
      ask(log, id, "b", "url")
      yield* log.barrier
      const error = yield* Effect.flip(tasks.respond({ id, response: accept({ go: true }) }))
      assert.strictEqual(error.message, `The task asks 2 questions; name one of "a", "b"`)
      yield* tasks.respond({ id, key: "b", response: accept(null) })
      assert.deepStrictEqual((yield* tasks.inbox({ run: id })).map(({ request }) => request.key), ["a"])
    })))

  it.effect("keeps no content of a decline", () =>
    engine(Effect.fnUntraced(function*({ log, tasks }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      ask(log, id, "q")
      yield* tasks.respond({ id, response: { action: "decline", content: { secret: 1 }, by: "ann" } })
      const last = (yield* tasks.events({ task: id, since: 0, limit: 10 })).at(-1)!.event
      assert.deepStrictEqual(last, {
        _tag: "InputReceived",
        key: "q",
        response: { action: "decline", content: null, by: "ann" }
      })
    })))

  it.effect("refuses unknown keys, ended and unknown tasks, and lets go of them", () =>
    engine(Effect.fnUntraced(function*({ log, tasks, worker }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      const refused = (id: TaskId, key?: string) =>
        Effect.flip(tasks.respond({ id, key, response: accept({ go: true }) }))
      assert.strictEqual((yield* refused(id))._tag, "Refused")
      assert.strictEqual((yield* refused(id, "x"))._tag, "Refused")
      worker.complete(id)
      assert.strictEqual((yield* refused(id, "x"))._tag, "Refused")
      assert.strictEqual((yield* refused(nobody))._tag, "TaskNotFound")
      assert.strictEqual(log.residentCount, 0)
    })))
})

describe("reading", () => {
  it.effect("finds a task by the beginning of its id", () =>
    engine(Effect.fnUntraced(function*({ tasks }) {
      const [a, b] = [
        yield* tasks.submit({ agent: "worker", input: 1 }),
        yield* tasks.submit({ agent: "worker", input: 2 })
      ]
      const common = a.id.slice(0, 9)
      assert.deepInclude(yield* Effect.flip(tasks.resolve(common)), { _tag: "AmbiguousId", candidates: [a.id, b.id] })
      assert.strictEqual(yield* tasks.resolve(a.id.slice(0, 13).toUpperCase()), a.id)
      assert.strictEqual((yield* Effect.flip(tasks.resolve("zzz")))._tag, "TaskNotFound")
    })))

  it.effect("shows committed facts only", () =>
    engine(Effect.fnUntraced(function*({ log, tasks, worker }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      worker.complete(id)
      assert.strictEqual((yield* tasks.get(id)).status, "working")
      yield* log.barrier
      assert.strictEqual((yield* tasks.get(id)).status, "completed")
    })))

  it.effect("says that there is no such task", () =>
    engine(Effect.fnUntraced(function*({ tasks }) {
      const reads = [
        tasks.get(nobody),
        tasks.tree(nobody),
        tasks.input(nobody),
        tasks.cancelReport(nobody),
        tasks.retry(nobody)
      ]
      for (const read of reads) {
        assert.strictEqual((yield* Effect.flip(read as Effect.Effect<unknown, { _tag: string }>))._tag, "TaskNotFound")
      }
    })))
})

describe("retry and delete", () => {
  it.effect("submits the same input again, under the same limits, as a task that knows the first", () =>
    engine(Effect.fnUntraced(function*({ tasks, worker }) {
      const budget = { wallClock: null, calls: 3, tokens: null, money: null }
      const first = yield* tasks.submit({
        agent: "worker",
        input: { n: 1 },
        principal: "ann",
        ttl: 9,
        budget,
        priority: 2
      })
      worker.complete(first.id)
      const second = yield* tasks.retry(first.id)
      assert.notStrictEqual(second.id, first.id)
      assert.deepInclude(second.spec, { principal: "ann", ttl: 9, budget, priority: 2, retryOf: first.id })
      assert.deepStrictEqual(yield* tasks.input(second.id), { n: 1 })
      assert.strictEqual((yield* tasks.retry(first.id, { principal: "bob" })).spec.principal, "bob")
    })))

  describe("takes over what the first task had got", () => {
    const record = (key: string, exit: RecordedExit) =>
      ({ _tag: "RecordStep", attempt: 1, key, name: `the ${key}`, exit, startedAt: 1 }) as const
    const success = { _tag: "Success", value: { n: 1 } } as const

    /** A failed task with two good steps, a failed one, a child that completed and one that did not. */
    const failed = Effect.fnUntraced(
      function*({ log, tasks, worker }: Engine.Services & { worker: Engine.FakeWorker }) {
        const { id } = yield* tasks.submit({ agent: "worker", input: null })
        const entry = log.resident(id)!
        log.dispatch(entry, record("a", success))
        log.dispatch(entry, record("bad", { _tag: "Failure", error: "no" }))
        log.dispatch(entry, record("b", success))
        const child = Engine.child(tasks, worker, entry, "call")
        Engine.child(tasks, worker, entry, "open")
        worker.complete(child, "answer")
        log.dispatch(entry, { _tag: "Fail", attempt: 1, reason: "agent_error", message: "no", error: "no" })
        yield* log.barrier
        return { id, child }
      }
    )

    it.effect("successes of steps and calls only, in the commit that makes the new task", () =>
      engine(Effect.fnUntraced(function*(all) {
        const { faults, tasks, worker } = all
        const { child, id } = yield* failed(all)
        const again = yield* tasks.retry(id)
        const { events } = faults.written.find(({ created }) => created.some(({ state }) => state.id === again.id))!
        assert.deepStrictEqual(events.map(({ event }) => event).slice(1), [
          { _tag: "StepReused", key: "a", name: "the a", result: { n: 1 }, from: id },
          { _tag: "StepReused", key: "b", name: "the b", result: { n: 1 }, from: id },
          { _tag: "StepReused", key: "call", name: "worker", result: "answer", from: child }
        ])
        // its worker reads them in the log, as after a restart
        assert.deepStrictEqual([again.attempt, worker.resumed], [0, [again.id]])
        const third = yield* tasks.retry(again.id)
        const own = (yield* tasks.events({ task: third.id, since: 0, limit: 10 })).slice(1)
        assert.deepStrictEqual(own.map(({ event }) => event), events.map(({ event }) => event).slice(1))
      })))

    it.effect("nothing when it is to be fresh", () =>
      engine(Effect.fnUntraced(function*(all) {
        const { id } = yield* failed(all)
        const { attempt, id: again } = yield* all.tasks.retry(id, { fresh: true })
        const own = yield* all.tasks.events({ task: again, since: 0, limit: 10 })
        assert.deepStrictEqual([attempt, own.map(({ event }) => event._tag)], [1, ["Created"]])
      })))

    it.effect("but lets go of a task whose commit fails", () =>
      engine(Effect.fnUntraced(function*(all) {
        const { id } = yield* failed(all)
        all.faults.fail("commit", { reason: "Io" })
        assert.strictEqual((yield* Effect.flip(all.tasks.retry(id)))._tag, "StoreError")
        assert.deepStrictEqual(all.worker.resumed, [])
      })))
  })

  it.effect("deletes a run that is over, and only a run", () =>
    engine(Effect.fnUntraced(function*({ log, tasks, worker }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      const child = Engine.child(tasks, worker, log.resident(id)!, "c")
      worker.complete(child)
      yield* log.barrier
      assert.strictEqual((yield* Effect.flip(tasks.delete(id)))._tag, "StillRunning")
      assert.strictEqual((yield* Effect.flip(tasks.delete(child)))._tag, "TaskNotFound")
      worker.complete(id)
      assert.strictEqual((yield* Effect.flip(tasks.delete(id)))._tag, "StillRunning")
      yield* log.barrier
      assert.strictEqual(yield* tasks.delete(id), 2)
      assert.strictEqual((yield* Effect.flip(tasks.delete(id)))._tag, "TaskNotFound")
    })))

  it.effect("keeps artifacts by their content", () =>
    engine(Effect.fnUntraced(function*({ tasks }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      const artifact = { run: id, mediaType: "text/plain", bytes: new TextEncoder().encode("hello") }
      const digest = yield* tasks.putArtifact(artifact)
      assert.strictEqual(yield* tasks.putArtifact(artifact), digest)
      assert.deepStrictEqual(yield* tasks.artifact(digest), { digest, ...artifact })
    })))
})
