import type { Wait } from "@coppice/api/TasksApi"
import { assert, describe, it } from "@effect/vitest"
import { grouped } from "../../../src/pages/run/WhySection.tsx"

const wait = (on: string, agent: string, key: string | null = null): Wait => ({ on, agent, task: agent, key }) as never

describe("grouped", () => {
  it("tells waits of one agent for one kind of thing once", () =>
    assert.deepStrictEqual(
      grouped([wait("timer", "a", "1"), wait("timer", "a", "2"), wait("slot", "a"), wait("timer", "b")]).map((
        { count }
      ) => count),
      [2, 1, 1]
    ))

  it("tells each question", () => assert.lengthOf(grouped([wait("person", "a", "1"), wait("person", "a", "2")]), 2))
})
