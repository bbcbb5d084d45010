import { assert, describe, it } from "@effect/vitest"
import { scenariosIn, verdict } from "../scripts/conformance.ts"

const output = `
=== Running scenario: tools-list ===
✓ not-a-summary-line

=== SUMMARY ===
✓ tools-list: 4 passed, 0 failed
✓ tasks-lifecycle: 9 passed, 0 failed
✓ tasks-status-notifications: 0 passed, 0 failed
✗ pending-thing: 1 passed, 5 failed, 1 warnings

Total: 14 passed, 5 failed

Not scored for 2026-07-28: 3 scenario(s) run, 1 failing. These do not affect conformance.
  ✓ tasks-lifecycle (extension)
  ✓ tasks-status-notifications (extension)
  ✗ pending-thing (pending)
`

const of = (text: string, trouble?: string) => verdict("server", scenariosIn(text), trouble)

describe("conformance", () => {
  it("counts scenarios and checks, and lists what is not scored", () => {
    const { isGood, lines } = of(output)
    assert.isTrue(isGood)
    assert.deepStrictEqual(lines, [
      "ok     server: 1/1 required scenarios, 1/1 tasks scenarios, checks 14 passed, 5 failed",
      "  - pending-thing (pending, not scored): 5 checks failed",
      "  - tasks-status-notifications: the suite does not run it yet"
    ])
  })

  it("fails when a required scenario fails", () => {
    const { isGood, lines } = of(output.replace("✓ tools-list: 4 passed, 0", "✗ tools-list: 3 passed, 1"))
    assert.isFalse(isGood)
    assert.include(lines, "  ✗ tools-list: 1 checks failed")
  })

  it("fails when a tasks scenario fails, although the suite does not score it", () =>
    assert.isFalse(of(output.replace("✓ tasks-lifecycle: 9 passed, 0", "✗ tasks-lifecycle: 8 passed, 1")).isGood))

  it("fails when the suite ran nothing, or did not come to its end", () => {
    assert.isFalse(of("").isGood)
    assert.isFalse(of(output, "timeout").isGood)
  })
})
