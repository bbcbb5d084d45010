import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { integrate, type OutputTree } from "../src/Integrate.ts"
import { writeOutput } from "../src/Output.ts"
import { emptyFolder, failureOf, folderOf, migrateAll } from "./Folder.ts"

const treeOf = async () => {
  const files = {
    "package.json": "{}",
    "a.js": "exports.a = 1\n",
    "bin/b.js": "#!/usr/bin/env node\n",
    "note.txt": "n"
  }
  const { inventory, results } = await migrateAll(folderOf(files))
  return integrate(inventory, results)
}

describe("writeOutput", () => {
  it("writes everything, and nothing the second time", async () => {
    const [tree, out] = [await treeOf(), emptyFolder()]
    assert.deepStrictEqual(await writeOutput(out, tree), { written: 4, unchanged: 0 })
    assert.deepStrictEqual(await writeOutput(out, tree), { written: 0, unchanged: 4 })
    assert.strictEqual(readFileSync(join(out, "note.txt"), "utf8"), "n")
    assert.strictEqual(statSync(join(out, "bin/b.js")).mode & 0o111, 0o111)
  })

  it("mends a file that a crash left behind, and leaves no temporary files", async () => {
    const [tree, out] = [await treeOf(), emptyFolder()]
    await writeOutput(out, tree)
    writeFileSync(join(out, "a.js"), "half")
    assert.deepStrictEqual(await writeOutput(out, tree), { written: 1, unchanged: 3 })
    assert.deepStrictEqual(readdirSync(out).sort(), ["a.js", "bin", "note.txt", "package.json"])
  })

  it("does not touch the original, nor anything outside the folder", async () => {
    const tree = await treeOf()
    assert.match(await failureOf(writeOutput(join(tree.from, "out"), tree)), /overlaps the original/)
    const evil: OutputTree = { ...tree, files: [{ path: "../evil.js", text: "", executable: false }] }
    assert.match(await failureOf(writeOutput(emptyFolder(), evil)), /leads out of/)
  })

  it("stops when it is told to", async () => {
    const [tree, out] = [await treeOf(), emptyFolder()]
    assert.match(await failureOf(writeOutput(out, tree, AbortSignal.abort(new Error("stop")))), /stop/)
    assert.deepStrictEqual(readdirSync(out), [])
  })
})
