import { assert, describe, it } from "@effect/vitest"
import * as Architecture from "../scripts/architecture.ts"
import { type Package, packagesOf, readFiles, type SourceFile } from "../scripts/Workspace.ts"

const files = readFiles()
const packages = packagesOf(files)
const none: ReadonlyArray<string> = []

describe("the workspace", () => {
  it("was looked at whole", () => {
    const expected = Object.keys(Architecture.rules).filter((name) => !Architecture.planned.includes(name))
    assert.sameMembers(packages.map(({ short }) => short), expected)
    for (const { folder } of packages) {
      const sources = files.filter(({ path }) => path.startsWith(`${folder}/`) && path.endsWith(".ts"))
      assert.isNotEmpty(sources, `${folder} has no source`)
      assert.isNotEmpty(sources.flatMap(Architecture.importsOf), `${folder} imports nothing at all`)
    }
  })

  it("declares only the arrows of the table", () =>
    assert.deepStrictEqual(Architecture.forbiddenArrows(packages), none))

  it("imports only what the table allows", () =>
    assert.deepStrictEqual(Architecture.forbiddenImports(packages, files), none))

  it("imports only types where only types are wanted", () =>
    assert.deepStrictEqual(Architecture.valueImports(packages, files), none))

  it("has no import that leaves its package", () => assert.deepStrictEqual(Architecture.escapes(packages, files), none))

  it("never reaches into another package's internal modules", () =>
    assert.deepStrictEqual(Architecture.reachThroughs(packages, files), none))

  it("has no cycle of packages", () =>
    assert.deepStrictEqual(Architecture.cycles(Architecture.packageGraph(packages)), none))

  it("has no cycle of modules", () =>
    assert.deepStrictEqual(Architecture.cycles(Architecture.moduleGraph(files)), none))
})

describe("the checks see", () => {
  const make = (short: string, more: Partial<Package> = {}): Package => ({
    folder: `packages/${short}`,
    short,
    name: `@coppice/${short}`,
    dependencies: [],
    devDependencies: [],
    ...more
  })
  const file = (path: string, text: string): SourceFile => ({ path, text })
  const task = make("task")
  const mcp = make("mcp")
  const agent = make("agent", { dependencies: ["@coppice/task", "@coppice/mcp"], devDependencies: ["@coppice/task"] })

  it("a planted arrow", () =>
    assert.deepStrictEqual(Architecture.forbiddenArrows([task, mcp, agent]), ["packages/agent: may not depend on mcp"]))

  it("an arrow that only tests may have", () => {
    const sqlite = make("sqlite")
    const wrong = make("task", { dependencies: ["@coppice/sqlite"], devDependencies: ["@coppice/sqlite"] })
    assert.deepStrictEqual(Architecture.forbiddenArrows([sqlite, wrong]), ["packages/task: may not depend on sqlite"])
  })

  it("a planted import, but not one in a comment", () => {
    const planted = file("packages/agent/src/Agent.ts", `import * as Codec from "@coppice/mcp/Codec"`)
    const comment = file("packages/agent/src/Step.ts", `/**\n * import * as Codec from "@coppice/mcp/Codec"\n */`)
    assert.deepStrictEqual(Architecture.forbiddenImports([task, mcp, agent], [planted, comment]), [
      "packages/agent/src/Agent.ts: may not import @coppice/mcp/Codec"
    ])
  })

  it("code where only types are wanted", () => {
    const app = make("console", { folder: "apps/console" })
    const text = `import type { Task } from "@coppice/task/Task"\nimport { isTerminal } from "@coppice/task/Task"`
    assert.deepStrictEqual(Architecture.valueImports([task, app], [file("apps/console/src/App.tsx", text)]), [
      "apps/console/src/App.tsx: may import only types of @coppice/task/Task"
    ])
  })

  it("a technology in the wrong place", () => {
    const api = make("api", { dependencies: ["effect"] })
    const planted = file("packages/api/src/Api.ts", `import { readFileSync } from "node:fs"\nimport "effect/Schema"`)
    assert.deepStrictEqual(Architecture.forbiddenImports([api], [planted]), [
      "packages/api/src/Api.ts: may not import node:fs"
    ])
  })

  it("a planted escape", () => {
    const planted = file("packages/agent/src/Agent.ts", `export * from "../../task/src/Task.ts"`)
    assert.deepStrictEqual(Architecture.escapes([agent], [planted]), [
      "packages/agent/src/Agent.ts: leaves its package by ../../task/src/Task.ts"
    ])
  })

  it("a planted reach-through", () => {
    const planted = file("apps/cli/src/main.ts", `await import("@coppice/task/store/internal/rows")`)
    assert.deepStrictEqual(Architecture.reachThroughs([task], [planted]), [
      "apps/cli/src/main.ts: reaches through to @coppice/task/store/internal/rows"
    ])
  })

  it("a planted cycle", () => {
    const ring = [["a", "b"], ["b", "c"], ["c", "a"]].map(([from, to]) =>
      file(`packages/task/src/${from}.ts`, `import "./${to}.ts"`)
    )
    assert.lengthOf(Architecture.cycles(Architecture.moduleGraph(ring)), 1)
  })
})
