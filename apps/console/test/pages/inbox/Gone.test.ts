import type { Envelope, TaskEvent } from "@coppice/api/Api"
import type { Question } from "@coppice/api/InboxApi"
import { assert, describe, it } from "@effect/vitest"
import { addressOf, goneBy, selectedIn } from "../../../src/pages/inbox/Gone.ts"

const question = (task: string, key: string): Question => ({
  task: task as Question["task"],
  run: "r" as Question["run"],
  agent: "ask",
  since: 0,
  request: { key, mode: "form", message: key, schema: null, url: null, deadline: null },
  path: [],
  standing: { key, reminded: 0, escalated: 0, votes: [], delegations: [], offers: [] },
  may: []
})

const fact = (task: string, event: TaskEvent): Envelope => ({
  seq: 1,
  at: 7,
  task: task as Envelope["task"],
  run: "r" as Envelope["run"],
  event
})

const received = (key: string, action: "accept" | "expired", by: string) =>
  ({ _tag: "InputReceived", key, response: { action, by, content: null } }) as const

const open = [question("a", "1"), question("a", "2"), question("b", "1")]

const told = (...facts: ReadonlyArray<Envelope>) =>
  goneBy(open, facts).map(({ question: { request, task }, what }) => [task, request.key, what])

describe("goneBy", () => {
  it("names who answered, and leaves the task's other questions open", () =>
    assert.deepStrictEqual(told(fact("a", received("2", "accept", "ann"))), [["a", "2", "ann accepted it"]]))

  it("tells a withdrawal and silence from an answer", () =>
    assert.deepStrictEqual(
      told(fact("a", { _tag: "InputWithdrawn", key: "1" }), fact("b", received("1", "expired", "policy"))),
      [["a", "1", "It was withdrawn: nobody waits for the answer any more"], ["b", "1", "Nobody answered in time"]]
    ))

  it("ends all questions of a task that has ended", () =>
    assert.deepStrictEqual(
      told(fact("a", { _tag: "Cancelled", by: "bob", reason: null })).map(([, key]) => key),
      ["1", "2"]
    ))

  it("has an address for any key", () => {
    for (const key of ["ask:x/y?#", "100%", "a%2Fb", "ü"]) {
      assert.strictEqual(selectedIn(addressOf(question("a", key))), `a ${key}`)
    }
    assert.isUndefined(selectedIn("/inbox"))
    assert.isUndefined(selectedIn("/inbox/a/%"))
  })
})
