import { assert, describe, it } from "@effect/vitest"
import { integrate, type IntegrateOptions } from "../src/Integrate.ts"
import { type Files, folderOf, migrateAll } from "./Folder.ts"

const textsOf = async (files: Files, options?: IntegrateOptions) => {
  const { inventory, results } = await migrateAll(folderOf(files))
  const tree = await integrate(inventory, results, options)
  return { tree, text: (path: string) => tree.files.find((file) => file.path === path)?.text }
}

describe("integrate", () => {
  it("copies what is no code and rewrites the manifest", async () => {
    const manifest = {
      name: "p",
      version: "1.0.0",
      main: "./lib",
      bin: { p: "cli" },
      engines: { node: ">=4", npm: "*" }
    }
    const { text, tree } = await textsOf({
      "package.json": `${JSON.stringify(manifest, null, 4)}\n`,
      "lib/index.js": "exports.a = 1\n",
      "cli": "#!/usr/bin/env node\n",
      "LICENSE": "free"
    })
    assert.deepStrictEqual(JSON.parse(text("package.json") ?? ""), {
      ...manifest,
      type: "module",
      main: "./lib/index.js",
      engines: { node: "^22.19.0 || >=24.2.0", npm: "*" }
    })
    assert.match(text("package.json") ?? "", /^ {4}"version": "1.0.0",\n {4}"type": "module",/m)
    assert.isNull(text("LICENSE"))
    assert.isTrue(tree.files.find(({ path }) => path === "cli")?.executable)
  })

  it("makes a manifest where there is none, and none of a folder CommonJS again", async () => {
    const { text } = await textsOf({
      "a.js": "exports.a = 1\n",
      "lib/package.json": "{\"main\": \"b.js\"}",
      "lib/b.js": ""
    })
    assert.deepStrictEqual(JSON.parse(text("package.json") ?? ""), { private: true, type: "module" })
    assert.deepStrictEqual(JSON.parse(text("lib/package.json") ?? ""), { type: "module", main: "b.js" })
  })

  it("keeps a refused file under another name, with a bridge in its place", async () => {
    const { text, tree } = await textsOf({
      "a.js": "leaked = 1\nexports.a = 2\n",
      "b.js": "module.exports = require('./a').a"
    })
    assert.strictEqual(text("a.cjs"), "leaked = 1\nexports.a = 2\n")
    assert.strictEqual(
      text("a.js"),
      "// a.cjs stays CommonJS: assigns the undeclared variable leaked (implicit-global)\n" +
        "import kept from \"./a.cjs\"\n\n" +
        "export { kept as default, kept as \"module.exports\" }\n" +
        "const { a: value0 } = kept\nexport { value0 as a }\n"
    )
    assert.deepStrictEqual(tree.kept.map(({ as, path, reason }) => [path, as, reason.code]), [
      ["a.js", "a.cjs", "implicit-global"]
    ])
  })

  it("keeps a cycle together and points its members at one another", async () => {
    const { text, tree } = await textsOf({
      "a.js": "leaked = 1\nmodule.exports = () => require('./b')\nrequire('./b.js')\n",
      "b.js": "const a = require('./a')\nmodule.exports = () => a\n"
    })
    assert.deepStrictEqual(tree.kept.map(({ path, reason }) => `${path} ${reason.code}`), [
      "a.js implicit-global",
      "b.js cycle-partner"
    ])
    assert.include(text("b.cjs") ?? "", "require('./a.cjs')")
    assert.include(text("a.cjs") ?? "", "require('./b.cjs')")
  })

  it("moves a kept command in the manifest as well", async () => {
    const manifest = { name: "p", bin: { p: "./cli.js" }, files: ["cli.js"] }
    const { text } = await textsOf({
      "package.json": JSON.stringify(manifest),
      "cli.js": "#!/usr/bin/env node\nx = 1\n"
    })
    const { bin, files } = JSON.parse(text("package.json") ?? "") as { bin: unknown; files: unknown }
    assert.deepStrictEqual([bin, files], [{ p: "./cli.cjs" }, ["cli.js", "cli.cjs"]])
    assert.isUndefined(text("cli.js"))
  })

  it("takes a missing or foreign result for a failure", async () => {
    const { inventory, results } = await migrateAll(folderOf({ "a.js": "exports.a = 1\n", "b.js": "exports.b = 1\n" }))
    const foreign = results.map((result) => ({ ...result, sourceSha256: "other" })).filter(({ path }) =>
      path === "b.js"
    )
    const tree = await integrate(inventory, foreign)
    assert.deepStrictEqual(tree.kept.map(({ path, reason }) => `${path} ${reason.code}`), [
      "a.js no-result",
      "b.js source-changed"
    ])
  })

  it("keeps a cycle together when one of its files has no result", async () => {
    const files = {
      "a.js": "exports.b = () => require('./b')\n",
      "b.js": "require('./c')\n",
      "c.js": "require('./b')\n"
    }
    const { inventory, results } = await migrateAll(folderOf(files))
    const tree = await integrate(inventory, results.filter(({ path }) => path !== "c.js"))
    assert.deepStrictEqual(tree.kept.map(({ path, reason }) => `${path} ${reason.code}`), [
      "c.js no-result",
      "b.js cycle-partner"
    ])
  })

  it("keeps what it is asked to keep", async () => {
    const { tree } = await textsOf({ "a.js": "exports.a = 1\n" }, { keep: ["a.js"] })
    assert.deepStrictEqual(tree.kept.map(({ reason }) => reason.code), ["kept-on-request"])
  })

  it("carries a file over that does not parse and nobody loads", async () => {
    const { text, tree } = await textsOf({ "template.js": "const <%= name %>" })
    assert.strictEqual(text("template.js"), "const <%= name %>")
    assert.deepStrictEqual(tree.kept.map(({ as }) => as), ["template.js"])
  })
})
