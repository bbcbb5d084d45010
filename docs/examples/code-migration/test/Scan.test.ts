import { assert, describe, it } from "@effect/vitest"
import { scan } from "../src/Scan.ts"
import { emptyFolder, failureOf, folderOf, scanFiles } from "./Folder.ts"

describe("scan", () => {
  it("tells the kinds of files apart, and tests and assets from code", async () => {
    const { assets, files, skipped } = await scanFiles({
      "package.json": "{\"name\": \"p\", \"bin\": \"./cli\"}",
      "a.js": "exports.a = 1",
      "b.mjs": "export const b = 1",
      "c.js": "import \"./b.mjs\"",
      "d.cjs": "exports.d = 1",
      "e.js": "let let",
      "bin.js": "#!/usr/bin/env node\n",
      "cli": "console.log(1)",
      "esm/package.json": "{\"type\": \"module\"}",
      "esm/f.js": "console.log(1)",
      "test/a.js": "require('../a')",
      "LICENSE": "free"
    })
    const kinds = Object.fromEntries(Object.values(files).map(({ kind, path }) => [path, kind]))
    assert.deepStrictEqual(kinds, {
      "a.js": "module",
      "b.mjs": "esm",
      "bin.js": "script",
      "c.js": "esm",
      "cli": "script",
      "d.cjs": "commonjs",
      "e.js": "unparsable",
      "esm/f.js": "esm",
      "esm/package.json": "json",
      "package.json": "json"
    })
    assert.deepStrictEqual([assets, skipped], [["LICENSE"], ["test/a.js"]])
  })

  it("takes tests when asked, and always those which code needs", async () => {
    const files = { "a.js": "require('./test/needed')", "test/needed.js": "", "test/other.js": "" }
    const without = await scanFiles(files)
    const withTests = await scanFiles(files, { tests: true })
    assert.deepStrictEqual(Object.keys(without.files), ["a.js", "test/needed.js"])
    assert.deepStrictEqual(Object.keys(withTests.files), ["a.js", "test/needed.js", "test/other.js"])
  })

  it("follows require as Node does", async () => {
    const { files } = await scanFiles({
      "a.js":
        "require('./b'); require('./c'); require('./d'); require('.'); require('fs'); require('no'); require('./no')",
      "b.js": "",
      "c/package.json": "{\"main\": \"lib\"}",
      "c/lib/index.js": "",
      "d.json": "{}",
      "index.js": ""
    })
    const targets = files["a.js"]!.requires.map(({ target }) => target.kind === "file" ? target.path : target.kind)
    assert.deepStrictEqual(targets, ["b.js", "c/lib/index.js", "d.json", "index.js", "builtin", "package", "missing"])
  })

  it("does not offer a name which another file overwrites or may overwrite", async () => {
    const { files } = await scanFiles({
      "a.js": "exports.a = 1\nexports.b = 2\n",
      "b.js": "require('./a').b = 3\n",
      "c.js": "exports.c = 1\n",
      "d.js": "const c = require('./c')\nextend(c)\n"
    })
    assert.deepStrictEqual(files["a.js"]!.exports.names, ["a"])
    assert.deepStrictEqual(files["c.js"]!.exports.names, [])
  })

  it("does not offer a name which a getter fetches from a file in the same cycle", async () => {
    const getter = "Object.defineProperty(exports, 'b', { get: function () { return b.b } })\n"
    const index = `var b = require('./b')\n${getter}`
    const alone = await scanFiles({ "index.js": index, "b.js": "exports.b = 1\n" })
    const inCycle = await scanFiles({ "index.js": index, "b.js": "require('./index')\nexports.b = 1\n" })
    assert.deepStrictEqual(alone.files["index.js"]!.exports.names, ["b"])
    assert.deepStrictEqual(inCycle.files["index.js"]!.exports.names, [])
  })

  it("finds the cycles, and refuses the one in which a value is used too early", async () => {
    const { cycles, files } = await scanFiles({
      "a.js": "class A {}\nmodule.exports = A\nconst B = require('./b')\nA.b = () => B\n",
      "b.js": "const A = require('./a')\nmodule.exports = class B { make () { return new A() } }\n",
      "base.js": "exports.Base = class {}\nexports.Sub = require('./sub')\n",
      "sub.js": "const { Base } = require('./base')\nmodule.exports = class extends Base {}\n"
    })
    assert.deepStrictEqual(cycles.map((cycle) => cycle.join()).sort(), ["a.js,b.js", "base.js,sub.js"])
    const refusals = Object.values(files).map(({ path, refusal }) => [path, refusal?.code])
    assert.deepStrictEqual(refusals, [
      ["a.js", undefined],
      ["b.js", undefined],
      ["base.js", "cycle-read"],
      ["sub.js", "cycle-partner"]
    ])
  })

  it("is data: JSON and back", async () => {
    const inventory = await scanFiles({ "package.json": "{\"name\": \"p\"}", "a.js": "module.exports = require('fs')" })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(inventory)), inventory)
  })

  it("knows main and bin of the package", async () => {
    const manifest = { name: "@s/p", version: "1.0.0", main: "lib", bin: "bin/run.js" }
    const files = { "package.json": JSON.stringify(manifest), "lib/index.js": "", "bin/run.js": "" }
    const { package: facts } = await scanFiles(files)
    assert.deepStrictEqual(facts, {
      name: "@s/p",
      version: "1.0.0",
      main: "lib/index.js",
      exports: null,
      bin: { p: "bin/run.js" }
    })
  })

  it("finds nothing in an empty folder, and says so when there is no folder", async () => {
    assert.deepStrictEqual((await scan(emptyFolder())).files, {})
    assert.match(await failureOf(scan(`${emptyFolder()}/none`)), /ENOENT/)
  })

  it("refuses a folder that is a file", async () => {
    assert.match(await failureOf(scan(`${folderOf({ "a.js": "" })}/a.js`)), /ENOTDIR/)
  })
})
