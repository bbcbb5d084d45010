import { assert, describe, it } from "@effect/vitest"
import { sync } from "../scripts/docsSync.ts"

const source = {
  path: "docs/examples/hello.ts",
  text: `import { Agent } from "coppice"

// #region make
const make = () => {
  // #region inner
  return Agent
  // #endregion inner
}
// #endregion make
`
}
const fence = (reference: string, body: string) => `Before.\n\n\`\`\`ts ${reference}\n${body}\`\`\`\n\nAfter.\n`
const page = (text: string) => sync([{ path: "docs/page.md", text }], [source])

describe("sync", () => {
  it("writes a region into its fence", () => {
    const { fences, findings, stale } = page(fence("docs/examples/hello.ts#make", "const old = 1\n"))
    assert.deepStrictEqual(findings, [])
    assert.strictEqual(fences, 1)
    assert.strictEqual(
      stale[0]?.text,
      fence("docs/examples/hello.ts#make", "const make = () => {\n  return Agent\n}\n")
    )
  })

  it("takes a nested region without its indentation", () =>
    assert.strictEqual(
      page(fence("docs/examples/hello.ts#inner", "")).stale[0]?.text,
      fence("docs/examples/hello.ts#inner", "return Agent\n")
    ))

  it("takes a whole file without its markers", () =>
    assert.notInclude(page(fence("docs/examples/hello.ts", "")).stale[0]?.text, "region"))

  it("leaves a page alone that says what the code says", () =>
    assert.deepStrictEqual(page(fence("docs/examples/hello.ts#inner", "return Agent\n")).stale, []))

  it("keeps the indentation of a fence in a list", () => {
    const text = "- item\n\n  ```ts docs/examples/hello.ts#inner\n  ```\n"
    assert.include(page(text).stale[0]?.text, "\n  return Agent\n  ```\n")
  })

  it("refuses a fence without a source, and one whose source is gone", () => {
    const problem = (reference: string) => page(fence(reference, "")).findings
    assert.deepStrictEqual(problem(""), [
      "docs/page.md:3: the fence names no file of docs/examples and no *.examples.ts"
    ])
    assert.deepStrictEqual(problem("docs/examples/gone.ts"), [
      "docs/page.md:3: the fence names docs/examples/gone.ts, which does not exist"
    ])
    assert.deepStrictEqual(problem("docs/examples/hello.ts#gone"), [
      "docs/page.md:3: the fence names region gone, which docs/examples/hello.ts does not have"
    ])
  })

  it("lets fences of other languages be", () => assert.strictEqual(page("```sh\nnpm start\n```\n").fences, 0))

  it("writes what a program says between its marks, and refuses a block nobody generates", () => {
    const text = "<!-- generated numbers -->\nold\n<!-- end -->\n"
    const generated = sync([{ path: "docs/page.md", text }], [], new Map([["numbers", ["", "1 of 2", ""]]]))
    assert.strictEqual(generated.stale[0]?.text, "<!-- generated numbers -->\n\n1 of 2\n\n<!-- end -->\n")
    assert.deepStrictEqual(page(text).findings, ["docs/page.md:1: the block names numbers, which nothing generates"])
  })
})
