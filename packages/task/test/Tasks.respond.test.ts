import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { People, type Person } from "../src/People.ts"
import type { Policy } from "../src/Policy.ts"
import type { TaskId } from "../src/Task.ts"
import type { InputRequest } from "../src/TaskEvent.ts"
import { TaskStore } from "../src/TaskStore.ts"
import * as Engine from "./support/engine.ts"

const person = (name: string, roles: ReadonlyArray<string> = [], may: Person["may"] = ["view", "approve"]) =>
  [name, { name, roles, may }] as const

const people = new Map([
  person("ann", ["lead"]),
  person("bob", ["lead"]),
  person("cy", ["director"]),
  person("dan"),
  person("eve", [], ["view"])
])

type Setting = Engine.Services & { readonly id: TaskId }

/** A task that asks with this policy, among these people. */
const asking = <A, E>(
  policy: Policy,
  test: (setting: Setting) => Effect.Effect<A, E, TaskStore>,
  options: { readonly deadline?: number; readonly people?: ReadonlyMap<string, Person> } = {}
) =>
  Effect.gen(function*() {
    const services = yield* Engine.services
    yield* Engine.work("worker")
    const { id } = yield* services.tasks.submit({ agent: "worker", input: null })
    const request: InputRequest = {
      key: "q",
      mode: "form",
      message: "Go?",
      schema: null,
      url: null,
      deadline: options.deadline ?? null,
      policy
    }
    services.log.dispatch(services.log.resident(id)!, { _tag: "RequestInput", attempt: 1, request })
    yield* services.log.barrier
    return yield* test({ ...services, id })
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.provide(Engine.layer, Layer.succeed(People, options.people ?? people)))
  )

const answer = ({ id, tasks }: Setting, by: string, isOwner?: boolean) =>
  tasks.respond({ id, key: "q", response: { action: "accept", content: {}, by }, isOwner })

const facts = ({ id, tasks }: Setting) =>
  Effect.map(
    tasks.events({ task: id, since: 0, limit: 100 }),
    (events) => events.flatMap(({ at, event: { _tag } }) => _tag.startsWith("Input") ? [`${_tag}@${at}`] : [])
  )

/** Moves the clock and lets the log write what became due. */
const pass = ({ log }: Setting, millis: number) =>
  Effect.andThen(TestClock.adjust(millis), Effect.andThen(Effect.repeat(Engine.turn, { times: 2 }), log.barrier))

describe("who may answer", () => {
  it.effect("are those the policy names, by name or by role; others are told who", () =>
    asking({ to: ["@lead", "dan"] }, (all) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(answer(all, "cy"))
        assert.strictEqual(error._tag, "NotEntitled")
        assert.strictEqual(error.message, "\"cy\" may not answer this question; ann, bob, dan may")
        assert.strictEqual((yield* answer(all, "bob")).status, "working")
      })))

  it.effect("is everyone who may approve, where the policy names nobody", () =>
    asking({}, (all) =>
      Effect.gen(function*() {
        for (const by of ["eve", "nobody"]) {
          assert.strictEqual((yield* Effect.flip(answer(all, by)))._tag, "NotEntitled")
        }
        assert.strictEqual((yield* answer(all, "cy")).status, "working")
      })))

  it.effect("is always the owner, and without people everybody", () =>
    Effect.andThen(
      asking({ to: ["cy"] }, (all) => answer(all, "console", true)),
      asking({ to: ["cy"] }, (all) => answer(all, "anybody"), { people: new Map() })
    ))

  it.effect("is decided when the answer comes, not when the question went (case 47)", () => {
    const later = new Map(people)
    return asking({ to: ["ann", "cy"] }, (all) =>
      Effect.gen(function*() {
        later.set("ann", { name: "ann", roles: [], may: ["view"] })
        const error = yield* Effect.flip(answer(all, "ann"))
        assert.include(error.message, "cy may")
        assert.strictEqual((yield* all.tasks.get(all.id)).status, "input_required")
      }), { people: later })
  })
})

describe("whoever comes later", () => {
  it.effect("is told who was faster, when and how (case 47)", () =>
    asking({}, (all) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(60_000)
        yield* answer(all, "ann")
        const error = yield* Effect.flip(answer(all, "bob"))
        assert.deepInclude({ ...error }, { _tag: "AlreadyAnswered", key: "q", by: "ann", at: 60_000, action: "accept" })
        assert.strictEqual(error.message, "ann answered first, at 1970-01-01T00:01:00.000Z (accept)")
      })))

  it.effect("is too late after the deadline, also before the clock has noticed", () =>
    asking({ silence: { action: "decline" } }, (all) =>
      Effect.gen(function*() {
        all.faults.fail("timersDue", { reason: "Busy", times: 1_000 })
        yield* TestClock.adjust(5_000)
        const error = yield* Effect.flip(answer(all, "ann"))
        assert.deepInclude({ ...error }, { _tag: "AlreadyAnswered", by: "policy", action: "decline", at: 5_000 })
      }), { deadline: 5_000 }))
})

describe("delegating", () => {
  it.effect("gives the right to another person, who then has it instead", () =>
    asking({ to: ["ann"] }, (all) =>
      Effect.gen(function*() {
        const { id, tasks } = all
        assert.strictEqual((yield* Effect.flip(tasks.delegate({ id, by: "cy", to: "dan" })))._tag, "NotEntitled")
        const error = yield* Effect.flip(tasks.delegate({ id, by: "ann", to: "eve" }))
        assert.strictEqual(error.message, "\"eve\" cannot answer: ann, bob, cy, dan can")
        yield* tasks.delegate({ id, by: "ann", to: "dan" })
        assert.strictEqual((yield* Effect.flip(answer(all, "ann")))._tag, "NotEntitled")
        yield* tasks.delegate({ id, by: "dan", to: "bob" })
        assert.include((yield* Effect.flip(answer(all, "dan"))).message, "bob may")
        assert.strictEqual((yield* answer(all, "bob")).status, "working")
        assert.strictEqual((yield* Effect.flip(tasks.delegate({ id, by: "ann", to: "dan" })))._tag, "AlreadyAnswered")
      })))
})

describe("the clock", () => {
  const policy: Policy = { to: ["ann"], remind: [1_000, 2_000], escalate: [{ at: 3_000, to: ["cy"] }] }

  it.effect("reminds, escalates and ends, each at its time", () =>
    asking(policy, (all) =>
      Effect.gen(function*() {
        for (const millis of [999, 1, 1_000, 1_000, 999, 1]) yield* pass(all, millis)
        assert.deepStrictEqual(yield* facts(all), [
          "InputRequested@0",
          "InputReminded@1000",
          "InputReminded@2000",
          "InputEscalated@3000",
          "InputReceived@4000"
        ])
        assert.isUndefined(yield* (yield* TaskStore).nextTimer)
      }), { deadline: 4_000 }))

  it.effect("lets those in it escalated to answer, and not before", () =>
    asking(policy, (all) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(answer(all, "cy")))._tag, "NotEntitled")
        yield* pass(all, 3_000)
        yield* answer(all, "cy")
        assert.isUndefined(yield* (yield* TaskStore).nextTimer)
      })))

  it.effect("has nothing left to do when the last that was due is done", () =>
    asking({ remind: [1_000] }, (all) =>
      Effect.gen(function*() {
        yield* pass(all, 1_000)
        assert.isUndefined(yield* (yield* TaskStore).nextTimer)
        yield* pass(all, 100_000)
        assert.lengthOf(yield* facts(all), 2)
      })))

  it.effect("looks after a question that is asked again under its name in one commit", () =>
    asking({ remind: [9_000] }, (all) =>
      Effect.gen(function*() {
        const entry = all.log.resident(all.id)!
        const request = { ...entry.state.inputs[0]!, policy: { remind: [5_000] } }
        all.log.dispatch(entry, { _tag: "WithdrawInput", attempt: 1, key: "q" })
        all.log.dispatch(entry, { _tag: "RequestInput", attempt: 1, request })
        yield* all.log.barrier
        assert.strictEqual(yield* (yield* TaskStore).nextTimer, 5_000)
        yield* pass(all, 5_000)
        assert.include(yield* facts(all), "InputReminded@5000")
      })))
})

describe("an owner", () => {
  it.effect("has one vote, whichever door it comes through", () =>
    asking({ quorum: 2 }, (all) =>
      Effect.gen(function*() {
        yield* answer(all, "console", true)
        assert.strictEqual((yield* answer(all, "mcp", true)).status, "input_required")
        assert.strictEqual((yield* answer(all, "ann")).status, "working")
      })))
})

describe("the audit", () => {
  it.effect("has every vote and every right that was given away", () =>
    asking({ quorum: 2 }, (all) =>
      Effect.gen(function*() {
        yield* answer(all, "ann")
        yield* all.tasks.delegate({ id: all.id, by: "bob", to: "dan" })
        yield* answer(all, "dan")
        const entries = yield* all.tasks.audit({ limit: 10 })
        assert.deepStrictEqual(entries.map(({ by, kind }) => `${by} ${kind}`), [
          "dan answered",
          "dan voted",
          "bob delegated",
          "ann voted",
          "local submitted"
        ])
        assert.deepInclude(entries[0]!.detail, { voters: ["ann", "dan"] })
      })))
})
