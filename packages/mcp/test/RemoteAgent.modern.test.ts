/**
 * Remote agents over a server of 2026-07-28.
 */
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fact, life, type LifeOptions, newStore, rest, submit } from "./support/Engine.ts"
import { form, listen, type ModernHttp, type ModernTasks } from "./support/ModernServer.ts"

const peer = Effect.acquireRelease(Effect.promise(() => listen()), (modern) => Effect.promise(modern.close))

const at = ({ url }: ModernHttp): LifeOptions => ({
  store: newStore(),
  server: { endpoint: { _tag: "Http", url } },
  agents: [{ name: "manual" }]
})

const until = (tasks: ModernTasks, look: (tasks: ModernTasks) => boolean) => Effect.promise(() => tasks.until(look))

const said = (text: string) => ({ content: [{ type: "text", text }] })

const asking = ({ tasks }: ModernHttp) =>
  Effect.gen(function*() {
    const id = yield* submit("manual")
    yield* fact(id, "StepRecorded", ({ key }) => key === "remote:task")
    tasks.set(tasks.last, { status: "input_required", inputRequests: { who: form("Who?") } })
    yield* fact(id, "InputRequested")
    return id
  })

const respond = (id: Parameters<typeof rest>[0]) =>
  Effect.flatMap(
    Tasks,
    (tasks) => tasks.respond({ id, response: { action: "accept", content: { name: "Ada" }, by: "test" } })
  )

describe("a remote task of 2026-07-28", () => {
  it.live("tells what it is doing, and its result", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      yield* life(
        at(modern),
        Effect.gen(function*() {
          const id = yield* submit("manual")
          yield* until(modern.tasks, ({ subscribed }) => subscribed === 1)
          modern.tasks.set(modern.tasks.last, { statusMessage: "half way" })
          yield* fact(id, "Progressed", ({ progress }) => progress.message === "half way")
          modern.tasks.set(modern.tasks.last, { status: "completed", result: said("done") })
          const { ending } = yield* rest(id)
          assert.deepStrictEqual(ending, { _tag: "Completed", result: said("done") })
        })
      )
    }))

  it.live("asks in our inbox, and hears the answer under its own key", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      yield* life(
        at(modern),
        Effect.gen(function*() {
          const id = yield* asking(modern)
          yield* respond(id)
          yield* until(modern.tasks, ({ answers }) => answers.length === 1)
          modern.tasks.set(modern.tasks.last, { status: "completed", result: said("thanks") })
          yield* rest(id)
          assert.deepStrictEqual(modern.tasks.answers, [{ who: { action: "accept", content: { name: "Ada" } } }])
        })
      )
    }))

  it.live("withdraws a question the server no longer asks", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      yield* life(
        at(modern),
        Effect.gen(function*() {
          const id = yield* asking(modern)
          delete modern.tasks.last.inputRequests
          modern.tasks.set(modern.tasks.last, { status: "working" })
          yield* fact(id, "InputWithdrawn")
        })
      )
    }))

  it.live("keeps its question over a restart, and is answered after it", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      const options = at(modern)
      const id = yield* life(options, asking(modern))
      yield* life(
        options,
        Effect.gen(function*() {
          const asked = modern.tasks.count("tasks/get")
          yield* until(modern.tasks, (now) => now.count("tasks/get") > asked)
          yield* respond(id)
          yield* until(modern.tasks, ({ answers }) => answers.length === 1)
          modern.tasks.set(modern.tasks.last, { status: "completed", result: said("thanks") })
          yield* rest(id)
          const events = yield* (yield* Tasks).events({ task: id, since: 0, limit: 1_000 })
          assert.strictEqual(events.filter(({ event }) => event._tag === "InputRequested").length, 1)
          assert.strictEqual(modern.tasks.count("tools/call"), 1)
        })
      )
    }))

  it.live("delivers after a restart what was answered before it, and asks nobody twice", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      const options = at(modern)
      modern.tasks.refused.add("tasks/update")
      const id = yield* life(options, Effect.tap(asking(modern), respond))
      modern.tasks.refused.clear()
      yield* life(
        options,
        Effect.gen(function*() {
          yield* until(modern.tasks, ({ answers }) => answers.length === 1)
          modern.tasks.set(modern.tasks.last, { status: "completed", result: said("thanks") })
          yield* rest(id)
          const events = yield* (yield* Tasks).events({ task: id, since: 0, limit: 1_000 })
          assert.strictEqual(events.filter(({ event }) => event._tag === "InputRequested").length, 1)
        })
      )
    }))
})

describe("a tool that asks before there is a task", () => {
  it.live("is called again after a restart, and finds the answer it was given", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      const options = { ...at(modern), agents: [{ name: "first", tool: "ask first" }] }
      const id = yield* life(
        options,
        Effect.gen(function*() {
          const id = yield* submit("first")
          yield* fact(id, "InputRequested")
          return id
        })
      )
      yield* life(
        options,
        Effect.gen(function*() {
          yield* until(modern.tasks, (now) => now.count("tools/call") === 2)
          yield* respond(id)
          const { ending } = yield* rest(id)
          const answers = JSON.stringify({ who: { action: "accept", content: { name: "Ada" } } })
          assert.deepStrictEqual(ending, { _tag: "Completed", result: said(answers) })
          const events = yield* (yield* Tasks).events({ task: id, since: 0, limit: 1_000 })
          assert.strictEqual(events.filter(({ event }) => event._tag === "InputRequested").length, 1)
        })
      )
    }))
})

describe("cancelling a remote task", () => {
  const cancelled = (options: LifeOptions, before: Effect.Effect<void>) =>
    life(
      options,
      Effect.gen(function*() {
        const id = yield* submit("manual")
        yield* fact(id, "StepRecorded", ({ key }) => key === "remote:task")
        yield* before
        yield* (yield* Tasks).cancel({ id, by: "test" })
        const { task } = yield* rest(id)
        return [task.status, task.settlement]
      })
    )

  it.live("settles as stopped when the server stopped it", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      assert.deepStrictEqual(yield* cancelled(at(modern), Effect.void), ["cancelled", "stopped"])
    }))

  it.live("settles as finished before when it had ended there", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      const end = Effect.sync(() => {
        modern.tasks.obeys = false
        // the push is lost: only asking tells
        Object.assign(modern.tasks.last, { status: "completed", result: said("done") })
      })
      assert.deepStrictEqual(yield* cancelled(at(modern), end), ["cancelled", "finished_before"])
    }))

  it.live("settles as refused when the server goes on", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      const defy = Effect.sync(() => {
        modern.tasks.obeys = false
      })
      assert.deepStrictEqual(yield* cancelled(at(modern), defy), ["cancelled", "refused"])
    }))

  it.live("answers nothing in anybody's name that the task still asks", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      const { tasks } = modern
      const ask = Effect.sync(() => {
        tasks.obeys = false
        tasks.set(tasks.last, { status: "input_required", inputRequests: { who: form("Who?") } })
      })
      assert.deepStrictEqual(yield* cancelled(at(modern), ask), ["cancelled", "refused"])
      assert.notInclude(tasks.requests, "tasks/update")
    }))

  it.live("settles as unreachable when the server is gone", () =>
    Effect.gen(function*() {
      const modern = yield* peer
      const vanish = Effect.promise(modern.close)
      assert.deepStrictEqual(yield* cancelled(at(modern), vanish), ["cancelled", "unreachable"])
    }))
})
