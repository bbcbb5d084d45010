import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { isTaskId, TaskIds } from "../src/TaskIds.ts"

const seeded = (seed = 1) => {
  let state = seed
  return { nextIntUnsafe: () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) }
}

const Times = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))).check(
  Schema.isMaxLength(200)
)

describe("TaskIds", () => {
  it.prop("makes ids that sort in the order they were made, whatever the clock does (case 9)", [Times], ([times]) => {
    const ids = new TaskIds(seeded())
    const made = times.map((time) => ids.next(time))
    assert.deepStrictEqual(made.toSorted(), made)
    assert.strictEqual(new Set(made).size, made.length)
    for (const id of made) assert.isTrue(isTaskId(id), id)
  })

  it("goes on when a millisecond is full", () => {
    const ids = new TaskIds(seeded())
    let last = ""
    for (let i = 0; i < 32 ** 4 + 10; i++) {
      const id = ids.next(5)
      if (id <= last) assert.fail(`${id} after ${last}`)
      last = id
    }
    assert.isTrue(last < ids.next(7))
  })

  it("takes whole milliseconds of any clock", () => {
    const ids = new TaskIds(seeded())
    for (const time of [0.25, 1.5, Date.UTC(2026, 0, 1) + 0.1]) assert.isTrue(isTaskId(ids.next(time)))
  })

  it("differs from process to process", () => {
    assert.notStrictEqual(new TaskIds(seeded(1)).next(1), new TaskIds(seeded(2)).next(1))
  })

  it("makes W3C ids, never all zero", () => {
    const ids = new TaskIds(seeded())
    assert.match(ids.traceId(), /^[0-9a-f]{32}$/)
    assert.match(ids.spanId(), /^[0-9a-f]{16}$/)
    const zero = new TaskIds({ nextIntUnsafe: () => 0 })
    assert.match(zero.spanId() + zero.traceId(), /[1-9]/)
    assert.match(new TaskIds({ nextIntUnsafe: () => -1 }).spanId(), /^f{16}$/)
  })

  it("knows what looks like an id", () => {
    for (const text of ["", "0", "0".repeat(21), "i".repeat(20), "U".repeat(20)]) assert.isFalse(isTaskId(text))
  })
})
