import { assert, describe, it } from "@effect/vitest"
import { summarise } from "../src/Summary.ts"
import { folderOf, migrateAll } from "./Folder.ts"

const files = {
  "good.js": "'use strict'\nmodule.exports = 1\n",
  "risky.js": "'use strict'\nmodule.exports = (name) => require(name)\n",
  "sloppy.js": "leaked = 1\n",
  "broken.js": "let let\n",
  "data.json": "{}"
}

describe("summarise", () => {
  it("counts files and lines, and hides no failure", async () => {
    const { results } = await migrateAll(folderOf(files))
    const { changes, failures, files: counts, lines, risky, text } = summarise(results)
    assert.deepStrictEqual(counts, { migrated: 2, unchanged: 1, failed: 2 })
    assert.deepStrictEqual(lines, { added: 8, removed: 4 })
    assert.strictEqual(changes["module.exports to export"], 2)
    assert.deepStrictEqual(risky.map(({ path }) => path), ["risky.js"])
    assert.deepStrictEqual(failures.map(({ code, path }) => `${path} ${code}`), [
      "broken.js unparsable",
      "sloppy.js implicit-global"
    ])
    for (const line of ["2 files become ES modules", "broken.js:1:5", "sloppy.js:1:1", "risky.js:2:28"]) {
      assert.include(text, line)
    }
  })

  it("says so when there is nothing", () => {
    assert.match(summarise([]).text, /^0 files become ES modules, 0 stay as they are, 0 failed/)
  })
})
