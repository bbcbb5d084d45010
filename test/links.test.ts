import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { check, summary } from "../scripts/links.ts"
import { readFiles } from "../scripts/Workspace.ts"

const root = new URL("..", import.meta.url)

describe("the pages", () => {
  const looked = check(readFiles("**/*.md"), (path) => existsSync(new URL(path, root)))

  it("point at what is there", () => assert.deepStrictEqual(looked.findings, []))

  it("were looked at", () => {
    console.log(summary(looked))
    assert.isAtLeast(looked.pages, 20)
    assert.isAtLeast(looked.links, 80)
    assert.isAtLeast(looked.files, 30)
  })
})

describe("check sees", () => {
  const page = (path: string, text: string) => ({ path, text })
  const files = new Set(["README.md", "docs/a.md", "docs/b.md", "packages/task/src/Task.ts"])
  const look = (...pages: ReadonlyArray<ReturnType<typeof page>>) => check(pages, (path) => files.has(path))
  const linked = page("README.md", "[a](docs/a.md) [b](docs/b.md)")

  it("a link to nowhere, and not one within a fence", () =>
    assert.deepStrictEqual(look(page("README.md", "[x](docs/x.md)\n\n```md\n[y](docs/y.md)\n```\n")).findings, [
      "README.md:1: links to docs/x.md, which is not there"
    ]))

  it("a heading that is not there, on this page and on another", () => {
    const a = page("docs/a.md", "# The `One`\n\n# The One\n\n[1](#the-one) [2](#the-one-1) [3](#the-two)\n")
    const b = page("docs/b.md", "[1](a.md#the-one) [2](a.md#what-next)\n")
    assert.deepStrictEqual(look(linked, a, b).findings, [
      "docs/a.md:5: links to #the-two, but there is no such heading",
      "docs/b.md:1: links to a.md#what-next, but there is no such heading"
    ])
  })

  it("a link that leaves the repository", () =>
    assert.lengthOf(look(page("README.md", "[x](../x.md) [y](/docs/a.md)")).findings, 2))

  it("a file that has moved", () => {
    const { files, findings } = look(page("README.md", "`packages/task/src/Task.ts`, `packages/task/src/Gone.ts`"))
    assert.deepStrictEqual(findings, ["README.md:1: names packages/task/src/Gone.ts, which is not there"])
    assert.strictEqual(files, 2)
  })

  it("a page nobody links to", () =>
    assert.deepStrictEqual(
      look(page("README.md", "[a](docs/a.md)"), page("docs/a.md", ""), page("docs/b.md", "")).findings,
      [
        "docs/b.md: no other page links here"
      ]
    ))

  it("addresses of the world, without visiting them", () => {
    const { findings, outside } = look(page("README.md", "[x](https://example.test/x) [y](mailto:ann@example.test)"))
    assert.deepStrictEqual([outside, findings], [2, []])
  })
})
