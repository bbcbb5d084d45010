import type { AgentStatus, GroupStatus, Quarantined } from "@coppice/api/AgentsApi"
import { assert, describe, it } from "@effect/vitest"
import { agentBoard, agentLines, changedLines } from "../src/AgentLines.ts"
import { noon, texts } from "./support/fixtures.ts"

const agent = (name: string, parts: Partial<AgentStatus> = {}): AgentStatus =>
  ({
    contract: { name, description: `What ${name} does`, version: "v1", kind: "agent", concurrency: 16, queue: 1_000 },
    state: "running",
    group: null,
    restart: "permanent",
    until: null,
    since: noon - 60_000,
    active: 0,
    waiting: 0,
    resident: 0,
    restarts: 0,
    reason: null,
    defects: 0,
    lastDefect: null,
    lastBlock: null,
    ...parts
  }) as AgentStatus

const none = { groups: [], servers: [], quarantined: [] }
const supervision = { strategy: "one_for_one", intensity: 5, period: 30_000 } as const

describe("agentLines", () => {
  it("shows who is watched, how busy, how often restarted", () =>
    assert.deepStrictEqual(
      texts(agentLines(
        {
          ...none,
          supervision,
          agents: [
            agent("idle"),
            agent("busy", { active: 16, waiting: 84, resident: 103, restarts: 2, reason: "connection reset" }),
            agent("down", { state: "restarting", restart: "transient", defects: 1, lastDefect: "boom" })
          ]
        },
        noon,
        80
      )).slice(0, 4),
      [
        "supervisor  one_for_one, gives up after more than 5 restarts in 30.0s",
        "├─ ● idle  agent  idle",
        "├─ ● busy  agent  16 of 16 running, 84 of 1000 queued, 3 waiting  2 restarts: connection reset",
        "└─ ◌ down  agent  transient  restarting for 1m  idle  1 attempt lost: boom"
      ]
    ))

  it("shows groups with what is in them, and until when a restart waits", () => {
    const group = (name: string, above: string | null): GroupStatus => ({
      name,
      group: above,
      supervision: { strategy: "rest_for_one", intensity: 2, period: 60_000 },
      state: "running",
      restart: "permanent",
      since: noon,
      until: null,
      restarts: 1,
      reason: "\"rank\" was restarted more than 2 times"
    })
    const agents = [
      agent("first"),
      agent("crawl", { group: "deep" }),
      agent("rank", { group: "search", state: "restarting", until: noon + 800 }),
      agent("last")
    ]
    const groups = [group("search", null), group("deep", "search")]
    const rule = "rest_for_one, gives up after more than 2 restarts in 1m 00s"
    const why = "restarted once: \"rank\" was restarted more than 2 times"
    assert.deepStrictEqual(texts(agentLines({ ...none, supervision, groups, agents }, noon, 100)).slice(1, 7), [
      "├─ ● first  agent  idle",
      `├─ ● search  group  ${rule}  ${why}`,
      `│  ├─ ● deep  group  ${rule}  ${why}`,
      "│  │  └─ ● crawl  agent  idle",
      "│  └─ ◌ rank  agent  restarting, again in 800ms  idle",
      "└─ ● last  agent  idle"
    ])
  })

  it("names the tasks that were set aside", () => {
    const id = "0".repeat(20) as Quarantined["id"]
    const quarantined = [{ id, agent: "work", since: noon - 60_000, message: "The process died 3 times" }]
    const lines = texts(agentLines({ ...none, supervision, agents: [agent("work")], quarantined }, noon, 100))
    assert.include(lines, `  ${id}  work  1m  The process died 3 times`)
  })

  it("tells what has changed, and not what only time changes", () => {
    const resting = agent("rank", { state: "restarting", until: noon + 800 })
    const before = { ...none, supervision, agents: [agent("work"), resting] }
    assert.deepStrictEqual(texts(changedLines(undefined, before, noon)), [
      "● work  agent  idle",
      "◌ rank  agent  restarting, again in 800ms  idle"
    ])
    assert.deepStrictEqual(changedLines(before, before, noon + 500), [])
    const after = { ...before, agents: [agent("work", { active: 1, resident: 1 }), resting] }
    assert.deepStrictEqual(texts(changedLines(before, after, noon + 500)), ["● work  agent  1 of 16 running"])
    const id = "0".repeat(20) as Quarantined["id"]
    const quarantined = [{ id, agent: "work", since: noon, message: "The process died 3 times" }]
    assert.deepStrictEqual(texts(changedLines(after, { ...after, quarantined }, noon + 500)), [
      `✖ quarantined  ${id}  work  The process died 3 times`
    ])
  })

  it("fits a screen as a board", () => {
    const agents = Array.from({ length: 9 }, (_, index) => agent(`a${index}`, { active: 1 }))
    const lines = texts(agentBoard({ ...none, supervision, agents }, { now: noon, width: 80, isOffline: true }, 10))
    assert.strictEqual(lines[0], "Coppice  9 running  the service does not answer  q leave")
    assert.deepStrictEqual([lines.length, lines.at(-1)], [9, "… 4 more"])
  })

  it("says what each one does", () =>
    assert.include(
      texts(agentLines({ ...none, supervision, agents: [agent("review")] }, noon, 80)),
      "    What review does"
    ))

  it("says what to do when there is none", () =>
    assert.match(texts(agentLines({ ...none, supervision, agents: [] }, noon, 80))[0]!, /coppice\.config\.ts/))
})
