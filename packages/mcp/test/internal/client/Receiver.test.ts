/**
 * The numbers are those of the checklist for tasks of 2025-11-25: here the client is the receiver.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { Connection } from "../../../src/internal/client/Connection.ts"
import { accept, type Answer, refuse } from "../../../src/internal/client/questions.ts"
import { Receiver } from "../../../src/internal/client/Receiver.ts"

const params = { mode: "form", message: "Who?", requestedSchema: { type: "object", properties: {} } }

/** A server's side of the wire, and an answer that comes when the test gives it. */
const setting = Effect.gen(function*() {
  const fork = yield* FiberSet.makeRuntime<never, void, never>()
  const replies = new Map<unknown, (reply: any) => void>()
  const connection = {
    send: ({ id, ...reply }: any) => replies.get(id)?.(reply),
    deliver: ({ id, ...reply }: any) => Effect.sync(() => replies.get(id)?.(reply))
  } as unknown as Connection
  const answer = yield* Deferred.make<Answer>()
  const receiver = new Receiver({ connection, fork, clock: yield* Clock.Clock, ask: () => Deferred.await(answer) })
  let id = 0
  const ask = (method: string, params: object = {}): Effect.Effect<any> =>
    Effect.callback((resume) => {
      id++
      replies.set(id, (reply) => resume(Effect.succeed(reply)))
      assert.isTrue(receiver.receive({ jsonrpc: "2.0", id, method, params: params as never }))
    })
  const create = Effect.map(
    ask("elicitation/create", { ...params, task: { ttl: 60_000 } }),
    ({ result }) => result.task
  )
  return { answer, ask, create, receiver }
})

describe("a client that is asked by a task", () => {
  it.effect("13–17, 29–32: makes one that is working, with an id of its own, times and a time to live", () =>
    Effect.gen(function*() {
      const { ask, create } = yield* setting
      const first = yield* create
      const second = yield* create
      assert.notStrictEqual(first.taskId, second.taskId)
      assert.deepInclude(first, { status: "working", ttl: 60_000, createdAt: "1970-01-01T00:00:00.000Z" })
      assert.deepStrictEqual((yield* ask("tasks/get", { taskId: first.taskId })).result, first)
    }))

  it.effect("35–38, 42: holds the result back until it is there, and marks it", () =>
    Effect.gen(function*() {
      const { answer, ask, create } = yield* setting
      const { taskId } = yield* create
      yield* Deferred.succeed(answer, accept({ name: "Ada" }))
      const { result } = yield* ask("tasks/result", { taskId })
      assert.deepStrictEqual(result, {
        action: "accept",
        content: { name: "Ada" },
        _meta: { "io.modelcontextprotocol/related-task": { taskId } }
      })
      assert.strictEqual((yield* ask("tasks/get", { taskId })).result.status, "completed")
    }))

  it.effect("52: gives the error the question would have had", () =>
    Effect.gen(function*() {
      const { answer, ask, create } = yield* setting
      const { taskId } = yield* create
      yield* Deferred.succeed(answer, refuse(-1, "no"))
      assert.deepStrictEqual((yield* ask("tasks/result", { taskId })).error, { code: -1, message: "no" })
      const { result } = yield* ask("tasks/get", { taskId })
      assert.deepInclude(result, { status: "failed", statusMessage: "no" })
    }))

  it.effect("54: says −32602 to ids and cursors it does not know", () =>
    Effect.gen(function*() {
      const { ask } = yield* setting
      for (const method of ["tasks/get", "tasks/result", "tasks/cancel"]) {
        assert.strictEqual((yield* ask(method, { taskId: "none" })).error.code, -32_602)
      }
      assert.strictEqual((yield* ask("tasks/list", { cursor: "none" })).error.code, -32_602)
    }))

  it.effect("55–57: is cancelled before it says so, once, and for good", () =>
    Effect.gen(function*() {
      const { answer, ask, create } = yield* setting
      const { taskId } = yield* create
      assert.strictEqual((yield* ask("tasks/cancel", { taskId })).result.status, "cancelled")
      assert.strictEqual((yield* ask("tasks/cancel", { taskId })).error.code, -32_602)
      yield* Deferred.succeed(answer, accept({}))
      assert.strictEqual((yield* ask("tasks/get", { taskId })).result.status, "cancelled")
    }))

  it.effect("48–51: lists all of them, in pages", () =>
    Effect.gen(function*() {
      const { ask, create } = yield* setting
      const made = yield* Effect.forEach(Array.from({ length: 60 }), () => create)
      const first = (yield* ask("tasks/list")).result
      const second = (yield* ask("tasks/list", { cursor: first.nextCursor })).result
      const listed = [...first.tasks, ...second.tasks].map(({ taskId }: any) => taskId)
      assert.deepStrictEqual([listed.length, second.nextCursor], [60, undefined])
      assert.deepStrictEqual(listed, made.map(({ taskId }) => taskId))
    }))

  it.effect("66: takes a hundred at once and no more", () =>
    Effect.gen(function*() {
      const { ask, create } = yield* setting
      yield* Effect.forEach(Array.from({ length: 100 }), () => create)
      const { error } = yield* ask("elicitation/create", { ...params, task: {} })
      assert.include(error.message, "100")
    }))

  it.effect("answers at once without a task", () =>
    Effect.gen(function*() {
      const { answer, ask } = yield* setting
      yield* Deferred.succeed(answer, accept({ a: 1 }))
      assert.deepStrictEqual((yield* ask("elicitation/create", params)).result, { action: "accept", content: { a: 1 } })
    }))
})
