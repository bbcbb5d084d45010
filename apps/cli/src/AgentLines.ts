/**
 * The agents of a service: who watches them, how busy each is, what each promises.
 *
 * ```text
 * supervisor  one_for_one, gives up after more than 5 restarts in 30.0s
 * ├─ ● migrate  workflow  1 of 10 running
 * └─ ● search  group  rest_for_one, gives up after more than 2 restarts in 1m
 *    ├─ ● crawl  agent  idle
 *    └─ ◌ rank  agent  restarting, again in 800ms  idle  3 restarts: connection reset
 * ```
 */
import type { Agents, AgentStatus, GroupStatus, Quarantined, Supervision } from "@coppice/api/AgentsApi"
import { empty, type Line, line, muted, plain, type Role, spaced, type Span, span, strong } from "./Line.ts"
import type { Drawing } from "./RunsTable.ts"
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

const stateOf = ({ since, state, until }: AgentStatus | GroupStatus, now: number): Span | undefined => {
  if (state === "running") return undefined
  if (until !== null) return span(`${state}, again in ${duration(Math.max(0, until - now))}`, roles[state])
  const waited = age(now - since)
  return span(waited === "now" ? state : `${state} for ${waited}`, roles[state])
}

const restartsOf = ({ reason, restarts }: AgentStatus | GroupStatus): Span | undefined =>
  restarts === 0 ? undefined : span(because(times(restarts, "restarted once", "restarts"), reason), "wait")

const ruleOf = ({ intensity, period, strategy }: Supervision): Span =>
  muted(`${strategy}, gives up after more than ${times(intensity, "1 restart", "restarts")} in ${duration(period)}`)

const agentLine = (agent: AgentStatus, now: number): Line => [
  span(signs[agent.state], roles[agent.state]),
  span(" "),
  ...spaced(
    strong(agent.contract.name),
    muted(agent.contract.kind),
    agent.restart === "permanent" ? undefined : muted(agent.restart),
    stateOf(agent, now),
    loadOf(agent),
    restartsOf(agent),
    agent.defects === 0
      ? undefined
      : span(because(times(agent.defects, "1 attempt lost", "attempts lost"), agent.lastDefect), "wait")
  )
]

const groupLine = (group: GroupStatus, now: number): Line => [
  span(signs[group.state], roles[group.state]),
  span(" "),
  ...spaced(
    strong(group.name),
    muted("group"),
    group.restart === "permanent" ? undefined : muted(group.restart),
    stateOf(group, now),
    ruleOf(group.supervision),
    restartsOf(group)
  )
]

interface Shown {
  readonly line: Line
  readonly below: ReadonlyArray<Shown>
}

/** What stands in a group, or at the top: where its first agent stands, so in the order it starts in. */
const shownIn = (tree: Agents, group: string | null, now: number): ReadonlyArray<Shown> => {
  const groups = new Map(tree.groups.map((one) => [one.name, one]))
  const topOf = (name: string | null): string | null => {
    const above = name === null ? undefined : groups.get(name)?.group
    return above === undefined || above === group ? name : topOf(above)
  }
  const seen = new Set<string>()
  return tree.agents.flatMap((agent) => {
    if (agent.group === group) return [{ line: agentLine(agent, now), below: [] }]
    const below = groups.get(topOf(agent.group) ?? "")
    if (below === undefined || below.group !== group || seen.has(below.name)) return []
    seen.add(below.name)
    return [{ line: groupLine(below, now), below: shownIn(tree, below.name, now) }]
  })
}

const branches = (shown: ReadonlyArray<Shown>, indent = ""): ReadonlyArray<Line> =>
  shown.flatMap(({ below, line }, index) => {
    const isLast = index === shown.length - 1
    return [
      [muted(`${indent}${isLast ? "└─ " : "├─ "}`), ...line],
      ...branches(below, `${indent}${isLast ? "   " : "│  "}`)
    ]
  })

const asideOf = ({ agent, id, message }: Quarantined): ReadonlyArray<Span> => [
  span(id, "bad"),
  span(agent),
  muted(message ?? "")
]

const setAside = ({ quarantined }: Agents, now: number): ReadonlyArray<Line> =>
  quarantined.length === 0 ? [] : [
    empty,
    line(strong("quarantined")),
    ...quarantined.slice(0, 10).map(({ agent, id, message, since }) => [
      span("  "),
      ...spaced(span(id, "bad"), span(agent), muted(age(now - since)), muted(message ?? ""))
    ]),
    ...quarantined.length > 10 ? [line(muted(`  and ${quarantined.length - 10} more; --json has them`))] : []
  ]

const promise = ({ contract }: AgentStatus, width: number): ReadonlyArray<Line> => {
  const lines = contract.description === "" ? [] : wrap(contract.description.replace(/\s+/g, " "), width - 4)
  return [
    [span("  "), ...spaced(strong(contract.name), muted(`version ${contract.version}`))],
    ...lines.map((text) => line(`    ${text}`))
  ]
}

const none: ReadonlyArray<Line> = [
  line(muted("This service has no agents. Name them in coppice.config.ts and start it again."))
]

const supervisionLines = (tree: Agents, now: number): ReadonlyArray<Line> => [
  spaced(strong("supervisor"), ruleOf(tree.supervision)),
  ...branches(shownIn(tree, null, now)),
  ...setAside(tree, now)
]

/** The supervision tree on a board that fits a screen. */
export const agentBoard = (tree: Agents, { isOffline, now }: Drawing, rows: number): ReadonlyArray<Line> => {
  const busy = tree.agents.reduce((sum, { active }) => sum + active, 0)
  const head = spaced(
    strong("Coppice"),
    span(`${busy} running`, busy > 0 ? "busy" : "muted"),
    isOffline === true ? span("the service does not answer", "bad") : undefined,
    muted("q leave")
  )
  const lines = tree.agents.length === 0 ? none : supervisionLines(tree, now)
  const most = Math.max(3, rows - 4)
  const more = lines.length > most ? [line(muted(`… ${lines.length - most} more`))] : []
  return [head, empty, ...lines.slice(0, most), ...more]
}

const allOf = (tree: Agents | undefined, now: number): ReadonlyArray<Line> =>
  tree === undefined ? [] : [
    ...tree.groups.map((group) => groupLine(group, now)),
    ...tree.agents.map((agent) => agentLine(agent, now)),
    ...tree.quarantined.map((task) => spaced(span("✖ quarantined", "bad"), ...asideOf(task)))
  ]

/** What is not as it was, a line each; time alone changes nothing. Without `before` that is everything. */
export const changedLines = (before: Agents | undefined, after: Agents, now: number): ReadonlyArray<Line> => {
  const known = new Set(allOf(before, 0).map(plain))
  const told = allOf(after, 0).map(plain)
  return allOf(after, now).filter((_, index) => !known.has(told[index]!))
}

/** The supervision tree, then what each agent does. */
export const agentLines = (tree: Agents, now: number, width: number): ReadonlyArray<Line> => {
  const { agents } = tree
  if (agents.length === 0) return none
  return [
    ...supervisionLines(tree, now),
    empty,
    ...agents.flatMap((agent) => promise(agent, width)),
    empty,
    line(muted("Start one: coppice run <name> --input '{…}'"))
  ]
}
