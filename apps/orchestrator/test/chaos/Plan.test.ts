import { assert, describe, it } from "@effect/vitest"
import { describe as say, failpoints, plans } from "../../chaos/Plan.ts"
import * as Seeded from "../../chaos/Seeded.ts"

const facts = { commit: 4, Created: 3, Settled: 1 }
const make = (kills: number, seed = 1) => plans(kills, facts, 1_000, Seeded.make(seed, "plans"))

describe("Plan", () => {
  it("has a failpoint before and after every write", () => {
    assert.deepStrictEqual(failpoints(facts).map(({ name }) => name), [
      "commit.before",
      "commit.after",
      "before:Created",
      "after:Created",
      "before:Settled",
      "after:Settled"
    ])
  })

  it("plans as many kills as were asked for, and graceful stops beside them", () => {
    const all = make(40)
    assert.lengthOf(all.filter(({ _tag }) => _tag !== "Stop"), 40)
    assert.lengthOf(all.filter(({ _tag }) => _tag === "Stop"), 4)
  })

  it("comes to every failpoint before it comes to one again", () => {
    // of every ten, one is for a cancellation, whatever was come to before
    const names = make(20).flatMap((plan) =>
      plan._tag === "Failpoint" && !/:(Cancelled|Settled)/.test(plan.name) ? [plan.name] : []
    )
    assert.isAtLeast(new Set(names.slice(0, 4)).size, 4)
  })

  it("counts no further than a round has writes", () => {
    const most = (name: string) => name.includes("Settled") ? 1 : 4
    const all = make(100)
    assert.deepStrictEqual(all.filter((plan) => plan._tag === "Failpoint" && plan.count > most(plan.name)), [])
    assert.deepStrictEqual(all.filter((plan) => plan._tag === "Instant" && plan.after > 1_000), [])
  })

  it("has a kill in a cancellation, a freeze and two interrupts among every ten", () => {
    const ten = make(10)
    assert.lengthOf(ten.filter(({ _tag }) => _tag === "Frozen"), 1)
    assert.lengthOf(ten.filter(({ _tag }) => _tag === "Twice"), 1)
    const named = ten.map((plan) => plan._tag === "Failpoint" ? plan.name : "")
    assert.isTrue(named.some((name) => /^(before|after):(Cancelled|Settled)$/.test(name)))
  })

  it("is the same for the same seed, and another for another", () => {
    assert.deepStrictEqual(make(30), make(30))
    assert.notDeepEqual(make(30, 2), make(30, 1))
  })

  it("says what it is", () => {
    assert.strictEqual(
      say({ _tag: "Failpoint", name: "before:Created", count: 2, patience: 1 }),
      "before:Created, time 2"
    )
    assert.strictEqual(say({ _tag: "Stopping", after: 5, grace: 7 }), "SIGTERM after 5 ms, SIGKILL 7 ms later")
  })
})
