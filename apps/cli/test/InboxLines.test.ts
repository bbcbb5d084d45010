import { assert, describe, it } from "@effect/vitest"
import { inboxLines } from "../src/InboxLines.ts"
import { approval, noon, request, texts, untouched } from "./support/fixtures.ts"

const question = (task: string, message: string, since: number, key = "q1") => ({
  task: task as never,
  run: "run" as never,
  agent: "approve",
  path: [],
  since,
  request: request(message, approval, key),
  ...untouched(key)
})

describe("inboxLines", () => {
  it("shows the oldest question first, and how to answer it", () =>
    assert.deepStrictEqual(
      texts(inboxLines([question("b", "Second?", noon), question("a", "First?", noon - 60_000)], noon, 80)),
      [
        "? approve asks  1m ago",
        "  First?",
        "  approve: one of yes, no · reason: text, optional",
        "  → coppice answer a",
        "",
        "? approve asks  just now",
        "  Second?",
        "  approve: one of yes, no · reason: text, optional",
        "  → coppice answer b"
      ]
    ))

  it("tells who may answer, who has, and what comes next", () => {
    const hour = 3_600_000
    const asked = question("a", "Go?", noon)
    const policy = { to: ["@lead"], quorum: 2, silence: { action: "decline" } } as const
    const rules = {
      ...asked,
      request: { ...asked.request, deadline: noon + 4 * hour, policy },
      standing: {
        ...asked.standing,
        votes: [{ by: "ann", at: noon, content: null }],
        delegations: [{ by: "bob", to: "dan", at: noon }]
      },
      may: ["ann", "dan"],
      next: { what: "reminder", at: noon + hour } as const
    }
    assert.include(
      texts(inboxLines([rules], noon, 80)),
      "  may answer: ann, dan · 1 of 2 agreed: ann · bob → dan · reminds in 1h 00m · ends in 4h 00m, as a no"
    )
  })

  it("names the key where one task asks several", () => {
    const lines = texts(inboxLines([question("a", "One?", noon, "q1"), question("a", "Two?", noon, "q2")], noon, 80))
    assert.include(lines, "  → coppice answer a --key \"q2\"")
  })

  it("tells which doors have shown it, and which could not", () => {
    const asked = question("a", "One?", noon)
    const offers = [
      { door: "mcp:local", how: "undelivered", detail: "declined unread", at: noon },
      { door: "console", how: "delivered", to: "ann", at: noon },
      { door: "webhook:leads", how: "delivered", at: noon }
    ] as const
    const lines = texts(inboxLines([{ ...asked, standing: { ...asked.standing, offers } }], noon, 80))
    assert.includeMembers([...lines], ["  shown by console (ann), webhook:leads", "  not delivered by mcp:local"])
  })

  it("is friendly when there is nothing", () =>
    assert.deepStrictEqual(texts(inboxLines([], noon, 80)), ["Nobody waits for an answer."]))
})
