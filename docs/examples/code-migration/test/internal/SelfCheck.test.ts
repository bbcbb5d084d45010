import { assert, describe, it } from "@effect/vitest"
import { scopesOf } from "../../src/internal/Scopes.ts"
import { selfCheck } from "../../src/internal/SelfCheck.ts"
import { parse } from "../../src/internal/Source.ts"
import { scanFiles } from "../Folder.ts"

/** What the last gate says about a result for a file that was `log(1)`. */
const checked = async (result: string) => {
  const inventory = await scanFiles({ "main.js": "log(1)\n", "lib/x.js": "exports.y = 1\n" })
  const before = parse("log(1)\n", "commonjs")
  assert(before.ok)
  return selfCheck(inventory, "main.js", scopesOf(before.source, "commonjs"), result)?.message ?? "fine"
}

const rows: ReadonlyArray<readonly [says: string, result: string]> = [
  ["fine", "import x, { y } from './lib/x.js'\nlog(x, y, typeof module)\n"],
  ["the result does not parse", "import from\n"],
  ["module is not defined", "log(module)\n"],
  ["lug is not defined", "lug(1)\n"],
  ["imports ./x.js, which is not there", "import x from './x.js'\n"],
  ["imports z, which ./lib/x.js does not export", "export { z } from './lib/x.js'\n"]
]

describe("selfCheck", () => {
  for (const [says, result] of rows) {
    it(`says: ${says}`, async () => assert.include(await checked(result), says))
  }
})
