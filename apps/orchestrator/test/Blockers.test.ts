import type { Wait } from "@coppice/api/TasksApi"
import type { Envelope, TaskEvent } from "@coppice/task/TaskEvent"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { waitsOf } from "../src/Blockers.ts"
import { Service, submit, until } from "./support/Service.ts"

const brief = (waits: ReadonlyArray<Wait>) => waits.map(({ agent, on }) => `${agent} on ${on}`)

layer(Service.layerMemory, { excludeTestServices: true })("Blockers", (it) => {
  it.effect("follows children down to the person everything waits for", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("survey", { text: "Go on?" })
      const asking = yield* until(id, "Created").pipe(Effect.andThen(client.tasks.tree({ params: { id }, query: {} })))
      yield* until(asking.tasks[1]!.id, "InputRequested")
      const { causes, waits } = yield* client.tasks.why({ params: { id } })
      assert.deepStrictEqual(brief(waits), ["survey on child"])
      assert.deepStrictEqual(brief(causes), ["ask on person"])
      assert.strictEqual(waits[0]!.child, asking.tasks[1]!.id)
      assert.deepInclude(causes[0], { message: "Go on?", fix: `coppice answer ${asking.tasks[1]!.id}` })
      assert.isAbove(causes[0]!.since, 0)
    }))

  it.effect("knows until when a task sleeps", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("nap", { seconds: 3_600 })
      yield* until(id, "TimerSet")
      const { task, waits } = yield* client.tasks.why({ params: { id } })
      assert.deepStrictEqual(brief(waits), ["nap on timer"])
      assert.approximately(waits[0]!.due!, task.createdAt + 3_600_000, 1_000)
    }))

  it.effect("tells code that runs from tasks that wait for its place", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const running = yield* submit("narrow", { text: "1" })
      const queued = yield* submit("narrow", { text: "2" })
      const first = yield* client.tasks.why({ params: { id: running } })
      assert.deepStrictEqual(brief(first.waits), ["narrow on step"])
      assert.match(first.waits[0]!.message, /is running; its last sign of life was 2/)
      const second = yield* client.tasks.why({ params: { id: queued } })
      assert.deepStrictEqual(brief(second.waits), ["narrow on slot"])
      assert.deepInclude(second.waits[0], {
        message: "all 1 places of \"narrow\" are taken, and 1 task waits; it is number 1",
        place: 1,
        turns: 0
      })
    }))

  it.effect("has nothing to say of what has ended", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("echo", { text: "x" })
      yield* client.result(id)
      const { causes, waits } = yield* client.tasks.why({ params: { id } })
      assert.deepStrictEqual(brief(waits), ["echo on nothing"])
      assert.deepStrictEqual(causes, waits)
      assert.strictEqual(waits[0]!.message, "it is completed")
    }))

  it.effect("names the agent nobody runs any more", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const task = yield* client.tasks.get({ params: { id: yield* submit("nap", { seconds: 3_600 }) } })
      const journal = {
        state: { ...task, inputs: [] },
        events: [],
        children: []
      }
      const nobody = { agent: "unknown", concurrency: 0, isHeld: false, waitingFor: undefined } as const
      const [wait] = waitsOf(journal, nobody)
      assert.deepInclude(wait, { on: "owner", message: "no agent \"nap\" runs here" })
      const [down] = waitsOf(journal, { ...nobody, agent: "away" })
      assert.deepInclude(down, { on: "owner", message: `the server of agent "nap" is down` })
      assert.deepStrictEqual(brief(waitsOf(journal, { ...nobody, agent: "here" })), ["nap on owner"])
    }))

  it.effect("names the step whose body runs, and until when the next attempt waits", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const task = yield* client.tasks.get({ params: { id: yield* submit("nap", { seconds: 3_600 }) } })
      const at = (seq: number, event: TaskEvent): Envelope => ({
        seq,
        at: 1_000 * seq,
        task: task.id,
        run: task.run,
        event
      })
      const of = (events: ReadonlyArray<Envelope>, waitingFor: ReadonlyArray<string>) =>
        waitsOf({ state: { ...task, inputs: [] }, events, children: [] }, {
          agent: "here",
          concurrency: 1,
          isHeld: true,
          waitingFor
        })
      const key = "step:refund:{\"order\":7}:0"
      const intended = at(3, { _tag: "StepIntended", key, name: "refund", attempt: 1 })
      const [running] = of([intended], [key])
      assert.deepInclude(running, { on: "step", since: 3_000, message: `step "refund" is running` })
      const sign = { at: 4_000, mark: "row 9", endsAt: 64_000, isStalled: false }
      const alive = (sign: object, waitingFor: ReadonlyArray<string>) => {
        const surroundings = { agent: "here", concurrency: 1, isHeld: true, waitingFor, sign } as never
        return waitsOf({ state: { ...task, attempt: 1, inputs: [] }, events: [], children: [] }, surroundings)[0]!
      }
      const last = "1970-01-01T00:00:04.000Z (\"row 9\")"
      const refund = "step \"refund\""
      assert.deepInclude(alive(sign, [key]), {
        message: `${refund} is running; its last sign of life was ${last}`,
        due: 64_000
      })
      assert.deepInclude(alive({ ...sign, isStalled: true }, [key]), {
        message: `${refund} is stalled: no sign of life since ${last}; its attempt is being ended`,
        due: null
      })
      assert.deepInclude(alive({ at: 4_000 }, []), {
        on: "nothing",
        message: "its code is running; its last sign of life was 1970-01-01T00:00:04.000Z",
        due: null
      })
      const lost: TaskEvent = { _tag: "AttemptFailed", attempt: 1, message: "boom", delivered: 0, retryAt: 9_000 }
      const blocked = {
        agent: "here",
        concurrency: 1,
        isHeld: true,
        waitingFor: [],
        blocked: { at: 5_000, millis: 2_000 }
      }
      const said = waitsOf({ state: { ...task, inputs: [] }, events: [], children: [] }, blocked as never)
      assert.deepInclude(said.at(-1), { on: "nothing", since: 3_000 })
      assert.match(said.at(-1)!.message, /agent "nap" blocked the event loop for 2000 ms until 1970/)
      const [pause] = of([at(4, lost)], [])
      assert.deepInclude(pause, { on: "backoff", since: 4_000, due: 9_000 })
      const away = { agent: "here", concurrency: 1, isHeld: true, waitingFor: undefined, server: "peer" } as const
      const state = { ...task, inputs: [], attempt: 1 }
      const [limited] = waitsOf({ state, events: [at(4, lost)], children: [] }, away)
      assert.deepInclude(limited, { on: "provider", who: `server "peer"`, since: 4_000, due: 9_000 })
      const [called] = waitsOf({ state, events: [], children: [] }, away)
      assert.deepInclude(called, { on: "provider", who: `server "peer"`, due: null })
      assert.match(pause!.message, /attempt 1 was lost: boom; the next one begins 1970-01-01T00:00:09/)
    }))
})
