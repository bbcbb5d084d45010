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
    const names = make(10).flatMap((plan) => plan._tag === "Failpoint" ? [plan.name] : [])
    assert.lengthOf(names, 6)
    assert.strictEqual(new Set(names).size, 6)
  })

  it("counts no further than a round has writes", () => {
    const most = (name: string) => name.includes("Settled") ? 1 : 4
    const all = make(100)
    assert.deepStrictEqual(all.filter((plan) => plan._tag === "Failpoint" && plan.count > most(plan.name)), [])
    assert.deepStrictEqual(all.filter((plan) => plan._tag === "Instant" && plan.after > 1_000), [])
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
