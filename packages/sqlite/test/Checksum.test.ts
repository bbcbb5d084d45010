import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Checksum from "../src/Checksum.ts"

describe("Checksum.of", () => {
  it("stays what it was: stored rows carry it", () =>
    assert.strictEqual(Checksum.of(1, "body", null, new Uint8Array([1, 2, 3])), 3_934_875_896))

  it("sees an integer, however it is read", () => assert.strictEqual(Checksum.of(7), Checksum.of(7n)))

  it("tells apart where one value ends", () => assert.notStrictEqual(Checksum.of("ab", "c"), Checksum.of("a", "bc")))

  it("tells apart types", () =>
    assert.strictEqual(
      new Set([Checksum.of("1"), Checksum.of(1), Checksum.of(null), Checksum.of(new Uint8Array([49]))]).size,
      4
    ))

  it.prop(
    "notices one changed byte",
    [Schema.NonEmptyString, Schema.Natural, Schema.Literals([1, 2, 4, 8, 128])],
    ([text, at, flip]) => {
      const bytes = new TextEncoder().encode(text)
      const changed = bytes.map((byte, index) => index === at % bytes.length ? byte ^ flip : byte)
      assert.notStrictEqual(Checksum.of(changed), Checksum.of(bytes))
    }
  )
})
