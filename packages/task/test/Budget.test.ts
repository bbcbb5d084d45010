import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import { type Amounts, grantOf, left, measures, noLimits, problemOf, used } from "../src/Budget.ts"
import type { TaskId } from "../src/Task.ts"
import { type Command, create, decide, evolve, type TaskState } from "../src/TaskMachine.ts"
import { plainSpec } from "../src/testing/Ledger.ts"
import * as TaskArbitrary from "../src/testing/TaskArbitrary.ts"
import { runs } from "./support/runs.ts"

const id = "00000000000000000001" as TaskId

const owner = (budget: Partial<typeof noLimits>): TaskState =>
  evolve(
    undefined,
    id,
    1,
    create({
      run: id,
      parent: null,
      key: null,
      agent: "a",
      input: null,
      attempt: 1,
      deadline: null,
      spec: { ...plainSpec, budget: { ...noLimits, ...budget } }
    })
  )

const obey = (state: TaskState, command: Command): TaskState =>
  Result.getOrElse(decide(state, command), () => []).reduce((state, event) => evolve(state, id, 2, event), state)

const refusal = (state: TaskState, command: Command) =>
  Result.match(decide(state, command), { onFailure: ({ reason }) => reason, onSuccess: () => undefined })

const reserve = (id: string, amounts: Amounts, more?: Partial<Command & { readonly _tag: "Reserve" }>): Command => ({
  _tag: "Reserve",
  id,
  amounts,
  ...more
})
const refund = (id: string, unused: Amounts): Command => ({ _tag: "Refund", id, unused })
const answer = (action: "accept" | "decline"): Command => ({
  _tag: "Respond",
  key: "budget:soft",
  response: { action, content: action === "accept" ? {} : null, by: "ann" }
})

/** The same accounts, kept a second time and as plainly as possible: one list of what was taken. */
class Book {
  private readonly grant: Amounts

  constructor(grant: Amounts) {
    this.grant = grant
  }

  private available(amounts: Amounts): Amounts {
    const most = (measure: keyof Amounts) => Math.max(0, (this.grant[measure] ?? 0) - this.of(measure))
    return Object.fromEntries(measures.map((measure) => [measure, Math.min(amounts[measure] ?? 0, most(measure))]))
  }

  /** Whether anything of it is limited: what takes nothing holds no place either. */
  private takes(amounts: Amounts): boolean {
    return measures.some((measure) => this.grant[measure] !== undefined && (amounts[measure] ?? 0) > 0)
  }

  private readonly taken: Array<{ readonly id: string; readonly kept: boolean; amounts: Amounts; isOpen: boolean }> = []

  write(command: Command, wasObeyed: boolean): void {
    if (!wasObeyed) return
    const open = "id" in command ? this.taken.find((entry) => entry.id === command.id && entry.isOpen) : undefined
    if (command._tag === "Reserve" && open === undefined) {
      const kept = command.kept === true
      const amounts = command.unasked === true ? this.available(command.amounts) : command.amounts
      if (this.takes(amounts)) this.taken.push({ id: command.id, kept, amounts, isOpen: !kept })
    }
    if (command._tag === "Refund" && open !== undefined) {
      const { amounts } = open
      const back = (measure: keyof Amounts) => Math.min(command.unused[measure] ?? 0, amounts[measure] ?? 0)
      open.amounts = Object.fromEntries(measures.map((measure) => [measure, (amounts[measure] ?? 0) - back(measure)]))
      open.isOpen = false
    }
  }

  of(measure: keyof Amounts): number {
    return this.taken.reduce((sum, { amounts }) => sum + (amounts[measure] ?? 0), 0)
  }
}

const lives = Arbitrary.all([TaskArbitrary.budget, Arbitrary.array(TaskArbitrary.living, { maxLength: 60 })] as const)

describe("a pool", () => {
  it.prop("spent, reserved and left are the grant, at every moment", [lives], ([[budget, commands]]) => {
    const book = new Book(grantOf(budget))
    let state = owner(budget)
    for (const command of commands) {
      book.write(command, Result.isSuccess(decide(state, command)))
      state = obey(state, command)
      const pool = state.pool ?? { spent: {}, open: {} }
      const rest = left(budget, pool)
      for (const measure of measures) {
        const grant = budget[measure]
        if (grant === null) continue
        assert.strictEqual(used(pool)[measure] ?? 0, book.of(measure))
        assert.isAtMost(book.of(measure), grant)
        assert.strictEqual(book.of(measure) + rest[measure]!, grant)
      }
    }
  }, { arbitrary: { runs: runs(500) } })

  it("takes the same reservation once (a step that runs again after a crash)", () => {
    const state = obey(owner({ tokens: 10 }), reserve("a", { tokens: 8 }))
    assert.deepStrictEqual(Result.getOrThrow(decide(state, reserve("a", { tokens: 8 }))), [])
    assert.strictEqual(refusal(state, reserve("b", { tokens: 3 }))?._tag, "OverBudget")
  })

  it("gives back once", () => {
    const state = obey(obey(owner({ tokens: 10 }), reserve("a", { tokens: 8 })), refund("a", { tokens: 5 }))
    assert.deepStrictEqual(state.pool, { spent: { tokens: 3 }, open: {} })
    assert.deepStrictEqual(Result.getOrThrow(decide(state, refund("a", { tokens: 5 }))), [])
  })

  it("never gives back more than was taken", () => {
    const state = obey(obey(owner({ tokens: 10 }), reserve("a", { tokens: 2 })), refund("a", { tokens: 9, money: 4 }))
    assert.deepStrictEqual(state.pool, { spent: {}, open: {} })
  })

  it("says what is missing", () => {
    const state = obey(owner({ tokens: 10, depth: 2, fanOut: 3 }), reserve("a", { tokens: 8 }))
    const over = (dimension: string, asked: number, left: number) =>
      ({ _tag: "OverBudget", isDeclined: false, dimension, asked, left }) as never
    assert.deepStrictEqual(refusal(state, reserve("b", { tokens: 3 })), over("tokens", 3, 2))
    const at = (depth: number, fanOut: number) => reserve("b", {}, { place: { depth, fanOut } })
    assert.isUndefined(refusal(state, at(2, 3)))
    assert.deepStrictEqual(refusal(state, at(3, 1)), over("depth", 3, 2))
    assert.deepStrictEqual(refusal(state, at(1, 4)), over("fanOut", 4, 3))
  })

  it("takes what was said to be kept for good", () => {
    const state = obey(owner({ calls: 2 }), reserve("a", { calls: 1 }, { kept: true }))
    assert.deepStrictEqual(state.pool, { spent: { calls: 1 }, open: {} })
    assert.deepStrictEqual(obey(state, refund("a", { calls: 1 })).pool, state.pool)
  })

  it("counts nothing that has no limit", () => {
    const state = obey(owner({ calls: 2 }), reserve("a", { tokens: 1 }))
    assert.isUndefined(state.pool)
  })
})

describe("the soft limit", () => {
  const half = owner({ tokens: 10, soft: 0.5 })
  const full = obey(half, reserve("a", { tokens: 5 }))
  const asked = obey(full, { _tag: "AskForMore", measure: "tokens" })

  it("is reached only by what goes beyond it", () => {
    assert.isUndefined(full.pool?.soft)
    assert.deepStrictEqual(refusal(full, reserve("b", { tokens: 1 })), { _tag: "SoftLimit", measure: "tokens" })
  })

  it("asks once, and says how much is gone", () => {
    assert.strictEqual(asked.status, "input_required")
    assert.strictEqual(asked.inputs[0]?.message, "5 of 10 tokens are spent or reserved. Go on, up to the limit?")
    assert.deepStrictEqual(Result.getOrThrow(decide(asked, { _tag: "AskForMore", measure: "tokens" })), [])
  })

  it("goes on when a person accepts, up to the limit", () => {
    const state = obey(asked, answer("accept"))
    assert.isUndefined(refusal(state, reserve("b", { tokens: 5 })))
    assert.strictEqual(refusal(state, reserve("b", { tokens: 6 }))?._tag, "OverBudget")
  })

  it("stops when a person declines, until they change the budget", () => {
    const state = obey(asked, answer("decline"))
    assert.deepInclude(refusal(state, reserve("b", { tokens: 1 })), { _tag: "OverBudget", isDeclined: true })
    const budget = { ...noLimits, tokens: 100, soft: 0.5 }
    const more = obey(state, { _tag: "Steer", steering: { by: "ann", budget } })
    assert.isUndefined(refusal(more, reserve("b", { tokens: 40 })))
    assert.strictEqual(refusal(more, reserve("b", { tokens: 50 }))?._tag, "SoftLimit")
  })
})

describe("the end of a task by a limit", () => {
  const put: Command = { _tag: "PutPartial", attempt: 1, value: { done: 2 } }
  const fail = (reason: "budget" | "deadline" | "defect"): Command => ({
    _tag: "Fail",
    attempt: null,
    reason,
    message: "",
    error: null
  })
  const ending = (reason: "budget" | "deadline" | "defect") =>
    Result.getOrThrow(decide(obey(owner({}), put), fail(reason)))[0]

  it("has the result so far", () => {
    assert.deepInclude(ending("budget"), { partial: { done: 2 } })
    assert.deepInclude(ending("deadline"), { partial: { done: 2 } })
    assert.notProperty(ending("defect"), "partial")
    assert.notProperty(obey(obey(owner({}), put), fail("budget")), "partial")
  })

  it("still takes what its children give back, until it has come to rest (refund on cancel)", () => {
    const reserved = obey(owner({ tokens: 10 }), reserve("a", { tokens: 8 }))
    const ended = obey(reserved, { _tag: "Cancel", by: "ann", reason: null })
    assert.deepStrictEqual(obey(ended, refund("a", { tokens: 8 })).pool, { spent: {}, open: {} })
    const settled = obey(ended, { _tag: "Settle", how: "stopped", took: 0 })
    assert.strictEqual(refusal(settled, refund("a", { tokens: 8 }))?._tag, "AlreadyEnded")
    assert.strictEqual(refusal(ended, reserve("b", { tokens: 1 }))?._tag, "AlreadyEnded")
  })
})

describe("a budget", () => {
  it("has to make sense", () => {
    assert.isUndefined(problemOf({ ...noLimits, calls: 0, soft: 1 }))
    assert.strictEqual(problemOf({ ...noLimits, tokens: -1 })?.path, "tokens")
    assert.strictEqual(problemOf({ ...noLimits, fanOut: 1.5 })?.path, "fanOut")
    assert.strictEqual(problemOf({ ...noLimits, soft: 0 })?.path, "soft")
  })
})
