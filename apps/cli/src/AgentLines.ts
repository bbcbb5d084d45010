/**
 * The agents of a service: who watches them, how busy each is, what each promises.
 *
 * ```text
 * supervisor  one_for_one, gives up after more than 5 restarts in 30.0s
 * ├─ ● migrate  workflow  1 of 10 running
 * └─ ● review  agent  16 of 16 running, 84 of 1000 queued  restarted 2 times: connection reset
 * ```
 */
import type { Agents, AgentStatus } from "@coppice/api/AgentsApi"
import { empty, type Line, line, muted, type Role, spaced, type Span, span, strong } from "./Line.ts"
import { wrap } from "./Text.ts"
import { age, duration } from "./Times.ts"

type State = AgentStatus["state"]

const roles: Readonly<Record<State, Role>> = {
  running: "good",
  restarting: "wait",
  stopped: "muted",
  abandoned: "bad"
}

const signs: Readonly<Record<State, string>> = { running: "●", restarting: "◌", stopped: "○", abandoned: "✖" }

const loadOf = ({ active, contract, resident, waiting }: AgentStatus): Span => {
  const asleep = resident - active - waiting
  const said = [
    active > 0 ? `${active} of ${contract.concurrency} running` : "",
    waiting > 0 ? `${waiting} of ${contract.queue} queued` : "",
    asleep > 0 ? `${asleep} waiting` : ""
  ].filter((part) => part !== "")
  return muted(said.length === 0 ? "idle" : said.join(", "))
}

const times = (count: number, once: string, often: string): string => count === 1 ? once : `${count} ${often}`

const because = (said: string, reason: string | null): string => reason === null ? said : `${said}: ${reason}`

const stateOf = ({ since, state }: AgentStatus, now: number): Span | undefined => {
  if (state === "running") return undefined
  const waited = age(now - since)
  return span(waited === "now" ? state : `${state} for ${waited}`, roles[state])
}

const agentLine = (agent: AgentStatus, now: number): Line => [
  span(signs[agent.state], roles[agent.state]),
  span(" "),
  ...spaced(
    strong(agent.contract.name),
    muted(agent.contract.kind),
    agent.restart === "permanent" ? undefined : muted(agent.restart),
    stateOf(agent, now),
    loadOf(agent),
    agent.restarts === 0
      ? undefined
      : span(because(times(agent.restarts, "restarted once", "restarts"), agent.reason), "wait"),
    agent.defects === 0
      ? undefined
      : span(because(times(agent.defects, "1 attempt lost", "attempts lost"), agent.lastDefect), "wait")
  )
]

const promise = ({ contract }: AgentStatus, width: number): ReadonlyArray<Line> => {
  const lines = contract.description === "" ? [] : wrap(contract.description.replace(/\s+/g, " "), width - 4)
  return [
    [span("  "), ...spaced(strong(contract.name), muted(`version ${contract.version}`))],
    ...lines.map((text) => line(`    ${text}`))
  ]
}

/** The supervision tree, then what each agent does. */
export const agentLines = ({ agents, supervision }: Agents, now: number, width: number): ReadonlyArray<Line> => {
  if (agents.length === 0) {
    return [line(muted("This service has no agents. Name them in coppice.config.ts and start it again."))]
  }
  const { intensity, period, strategy } = supervision
  const rule = `gives up after more than ${times(intensity, "1 restart", "restarts")} in ${duration(period)}`
  return [
    spaced(strong("supervisor"), muted(`${strategy}, ${rule}`)),
    ...agents.map((agent, index) => [muted(index === agents.length - 1 ? "└─ " : "├─ "), ...agentLine(agent, now)]),
    empty,
    ...agents.flatMap((agent) => promise(agent, width)),
    empty,
    line(muted("Start one: coppice run <name> --input '{…}'"))
  ]
}
