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
