import type { CancelReport } from "@coppice/api/TasksApi"
import { assert, describe, it } from "@effect/vitest"
import { isClean, reportLines } from "../src/ReportLines.ts"
import { texts } from "./support/fixtures.ts"

type Node = CancelReport["nodes"][number]

const node = (
  id: string,
  parent: string | null,
  settlement: Node["settlement"],
  status: Node["status"] = "cancelled"
) => ({ id, parent, agent: `agent-${id}`, status, settlement, took: settlement === null ? null : 12 }) as Node

const count = (nodes: ReadonlyArray<Node>, how: Node["settlement"]) =>
  nodes.filter(({ settlement }) => settlement === how).length

const report = (converged: boolean, ...nodes: ReadonlyArray<Node>): CancelReport => ({
  task: "a",
  converged,
  totals: {
    stopped: count(nodes, "stopped"),
    finished_before: count(nodes, "finished_before"),
    refused: count(nodes, "refused"),
    unreachable: count(nodes, "unreachable"),
    unknown: count(nodes, "unknown"),
    stopping: count(nodes, null)
  },
  nodes
})

describe("reportLines", () => {
  it("tells how every task came to rest", () =>
    assert.deepStrictEqual(
      texts(reportLines(
        report(
          false,
          node("a", "above", "stopped"),
          node("b", "a", "finished_before", "completed"),
          { ...node("c", "a", "unreachable"), server: "far", tries: 3, retryAt: 5_000 },
          node("d", "c", null)
        ),
        1_000
      )),
      [
        "⊘ agent-a  a  stopped  12ms",
        "├─ ✔ agent-b  b  finished before",
        "└─ ⊘ agent-c  c  on far  unreachable  12ms  told 3 times, again in 4.0s",
        "   └─ ◌ agent-d  d  still stopping",
        "",
        "4 tasks: 1 stopped, 1 finished before, 1 unreachable, 1 still stopping"
      ]
    ))

  it("is clean only when nothing can run any more", () => {
    assert.isTrue(isClean(report(true, node("a", null, "stopped"))))
    assert.isFalse(isClean(report(true, node("a", null, "unknown"))))
    assert.isFalse(isClean(report(false, node("a", null, null))))
  })
})
