import { assert, describe, it } from "@effect/vitest"
import { type Graph, graphOf, outside } from "../../../src/pages/topology/Graph.ts"
import { layersOf } from "../../../src/pages/topology/Layers.ts"
import { layoutOf, type Rect } from "../../../src/pages/topology/Layout.ts"

/** `a>b` for a call; `>a` for a run; agents named `x@s` are on the server `s`. */
const graph = (...calls: ReadonlyArray<string>): Graph => {
  const pairs = calls.map((call) => call.split(">") as [string, string])
  const names = [...new Set(pairs.flat())].filter((name) => name !== "")
  return graphOf({
    agents: names.map((name) => ({ name, server: name.split("@")[1] ?? null })),
    calls: pairs.map(([from, to]) => ({ from: from === "" ? null : from, to, counts: { completed: 1 } }))
  })
}

const drawn = (of: Graph) => layersOf(of).map((column) => column.map(({ id }) => id))

const overlap = (a: Rect, b: Rect) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

describe("layersOf", () => {
  it("puts callers left of those they call, by the longest way", () =>
    assert.deepStrictEqual(drawn(graph(">a", "a>b", "b>c", "a>c")), [[outside], ["a"], ["b"], ["c"]]))

  it("ends where agents call each other or themselves", () =>
    assert.deepStrictEqual(drawn(graph(">a", "a>b", "b>a", "b>b")), [[outside], ["a"], ["b"]]))

  it("keeps the agents of a server together, in one column", () => {
    const columns = drawn(graph(">a", "a>x@s", "a>b", "b>y@s", "b>c", "a>z@s"))
    assert.deepStrictEqual(columns.slice(0, 3), [[outside], ["a"], ["b"]])
    const column = columns[3]!.map((id) => id.includes("@"))
    assert.include([[true, true, true, false], [false, true, true, true]].map(String), String(column))
  })

  it("lets arrows cross as little as it can", () =>
    assert.deepStrictEqual(drawn(graph(">a", ">b", "a>d", "b>c")).slice(1), [["a", "b"], ["d", "c"]]))
})

describe("layoutOf", () => {
  it("lets nothing lie over anything else, and draws inside its frame", () => {
    const calls = Array.from({ length: 12 }, (_, n) => [`a${n % 4}>b${n}`, `b${n}>c${n % 3}@s${n % 2}`]).flat()
    const { edges, height, nodes, servers, width } = layoutOf(graph(">a0", ">a1", ">a2", ">a3", ...calls))
    for (const [at, one] of nodes.entries()) {
      assert.isTrue(one.x >= 0 && one.y >= 0 && one.x + one.width <= width && one.y + one.height <= height)
      for (const other of nodes.slice(at + 1)) assert.isFalse(overlap(one, other), `${one.node.id} ${other.node.id}`)
    }
    assert.strictEqual(servers.length, 2)
    assert.isFalse(overlap(servers[0]!, servers[1]!))
    for (const { node, ...rect } of nodes) {
      const box = servers.find(({ name }) => name === node.server)
      if (box !== undefined) assert.isTrue(overlap(box, rect))
    }
    assert.isTrue(edges.every(({ path }) => !path.includes("NaN")))
  })

  it("puts a label on no agent and on no other label, however many columns its arrow crosses", () => {
    const { edges, nodes } = layoutOf(graph(">a", "a>b", ">b", "a>c", ">c", "b>c", "b>d", ">d", "a>d"))
    const labels = edges.map(({ label: { width, x, y } }) => ({ x: x - width / 2, y: y - 12, width, height: 24 }))
    for (const [at, label] of labels.entries()) {
      for (const node of nodes) assert.isFalse(overlap(label, node), `${node.node.id} ${JSON.stringify(label)}`)
      for (const other of labels.slice(at + 1)) assert.isFalse(overlap(label, other))
    }
  })

  it("draws nothing for nothing", () => assert.deepStrictEqual(layoutOf({ nodes: [], edges: [], idle: [] }).nodes, []))
})

describe("graphOf", () => {
  it("adds up what an agent was called for, and lists who was never called", () => {
    const { idle, nodes } = graphOf({
      agents: [{ name: "a", server: null }, { name: "b", server: "crm" }],
      calls: [{ from: null, to: "a", counts: { working: 1 } }, {
        from: "a",
        to: "a",
        counts: { working: 2, failed: 1 }
      }]
    })
    assert.deepStrictEqual(idle, [{ id: "b", server: "crm" }])
    const { counts } = nodes.find(({ id }) => id === "a")!
    assert.deepStrictEqual([counts["working"], counts["failed"]], [3, 1])
  })
})
