import type { Agents, AgentStatus, GroupStatus } from "@coppice/api/AgentsApi"
import { assert, describe, it } from "@effect/vitest"
import { type Child, childrenOf, totalsOf } from "../../../src/pages/agents/SupervisionTree.ts"

const agent = (name: string, group: string | null = null, rest: Partial<AgentStatus> = {}): AgentStatus => ({
  contract: {
    name,
    description: "",
    version: "1",
    kind: "agent",
    input: {},
    output: {},
    error: null,
    policy: "slow",
    content: false,
    listed: true,
    concurrency: 4,
    queue: 10,
    attempts: 3
  },
  state: "running",
  group,
  restart: "permanent",
  shutdown: 5_000,
  intensity: null,
  period: 5_000,
  since: 0,
  until: null,
  active: 0,
  waiting: 0,
  resident: 0,
  restarts: 0,
  reason: null,
  defects: 0,
  lastDefect: null,
  lastBlock: null,
  ...rest
})

const group = (name: string, parent: string | null = null): GroupStatus => ({
  name,
  group: parent,
  supervision: { strategy: "rest_for_one", intensity: 3, period: 60_000 },
  state: "running",
  restart: "permanent",
  since: 0,
  until: null,
  restarts: 0,
  reason: null
})

const tree = (groups: Agents["groups"], agents: Agents["agents"]): Agents => ({
  supervision: { strategy: "one_for_one", intensity: 5, period: 30_000 },
  groups,
  agents,
  servers: [],
  quarantined: []
})

const drawn = (children: ReadonlyArray<Child>): unknown =>
  children.map((child) =>
    child.kind === "agent" ? child.agent.contract.name : [child.group.name, drawn(child.children)]
  )

describe("SupervisionTree", () => {
  it("shows groups where their first agent starts, nested as they are supervised", () =>
    assert.deepStrictEqual(
      drawn(childrenOf(tree(
        [group("search"), group("rank", "search")],
        [agent("a"), agent("b", "rank"), agent("c", "search"), agent("d"), agent("e", "rank")]
      ))),
      ["a", ["search", [["rank", ["b", "e"]], "c"]], "d"]
    ))

  it("keeps a group that has no agent left", () =>
    assert.deepStrictEqual(drawn(childrenOf(tree([group("search")], [agent("a")]))), ["a", ["search", []]]))

  it("adds up how busy all of them are", () =>
    assert.deepStrictEqual(
      totalsOf(tree([], [
        agent("a", null, { active: 2, waiting: 3, resident: 9 }),
        agent("b", null, { resident: 1, state: "restarting" })
      ])),
      { agents: 2, active: 2, waiting: 3, asleep: 5, down: 1 }
    ))
})
