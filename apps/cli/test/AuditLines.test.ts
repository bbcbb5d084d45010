import type { AuditEntry } from "@coppice/api/AuditApi"
import { assert, describe, it } from "@effect/vitest"
import { auditLines } from "../src/AuditLines.ts"
import { texts } from "./support/fixtures.ts"

const entry = (parts: Partial<AuditEntry>): AuditEntry => ({
  n: 1,
  at: 0,
  kind: "answered",
  by: "ann",
  task: null,
  run: null,
  agent: null,
  detail: {},
  hash: "",
  ...parts
})

describe("auditLines", () => {
  it("shows who decided what, and what was told of it", () =>
    assert.deepStrictEqual(
      texts(auditLines([
        entry({ agent: "deploy", task: "01kb2x9f4q0000000000" as never, detail: { key: "go", action: "accept" } }),
        entry({ n: 12, kind: "refused", by: "unknown", detail: { door: "mcp", before: 3 } })
      ])),
      [
        "     1  1970-01-01T00:00:00.000Z  ann answered deploy 01kb2x9f4q0000000000  key go · action accept",
        "    12  1970-01-01T00:00:00.000Z  unknown was refused  door mcp · before 3"
      ]
    ))

  it("says when there is nothing", () =>
    assert.deepStrictEqual(texts(auditLines([])), ["Nobody has decided anything that was asked for."]))
})
