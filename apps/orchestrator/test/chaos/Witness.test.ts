import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { differing, digests, readEffects } from "../../chaos/Witness.ts"

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-witness-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("Witness", () => {
  it("reads the effects, but not a line that was cut off", () => {
    const file = join(folder, "effects.jsonl")
    assert.deepStrictEqual(readEffects(file), [])
    writeFileSync(file, `{"key":"a/step:x","at":1,"pid":2}\n{"key":"a/st`)
    assert.deepStrictEqual(readEffects(file), [{ key: "a/step:x", at: 1, pid: 2 }])
  })

  it("tells two folders apart by their files and the bytes in them", () => {
    const write = (name: string, text: string) => {
      mkdirSync(join(folder, name, "below"), { recursive: true })
      writeFileSync(join(folder, name, "below", "a.js"), text)
    }
    write("one", "same")
    write("two", "same")
    write("three", "other")
    writeFileSync(join(folder, "three", "b.js"), "more")
    const [one, two, three] = ["one", "two", "three"].map((name) => digests(join(folder, name)))
    assert.lengthOf([...one!], 1)
    assert.deepStrictEqual(differing(one!, two!), [])
    assert.deepStrictEqual(differing(one!, three!), ["below/a.js has other bytes", "b.js should not be there"])
    assert.deepStrictEqual(differing(one!, digests(join(folder, "none"))), ["below/a.js is missing"])
  })
})
