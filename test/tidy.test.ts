import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Tidy from "../scripts/tidy.ts"
import { readFiles } from "../scripts/Workspace.ts"

const files = readFiles()
const lockfile = readFileSync(new URL("../pnpm-lock.yaml", import.meta.url), "utf8")
const none: ReadonlyArray<string> = []

describe("the repository", () => {
  it("was looked at whole", () => {
    for (const path of ["LICENSE", ".ci/run", "package.json", "pnpm-workspace.yaml", "scripts/tidy.ts"]) {
      assert.include(files.map((file) => file.path), path)
    }
  })

  it("keeps its files readable in a sitting", () => assert.deepStrictEqual(Tidy.tooLong(files), none))

  it("keeps its READMEs readable in two minutes", () => assert.deepStrictEqual(Tidy.longReadmes(files), none))

  it("names no path of one machine", () => assert.deepStrictEqual(Tidy.machinePaths(files), none))

  it("names no registry, and neither does the lockfile", () => {
    assert.deepStrictEqual(Tidy.registryHosts([...files, { path: "pnpm-lock.yaml", text: lockfile }]), none)
    assert.notMatch(lockfile, /https?:\/\//)
  })

  it("holds no banned word", () => assert.deepStrictEqual(Tidy.bannedWords(files), none))

  it("puts every test beside what it tests", () => assert.deepStrictEqual(Tidy.strayTests(files), none))

  it("never sleeps in a test", () => assert.deepStrictEqual(Tidy.sleepingTests(files), none))

  it("names public modules by nouns", () => assert.deepStrictEqual(Tidy.oddNames(files), none))

  it("pins every version exactly", () => assert.deepStrictEqual(Tidy.loosePins(files), none))

  it("installs one copy of what must be one", () =>
    assert.deepStrictEqual(Tidy.secondCopies(lockfile, ["effect", "vitest", "@opentelemetry/api"]), none))
})

describe("the checks see", () => {
  const file = (path: string, text: string) => [{ path, text }]

  it("a file that grew too long, and an exception nobody needs", () => {
    const long = file("packages/task/src/Task.ts", "line\n".repeat(501))
    assert.deepStrictEqual(Tidy.tooLong(long, {}), ["packages/task/src/Task.ts: 501 lines, at most 500"])
    assert.lengthOf(Tidy.tooLong(long, { "packages/task/src/Task.ts": 501 }), 0)
    assert.lengthOf(Tidy.tooLong(file("a.ts", ""), { "a.ts": 600 }), 1)
  })

  it("a path of one machine", () => {
    const home = ["", "home", "ann", "data"].join("/")
    assert.lengthOf(Tidy.machinePaths(file("docs/a.md", `see ${home}`)), 1)
    assert.lengthOf(Tidy.machinePaths(file("docs/a.md", `see docs${home}`)), 0)
  })

  it("a registry host", () => {
    const host = ["registry", "npmjs", "org"].join(".")
    assert.lengthOf(Tidy.registryHosts(file(".npmrc", `registry=//${host}/`)), 1)
  })

  it("a banned word", () => {
    const word = ["TO", "DO"].join("")
    assert.lengthOf(Tidy.bannedWords(file("a.ts", `// ${word}: later`)), 1)
    assert.lengthOf(Tidy.bannedWords(file("a.ts", `// ${word}S`)), 0)
    assert.lengthOf(Tidy.bannedWords(file("a.test.ts", ["it.live", "only(\"a\")"].join("."))), 1)
  })

  it("a test of nothing", () => {
    const source = { path: "packages/task/src/Budget.ts", text: "" }
    const test = (path: string) => Tidy.strayTests([source, { path, text: "" }])
    assert.lengthOf(test("packages/task/test/Budget.limits.test.ts"), 0)
    assert.lengthOf(test("packages/task/test/scenarios/overspend.test.ts"), 0)
    const harness = { path: "apps/orchestrator/chaos/Check.ts", text: "" }
    assert.lengthOf(Tidy.strayTests([harness, { path: "apps/orchestrator/test/chaos/Check.test.ts", text: "" }]), 0)
    assert.deepStrictEqual(test("packages/task/test/Other.test.ts"), [
      "packages/task/test/Other.test.ts: there is no packages/task/src/Other.ts"
    ])
  })

  it("a sleep on real time", () => {
    const [live, sleep] = ["it.live", ["Effect", "sleep("].join(".")]
    assert.lengthOf(Tidy.sleepingTests(file("a.test.ts", `${live}("x", () => ${sleep}10))`)), 1)
    assert.lengthOf(Tidy.sleepingTests(file("a.test.ts", `it.effect("x", () => ${sleep}10))`)), 0)
  })

  it("an odd name", () => assert.lengthOf(Tidy.oddNames(file("packages/task/src/utils.ts", "")), 1))

  it("a loose pin", () =>
    assert.deepStrictEqual(Tidy.loosePins(file("package.json", `{"dependencies":{"a":"^1.0.0","b":"1.0.0"}}`)), [
      "package.json: a is not pinned exactly: ^1.0.0"
    ]))

  it("a second copy", () => {
    const lock = "\npackages:\n\n  a@1.0.0:\n\n  '@b/c@1.0.0':\n\n  a@2.0.0:\n\nsnapshots:\n"
    assert.deepStrictEqual(Tidy.secondCopies(lock, ["a", "@b/c"]), ["a: the lockfile has 2 versions (1.0.0, 2.0.0)"])
  })
})
