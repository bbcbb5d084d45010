import { assert, describe, it } from "@effect/vitest"

import * as Result from "effect/Result"
import { isFinal, isTerminal, type TaskId } from "../src/Task.ts"
import type { TaskEvent } from "../src/TaskEvent.ts"
import {
  type Command,
  create,
  decide,
  evolve,
  InvariantViolation,
  Refused,
  replay,
  type TaskState
} from "../src/TaskMachine.ts"
import { plainSpec } from "../src/testing/Ledger.ts"
import * as TaskArbitrary from "../src/testing/TaskArbitrary.ts"
import { ReferenceTask } from "./support/ReferenceTask.ts"
import { runs } from "./support/runs.ts"

const id = "00000000000000000001" as TaskId

const created = (attempt: 0 | 1 = 1) =>
  create({ run: id, parent: null, key: null, agent: "a", input: null, attempt, deadline: null, spec: plainSpec })

const born = (attempt: 0 | 1 = 1) => evolve(undefined, id, 1, created(attempt))

/** The state after commands that must all be obeyed. */
const after = (...commands: ReadonlyArray<Command>): TaskState =>
  commands.reduce((state, command) => {
    const events = Result.getOrThrow(decide(state, command))
    return events.reduce((state, event) => evolve(state, id, state.updatedAt + 1, event), state)
  }, born())

const refusal = (state: TaskState, command: Command) =>
  Result.match(decide(state, command), { onFailure: ({ reason }) => reason._tag, onSuccess: () => undefined })

const ask = (key: string): Command => ({
  _tag: "RequestInput",
  attempt: 1,
  request: { key, mode: "form", message: `${key}?`, schema: null, url: null, deadline: null }
})
const answer = (key: string): Command => ({
  _tag: "Respond",
  key,
  response: { action: "accept", content: 1, by: "ann" }
})
const complete: Command = { _tag: "Complete", attempt: 1, result: { n: 1 } }
const cancel: Command = { _tag: "Cancel", by: "ann", reason: null }

describe("any life of a task", () => {
  it.prop("agrees with the reference", [TaskArbitrary.life], ([commands]) => {
    const reference = new ReferenceTask(1)
    let state = born()
    for (const command of commands) {
      assert.strictEqual(refusal(state, command), reference.obey(command))
      for (const event of Result.getOrElse(decide(state, command), () => [])) state = evolve(state, id, 2, event)
      assert.strictEqual(state.status, reference.status as TaskState["status"])
      assert.strictEqual(state.attempt, reference.attempt)
      assert.sameMembers(state.inputs.map((input) => input.key), [...reference.open.keys()])
      assert.strictEqual(state.settlement !== null, reference.settled)
    }
  }, { arbitrary: { runs: runs(400) } })

  it.prop("replays from its facts, and never changes once it has ended (I2)", [TaskArbitrary.life], ([commands]) => {
    const history: Array<{ readonly at: number; readonly event: TaskEvent }> = [{ at: 1, event: created() }]
    let state = born()
    for (const [i, command] of commands.entries()) {
      const before = state
      for (const event of Result.getOrElse(decide(state, command), () => [])) {
        history.push({ at: i + 2, event })
        state = evolve(state, id, i + 2, event)
      }
      if (!isTerminal(before.status)) continue
      const { rest, settledAt, settlement, updatedAt } = state
      assert.deepStrictEqual(state, {
        ...before,
        settledAt,
        settlement,
        updatedAt,
        ...rest === undefined ? {} : { rest }
      })
      if (before.settlement !== null) assert.strictEqual(state.settledAt, before.settledAt)
      if (isFinal(before)) assert.strictEqual(state, before)
    }
    assert.deepStrictEqual(replay(id, history), state)
  }, { arbitrary: { runs: runs(400) } })
})

describe("decide", () => {
  it("answers a question once (I3)", () => {
    const asked = after(ask("a"), ask("b"))
    assert.strictEqual(asked.status, "input_required")
    assert.strictEqual(asked.statusMessage, "b?")
    const answered = after(ask("a"), ask("b"), answer("a"))
    assert.strictEqual(answered.status, "input_required")
    assert.strictEqual(refusal(answered, answer("a")), "UnknownInput")
    assert.strictEqual(after(ask("a"), ask("b"), answer("a"), answer("b")).status, "working")
    assert.strictEqual(refusal(asked, ask("a")), "DuplicateInput")
  })

  it("lets an abandoned execution write nothing", () => {
    const state = after({ _tag: "Start", attempt: 2 })
    assert.strictEqual(refusal(state, complete), "StaleAttempt")
    assert.strictEqual(refusal(state, { _tag: "Start", attempt: 2 }), "StaleAttempt")
    assert.strictEqual(refusal(state, { _tag: "Start", attempt: 4 }), "StaleAttempt")
    assert.isUndefined(refusal(state, { ...complete, attempt: 2 }))
  })

  it("gives a task results to reuse before its first attempt, and not later", () => {
    const reuse: Command = { _tag: "ReuseStep", key: "k", name: "n", result: 1, from: id }
    const events = Result.getOrThrow(decide(born(0), reuse))
    assert.deepStrictEqual(events, [{ _tag: "StepReused", key: "k", name: "n", result: 1, from: id }])
    assert.strictEqual(evolve(born(0), id, 2, events[0]!).attempt, 0)
    assert.strictEqual(refusal(born(1), reuse), "StaleAttempt")
    assert.throws(() => evolve(born(1), id, 2, events[0]!), InvariantViolation)
  })

  it("ends a task once (case 15)", () => {
    for (const [first, second] of [[complete, cancel], [cancel, complete], [cancel, cancel]] as const) {
      const state = after(first)
      assert.strictEqual(refusal(state, second), "AlreadyEnded")
    }
  })

  it("settles by itself what leaves nothing running", () => {
    const fail = (reason: "agent_error" | "deadline"): Command => ({
      _tag: "Fail",
      attempt: null,
      reason,
      message: "m",
      error: null
    })
    assert.strictEqual(after(complete).settlement, "finished_before")
    assert.strictEqual(after(fail("agent_error")).settlement, "finished_before")
    assert.isNull(after(fail("deadline")).settlement)
    assert.isNull(after(cancel).settlement)
    const settled = after(cancel, { _tag: "Settle", how: "refused", took: 3 })
    assert.strictEqual(settled.settlement, "refused")
    assert.deepStrictEqual(decide(settled, { _tag: "Settle", how: "stopped", took: 3 }), Result.succeed([]))
  })

  it("keeps times the store can hold, and never early", () => {
    const due = (due: number) => {
      const [event] = Result.getOrThrow(decide(born(), { _tag: "SetTimer", attempt: 1, key: "k", due }))
      return event?._tag === "TimerSet" ? event.due : undefined
    }
    assert.deepStrictEqual([0.25, 7, Infinity, 1e300, -3, NaN].map(due), [1, 7, 8.64e15, 8.64e15, 0, 8.64e15])
    assert.strictEqual(create({ ...created(), attempt: 1, deadline: 10.5 }).deadline, 11)
  })

  it("says in words why it refuses", () => {
    const error = Result.flip(decide(after(complete), cancel)).pipe(Result.getOrThrow)
    assert.instanceOf(error, Refused)
    assert.strictEqual(error.message, `Cancel refused for task ${id}: it is already completed`)
  })
})

describe("evolve", () => {
  const violations: ReadonlyArray<readonly [string, TaskState | undefined, TaskEvent]> = [
    ["a second Created", born(), created()],
    ["a fact before Created", undefined, { _tag: "TimerFired", key: "k" }],
    ["a fact after the end", after(complete), { _tag: "TimerFired", key: "k" }],
    ["a second end", after(complete), { _tag: "Cancelled", by: "x", reason: null }],
    ["a settlement before the end", born(), { _tag: "Settled", how: "stopped", took: 1 }],
    ["a second settlement", after(complete), { _tag: "Settled", how: "stopped", took: 1 }],
    ["an attempt that skips", born(), { _tag: "Started", attempt: 3 }],
    ["an attempt that goes backwards", after({ _tag: "Start", attempt: 2 }), { _tag: "Started", attempt: 1 }],
    ["a step of another attempt", born(), {
      _tag: "StepRecorded",
      key: "k",
      name: "n",
      exit: { _tag: "Success", value: 1 },
      startedAt: 1,
      attempt: 2
    }],
    ["a defect of another attempt", born(), { _tag: "AttemptFailed", attempt: 2, message: "m", delivered: 0 }],
    ["a question asked twice", after(ask("a")), Result.getOrThrow(decide(born(), ask("a")))[0]!],
    ["an answer to no question", born(), { _tag: "InputWithdrawn", key: "a" }],
    ["a root with a parent", undefined, { ...created(), parent: "00000000000000000002" as TaskId }],
    ["a child without one", undefined, { ...created(), run: "00000000000000000002" as TaskId }]
  ]
  for (const [what, state, event] of violations) {
    it(`throws on ${what}`, () => assert.throws(() => evolve(state, id, 9, event), InvariantViolation))
  }

  it("keeps the last progress message until a question or the end replaces it", () => {
    const progress = (message: string | null): Command => ({
      _tag: "Progress",
      attempt: 1,
      progress: { progress: 1, total: 2, message }
    })
    assert.strictEqual(after(progress("half"), progress(null)).statusMessage, "half")
    assert.strictEqual(after(progress("half"), ask("a")).statusMessage, "a?")
    assert.strictEqual(after(progress("half"), cancel).statusMessage, "Cancelled by ann")
    assert.isNull(after(progress("half"), complete).statusMessage)
  })
})
