import { assert, describe, it } from "@effect/vitest"
import { Pace } from "../../src/live/Pace.ts"

/** A clock that stands still until it is told to go. */
const world = () => {
  let now = 0
  let due: { readonly at: number; readonly run: () => void } | undefined
  return {
    now: () => now,
    after: (millis: number, run: () => void) => {
      due = { at: now + millis, run }
      return () => {
        due = undefined
      }
    },
    go: (millis: number) => {
      now += millis
      if (due === undefined || due.at > now) return
      const { run } = due
      due = undefined
      run()
    }
  }
}

describe("Pace", () => {
  it("answers the first wish at once, and a hundred that follow with one", () => {
    const around = world()
    const ran: Array<number> = []
    const pace = new Pace(2_000, () => ran.push(around.now()), around)
    pace.want()
    around.go(0)
    for (let n = 0; n < 100; n++) {
      pace.want()
      around.go(10)
    }
    around.go(1_000)
    assert.deepStrictEqual(ran, [0, 2_000])
  })

  it("has nothing to do where nobody wants anything, and stops", () => {
    const around = world()
    const ran: Array<number> = []
    const pace = new Pace(2_000, () => ran.push(around.now()), around)
    around.go(10_000)
    pace.want()
    pace.stop()
    around.go(10_000)
    assert.deepStrictEqual(ran, [])
    pace.want()
    around.go(0)
    assert.deepStrictEqual(ran, [20_000])
  })
})
