import type { CancelPreview } from "@coppice/api/TasksApi"
import { assert, describe, it } from "@effect/vitest"
import { previewLines } from "../src/PreviewLines.ts"
import { texts } from "./support/fixtures.ts"

const node = (id: string, agent: string) => ({ id, parent: "a", agent, status: "working" }) as const

const preview: CancelPreview = {
  task: "a",
  cancelled: [node("a", "migrate"), node("b", "review"), node("c", "review"), { ...node("d", "fetch"), server: "far" }],
  released: [
    { ...node("e", "tidy"), rule: "continue", below: 2 },
    { ...node("f", "index"), rule: "adopt", to: "top", below: 0 }
  ],
  people: [{ task: "a", agent: "migrate", message: "Apply 3 changes?" }],
  ended: 4,
  agents: { migrate: 1, review: 2, fetch: 1 },
  servers: { far: 1 }
}

describe("previewLines", () => {
  it("tells what would stop, what would go on, and whom nobody would answer", () =>
    assert.deepStrictEqual(texts(previewLines(preview)), [
      "4 tasks would be cancelled: 2 review, 1 migrate, 1 fetch (on far)",
      "2 would go on:",
      "  ↷ tidy  e  on its own  with 2 tasks below it",
      "  ↷ index  f  adopted by top",
      "1 question would never be answered:",
      "  ? migrate  a  Apply 3 changes?",
      "4 have ended already"
    ]))

  it("says little of a task that is alone", () =>
    assert.deepStrictEqual(
      texts(previewLines({ ...preview, cancelled: [node("a", "b")], released: [], people: [], ended: 0 })),
      ["1 task would be cancelled: 1 b"]
    ))
})
