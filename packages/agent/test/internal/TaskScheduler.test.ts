import { assert, describe, it } from "@effect/vitest"
import { TaskScheduler } from "../../src/internal/TaskScheduler.ts"

const setup = () => {
  const seen: Array<string | number> = []
  const scheduler = new TaskScheduler(() => seen.push("wake"))
  return { seen, scheduler, note: (text: string | number) => () => void seen.push(text) }
}

describe("a scheduler", () => {
  it("runs what was scheduled in order, what that schedules afterwards", () => {
    const { note, scheduler, seen } = setup()
    scheduler.inside(() => {
      scheduler.scheduleTask(() => {
        seen.push(1)
        scheduler.scheduleTask(note(3))
      })
      scheduler.scheduleTask(note(2))
    })
    assert.isFalse(scheduler.isQuiescent)
    assert.isTrue(scheduler.drain(Infinity))
    assert.isTrue(scheduler.isQuiescent)
    assert.deepStrictEqual(seen, [1, 2, 3])
  })

  it("says when work arrives from outside a turn", () => {
    const { note, scheduler, seen } = setup()
    scheduler.scheduleTask(note(1))
    assert.deepStrictEqual(seen, ["wake"])
    scheduler.drain(Infinity)
    assert.deepStrictEqual(seen, ["wake", 1])
  })

  it("keeps the order when its time is up", () => {
    const { note, scheduler, seen } = setup()
    const all = Array.from({ length: 1_000 }, (_, i) => i)
    scheduler.inside(() => {
      for (const i of all) scheduler.scheduleTask(note(i))
    })
    let turns = 0
    while (!scheduler.drain(0)) turns++
    assert.isAbove(turns, 10)
    assert.deepStrictEqual(seen, all)
  })

  it("runs nothing any more once it is closed", () => {
    const { note, scheduler, seen } = setup()
    scheduler.inside(() => {
      scheduler.scheduleTask(() => scheduler.close())
      scheduler.scheduleTask(note(1))
    })
    assert.isTrue(scheduler.drain(Infinity))
    scheduler.scheduleTask(note(2))
    scheduler.drain(Infinity)
    assert.deepStrictEqual(seen, [])
  })
})
