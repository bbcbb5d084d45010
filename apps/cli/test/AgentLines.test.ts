import type { AgentStatus } from "@coppice/api/AgentsApi"
import { assert, describe, it } from "@effect/vitest"
import { agentLines } from "../src/AgentLines.ts"
import { noon, texts } from "./support/fixtures.ts"

const agent = (name: string, parts: Partial<AgentStatus> = {}): AgentStatus =>
  ({
    contract: { name, description: `What ${name} does`, version: "v1", kind: "agent", concurrency: 16, queue: 1_000 },
    state: "running",
    restart: "permanent",
    since: noon - 60_000,
    active: 0,
    waiting: 0,
    resident: 0,
    restarts: 0,
    reason: null,
    defects: 0,
    lastDefect: null,
    ...parts
  }) as AgentStatus

const supervision = { strategy: "one_for_one", intensity: 5, period: 30_000 } as const

describe("agentLines", () => {
  it("shows who is watched, how busy, how often restarted", () =>
    assert.deepStrictEqual(
      texts(agentLines(
        {
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

  it("says what each one does", () =>
    assert.include(texts(agentLines({ supervision, agents: [agent("review")] }, noon, 80)), "    What review does"))

  it("says what to do when there is none", () =>
    assert.match(texts(agentLines({ supervision, agents: [] }, noon, 80))[0]!, /coppice\.config\.ts/))
})
