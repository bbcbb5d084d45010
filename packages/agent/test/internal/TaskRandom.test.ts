import { assert, describe, it } from "@effect/vitest"
import { TaskRandom } from "../../src/internal/TaskRandom.ts"

describe("a task's chance", () => {
  // old tasks have drawn these numbers and will draw them again: they must never change
  it("is for ever the same for the same id", () => {
    const random = new TaskRandom("1mcc5rm0000000000000")
    assert.deepStrictEqual([1, 2, 3].map(() => random.nextDoubleUnsafe()), [
      0.5029250411788422,
      0.07308822523485936,
      0.0013960465586623227
    ])
  })

  it("differs for other ids, in every place", () => {
    const [one, other] = ["1mcc5rm0000000000000", "1mcc5rm0000010000000"].map((id) => new TaskRandom(id))
    for (let i = 0; i < 20; i++) assert.notStrictEqual(one!.nextDoubleUnsafe(), other!.nextDoubleUnsafe())
  })

  it("is spread evenly, and stays within its bounds", () => {
    const random = new TaskRandom("spread")
    const counts = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 10_000; i++) counts[Math.floor(random.nextDoubleUnsafe() * 10)]!++
    for (const count of counts) assert.closeTo(count, 1_000, 150)
    for (let i = 0; i < 1_000; i++) assert.isTrue(Number.isSafeInteger(random.nextIntUnsafe()))
  })
})
