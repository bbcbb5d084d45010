import { assert, describe, it } from "@effect/vitest"
import { nextDue, type Policy, untouched } from "../../src/Policy.ts"
import type { InputResponse, TaskEvent } from "../../src/TaskEvent.ts"
import type { Command } from "../../src/TaskMachine.ts"
import { Ledger } from "../../src/testing/Ledger.ts"
import * as TaskArbitrary from "../../src/testing/TaskArbitrary.ts"
import { runs } from "../support/runs.ts"

/** The facts of a task that goes through these, each with the time it was decided. */
const live = (commands: ReadonlyArray<Command>) => {
  const ledger = new Ledger({ seq: 0, epoch: 1 })
  const id = ledger.create()
  for (const command of commands) ledger.apply(id, command)
  return { state: ledger.row(id).state, events: ledger.events.map(({ event }) => event) }
}

type Received = TaskEvent & { readonly _tag: "InputReceived" }

/** What was said to one question, from its asking to its end. */
const questions = (events: ReadonlyArray<TaskEvent>) => {
  const open = new Map<string, Array<TaskEvent>>()
  const closed: Array<Array<TaskEvent>> = []
  for (const event of events) {
    if (event._tag === "InputRequested") open.set(event.request.key, [event])
    else if ("key" in event && event._tag.startsWith("Input")) {
      const said = open.get(event.key!)
      assert.isDefined(said, `${event._tag} of a question that is not open`)
      said.push(event)
      if (event._tag === "InputReceived" || event._tag === "InputWithdrawn") {
        closed.push(said)
        open.delete(event.key)
      }
    }
  }
  return closed
}

/** The last vote of each person before the end, without those who gave their right away. */
const votesOf = (said: ReadonlyArray<TaskEvent>) => {
  const votes = new Map<string, InputResponse["content"]>()
  for (const event of said) {
    if (event._tag === "InputVoted") votes.set(event.response.by, event.response.content)
    if (event._tag === "InputDelegated") votes.delete(event.by)
  }
  return votes
}

describe("any life of a question", () => {
  it.prop("ends once, and accepted only when enough different people said the same", [TaskArbitrary.life], (
    [commands]
  ) => {
    for (const said of questions(live(commands).events)) {
      const [asked] = said
      const received = said.filter((event): event is Received => event._tag === "InputReceived")
      assert.isAtMost(received.length, 1)
      const quorum = asked?._tag === "InputRequested" ? asked.request.policy?.quorum ?? 1 : 1
      const response = received[0]?.response
      if (response?.action !== "accept" || response.by === "policy" || quorum === 1) continue
      const agreed = [...votesOf(said)].filter(([, content]) => content === response.content).map(([by]) => by)
      assert.isAtLeast(agreed.length, quorum)
      assert.sameMembers([...response.voters!], agreed)
    }
  }, { arbitrary: { runs: runs(300) } })

  it.prop("has a standing only while it is open", [TaskArbitrary.life], ([commands]) => {
    const { state } = live(commands)
    const open = state.inputs.map(({ key }) => key)
    for (const { key } of state.standings ?? []) assert.include(open, key)
  }, { arbitrary: { runs: runs(200) } })
})

const ask = (policy: Policy, deadline: number | null = null): Command => ({
  _tag: "RequestInput",
  attempt: 1,
  request: { key: "q", mode: "form", message: "?", schema: null, url: null, deadline, policy }
})
const accept = (by: string, content: number = 1): Command => ({
  _tag: "Respond",
  key: "q",
  response: { action: "accept", content, by }
})
const tend = (now: number): Command => ({ _tag: "TendInput", key: "q", now })
const offer = (how: "delivered" | "undelivered"): Command => ({
  _tag: "OfferInput",
  key: "q",
  offer: { door: "cli", how }
})
/** Later than every time of the ledger. */
const day = 2_000_000_000_000

/** The facts after the question was asked. */
const follow = (...commands: ReadonlyArray<Command>) => live(commands).events.slice(2)
const tags = (...commands: ReadonlyArray<Command>) => follow(...commands).map(({ _tag }) => _tag)
const ending = (...commands: ReadonlyArray<Command>) => {
  const last = follow(...commands).at(-1)
  return last?._tag === "InputReceived" ? last.response : undefined
}

describe("a quorum", () => {
  it("counts a person once, whose last vote holds", () => {
    assert.deepStrictEqual(tags(ask({ quorum: 2 }), accept("ann"), accept("ann")), ["InputVoted"])
    assert.isUndefined(ending(ask({ quorum: 2 }), accept("ann", 1), accept("ann", 2), accept("bob", 1)))
    assert.deepStrictEqual(ending(ask({ quorum: 2 }), accept("ann", 1), accept("ann", 2), accept("bob", 2)), {
      action: "accept",
      content: 2,
      by: "bob",
      voters: ["ann", "bob"]
    })
  })

  it("is ended by one who declines", () => {
    const decline: Command = { _tag: "Respond", key: "q", response: { action: "decline", content: null, by: "cy" } }
    assert.deepInclude(ending(ask({ quorum: 3 }), accept("ann"), accept("bob"), decline), {
      action: "decline",
      by: "cy"
    })
  })

  it("has one vote for a right that was given away", () => {
    const give: Command = { _tag: "Delegate", key: "q", by: "ann", to: "dan" }
    assert.isUndefined(ending(ask({ quorum: 2 }), accept("ann"), give, accept("dan")))
    assert.deepInclude(ending(ask({ quorum: 2 }), accept("ann"), give, accept("dan"), accept("bob")), { by: "bob" })
  })
})

describe("what is due", () => {
  const policy: Policy = { remind: [day + 2, day + 1, day + 5], escalate: [{ at: day + 3, to: ["dan"], note: "late" }] }

  it("comes in order, and what was missed is one reminder", () => {
    assert.deepStrictEqual(follow(ask(policy, day + 9), tend(day)), [])
    assert.deepStrictEqual(follow(ask(policy, day + 9), tend(day + 4)), [
      { _tag: "InputEscalated", key: "q", to: ["dan"], note: "late" },
      { _tag: "InputReminded", key: "q", n: 2 }
    ])
    assert.deepStrictEqual(tags(ask(policy, day + 9), tend(day + 4), tend(day + 4), tend(day + 5)).slice(2), [
      "InputReminded"
    ])
  })

  it("is only the end once the deadline has passed", () =>
    assert.deepStrictEqual(tags(ask(policy, day + 9), tend(day + 9)), ["InputReceived"]))

  it("is not what was past when it was asked (a question asked again)", () =>
    assert.deepStrictEqual(tags(ask({ remind: [1, 2, day + 1] }), tend(day)), []))

  it("is known beforehand", () => {
    const [, asked] = live([ask(policy, day + 9)]).events
    assert.isTrue(asked?._tag === "InputRequested")
    if (asked?._tag !== "InputRequested") return
    const { request } = asked
    const at = (reminded: number, escalated: number) => nextDue(request, { ...untouched("q"), reminded, escalated })
    assert.deepStrictEqual(at(0, 0), { what: "reminder", at: day + 1 })
    assert.deepStrictEqual(at(2, 0), { what: "escalation", at: day + 3 })
    assert.deepStrictEqual(at(2, 1), { what: "reminder", at: day + 5 })
    assert.deepStrictEqual(at(3, 1), { what: "deadline", at: day + 9 })
  })
})

describe("silence", () => {
  it("is what the policy says", () => {
    const silence = { action: "accept", content: { go: false } } as const
    assert.deepStrictEqual(ending(ask({ silence, quorum: 2 }, day), accept("ann"), tend(day)), {
      action: "accept",
      content: { go: false },
      by: "policy"
    })
    assert.deepInclude(ending(ask({ silence: { action: "decline" } }, day), tend(day)), { action: "decline" })
  })

  it("is another thing when nobody had seen the question", () => {
    const action = (...commands: ReadonlyArray<Command>) => ending(ask({}, day), ...commands, tend(day))?.action
    assert.strictEqual(action(), "undelivered")
    assert.strictEqual(action(offer("undelivered")), "undelivered")
    assert.strictEqual(action(offer("delivered")), "expired")
    assert.strictEqual(action(offer("delivered"), offer("undelivered")), "expired")
    assert.strictEqual(action({ _tag: "Delegate", key: "q", by: "ann", to: "bob" }), "expired")
  })
})

describe("an offer", () => {
  it("is one fact however often it is told", () =>
    assert.deepStrictEqual(tags(ask({}), offer("delivered"), offer("delivered")), ["InputOffered"]))

  it("is refused once the question is closed", () => {
    const ledger = new Ledger({ seq: 0, epoch: 1 })
    const id = ledger.create()
    const applied = [ask({}), accept("ann"), offer("delivered"), tend(day), accept("bob")].map((command) =>
      ledger.apply(id, command)
    )
    assert.deepStrictEqual(applied, [true, true, false, false, false])
  })
})
