import { assert, describe, it } from "@effect/vitest"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { integrate } from "../../src/Integrate.ts"
import { writeOutput } from "../../src/Output.ts"
import { summarise } from "../../src/Summary.ts"
import { verify } from "../../src/Verify.ts"
import { emptyFolder, migrateAll } from "../Folder.ts"

const semver = dirname(fileURLToPath(import.meta.resolve("semver/package.json")))

describe("semver", () => {
  it("moves whole, cycle included, and behaves the same", { timeout: 120_000 }, async () => {
    const { inventory, results } = await migrateAll(semver)
    assert.deepStrictEqual(inventory.cycles, [["classes/comparator.js", "classes/range.js"]])
    const { failures, files, risky } = summarise(results)
    assert.deepStrictEqual([files.migrated, failures, risky], [50, [], []])

    const out = emptyFolder()
    await writeOutput(out, await integrate(inventory, results))
    const report = await verify({ original: semver, migrated: out, cases: 5_000, seed: 42 })
    assert.deepStrictEqual(report.different, [])
    assert.isTrue(report.ok, JSON.stringify(report))
    assert.deepStrictEqual([report.compared, report.equal, report.modules.loaded], [5_000, 5_000, 49])
    assert.strictEqual(report.commands.compared, 7)

    const api: object = createRequire(out)(semver)
    const functions = Object.entries(api).filter(([, member]) => typeof member === "function").map(([name]) => name)
    assert.deepStrictEqual(report.covered, functions.sort())
    assert.deepStrictEqual(Object.keys(createRequire(out)(out)), Object.keys(api))
  })
})
