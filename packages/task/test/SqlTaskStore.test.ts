import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TaskArbitrary from "../src/testing/TaskArbitrary.ts"
import * as TaskStoreContract from "../src/testing/TaskStoreContract.ts"
import { course } from "../src/testing/TaskStoreCourse.ts"
import { sqlitePlace } from "./support/places.ts"
import { runs } from "./support/runs.ts"

describe("SqlTaskStore over SQLite", () => {
  for (const { name, test } of TaskStoreContract.cases(sqlitePlace)) it.effect(name, () => test)

  it.effect.prop(
    "says what the facts say, whatever happened",
    [TaskArbitrary.acts],
    ([acts]) => Effect.scoped(course(sqlitePlace, acts)),
    { arbitrary: { runs: runs(60) } }
  )
})
