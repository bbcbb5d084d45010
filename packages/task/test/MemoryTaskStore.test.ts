import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TaskArbitrary from "../src/testing/TaskArbitrary.ts"
import * as TaskStoreContract from "../src/testing/TaskStoreContract.ts"
import { course } from "../src/testing/TaskStoreCourse.ts"
import { memoryPlace } from "./support/places.ts"
import { runs } from "./support/runs.ts"

describe("MemoryTaskStore", () => {
  for (const { name, test } of TaskStoreContract.cases(memoryPlace)) it.effect(name, () => test)

  it.effect.prop(
    "says what the facts say, whatever happened",
    [TaskArbitrary.acts],
    ([acts]) => Effect.scoped(course(memoryPlace, acts)),
    { arbitrary: { runs: runs(200) } }
  )
})
