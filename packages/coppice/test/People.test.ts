import { assert, describe, it } from "@effect/vitest"
import { type People, toPeople } from "../src/People.ts"

describe("people", () => {
  it("may look and answer, unless it says otherwise", () => {
    assert.deepStrictEqual([...toPeople({ ann: {}, bob: { roles: ["lead"], may: ["operate"] } }).values()], [
      { name: "ann", roles: [], may: ["view", "approve"] },
      { name: "bob", roles: ["lead"], may: ["operate"] }
    ])
  })

  it("have names that are theirs alone, and roles without @", () => {
    const wrong: ReadonlyArray<readonly [People, RegExp]> = [
      [{ "": {} }, /a name has 1 to 64 characters/],
      [{ "@lead": {} }, /a name has 1 to 64 characters/],
      [{ local: {} }, /"local" is a name of the runtime's own/],
      [{ policy: {} }, /"policy" is a name of the runtime's own/],
      [{ ann: { roles: ["@lead"] } }, /people.ann.roles: "@lead" is no role; write it without "@"/]
    ]
    for (const [people, message] of wrong) assert.throws(() => toPeople(people), message)
  })
})
