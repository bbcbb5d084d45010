import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { integrate } from "../src/Integrate.ts"
import { writeOutput } from "../src/Output.ts"
import { verify, type VerifyOptions } from "../src/Verify.ts"
import { emptyFolder, failureOf, type Files, folderOf, migrateAll } from "./Folder.ts"

const calls = { safe: ["add", "fail"], arguments: [[1, 2, "x", null], [3, "y"]], commands: [["--help"]] }

const files: Files = {
  "package.json": JSON.stringify({ name: "p", bin: { p: "cli.js" } }),
  "verify.json": JSON.stringify(calls),
  "index.js": "exports.add = (a, b) => a + b\nexports.fail = (a) => { throw new TypeError('no ' + a) }\n",
  "cli.js": "#!/usr/bin/env node\nconsole.log('usage', __filename)\nprocess.exitCode = 3\n"
}

/** The package, migrated, and then one text in one of its files replaced. */
const migrated = async (path = "index.js", search = "", replacement = "") => {
  const original = folderOf(files)
  const { inventory, results } = await migrateAll(original)
  const out = emptyFolder()
  await writeOutput(out, await integrate(inventory, results))
  writeFileSync(join(out, path), readFileSync(join(out, path), "utf8").replace(search, replacement))
  return { original, migrated: out, cases: 200 } satisfies VerifyOptions
}

describe("verify", { timeout: 60_000 }, () => {
  it("finds a faithful migration equal", async () => {
    const report = await verify(await migrated())
    assert.isTrue(report.ok, JSON.stringify(report))
    assert.deepStrictEqual([report.compared, report.equal, report.covered], [200, 200, ["add", "fail"]])
    assert.deepStrictEqual(report.commands, { compared: 1, checked: 1, different: [] })
  })

  it("sees another result", async () => {
    const report = await verify(await migrated("index.js", "a + b", "a + b + (a === 2 ? 1 : 0)"))
    assert.isFalse(report.ok)
    assert.isBelow(report.equal, 200)
    assert.deepInclude(report.different, { what: "add(2, 3)", original: "5", migrated: "6" })
  })

  it("sees another error message", async () => {
    const report = await verify(await migrated("index.js", "'no '", "'nope '"))
    assert.include(report.different.map(({ migrated }) => migrated), "throws TypeError: nope 1")
  })

  it("sees a member that is gone, and a name that disagrees", async () => {
    const gone = await verify(await migrated("index.js", "exports.fail", "exports.other"))
    assert.include(gone.exportDifferences.join(), "index.js fail: <function/1> became absent")
    const stale = await verify(await migrated("index.js", "{ add, fail } = exports", "[add, fail] = [1, 2]"))
    assert.match(stale.modules.failed[0]?.message ?? "", /the export add differs/)
  })

  it("sees a module that does not load, ends the process or hangs", async () => {
    const broken = await verify(await migrated("index.js", "exports.add", "undefined.add"))
    assert.match(broken.modules.failed[0]?.message ?? "", /Cannot set properties of undefined/)
    const ended = await verify(await migrated("index.js", "exports.add", "process.exit(7); exports.add"))
    assert.match(ended.modules.failed[0]?.message ?? "", /ended the process with code 7/)
    const hanging = await verify({
      ...await migrated("index.js", "exports.add", "for (;;); exports.add"),
      timeoutMs: 3000
    })
    assert.match(hanging.modules.failed[0]?.message ?? "", /did not load in time/)
  })

  it("sees a command that prints something else, or does not parse", async () => {
    const other = await verify(await migrated("cli.js", "usage", "help"))
    assert.strictEqual(other.commands.different[0]?.what, "cli.js --help")
    const bad = await verify(await migrated("cli.js", "console", "const const"))
    assert.strictEqual(bad.commands.different[0]?.original, "parses")
  })

  it("calls nothing unless somebody said that it is safe", async () => {
    const report = await verify({ ...await migrated(), source: null })
    assert.deepStrictEqual([report.ok, report.compared, report.commands.compared], [true, 0, 0])
    assert.isAbove(report.exportsCompared, 0)
  })

  it("kills its processes when it is told to stop", async () => {
    const controller = new AbortController()
    const options = await migrated("index.js", "exports.add", "for (;;); exports.add")
    const running = verify({ ...options, signal: controller.signal })
    controller.abort(new Error("enough"))
    assert.match(await failureOf(running), /enough/)
  })
})
