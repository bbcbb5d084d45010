import { assert, describe, it } from "@effect/vitest"
import { format, parse, toQuery } from "../../../src/pages/audit/AuditFilter.ts"

describe("AuditFilter", () => {
  it("stands in the address and comes back from it", () => {
    const filter = { run: "01kb", by: "ann & bob", kind: "answered" } as const
    assert.strictEqual(format(filter), "run=01kb&by=ann+%26+bob&kind=answered")
    assert.deepStrictEqual(parse(`?${format(filter)}`), filter)
  })

  it("leaves out what is not set, and passes over what it does not know", () => {
    assert.deepStrictEqual(toQuery({ run: " ", by: " ann ", kind: "" }), { by: "ann" })
    assert.deepStrictEqual(parse("?kind=decided&who=me"), { run: "", by: "", kind: "" })
  })
})
