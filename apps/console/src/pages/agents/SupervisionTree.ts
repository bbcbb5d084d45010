/**
 * The supervision tree as it is shown: groups with what stands in them, in the order they start in.
 */
import type { Agents, AgentStatus, GroupStatus } from "@coppice/api/AgentsApi"

export type Child =
  | { readonly kind: "agent"; readonly agent: AgentStatus }
  | { readonly kind: "group"; readonly group: GroupStatus; readonly children: ReadonlyArray<Child> }

/** What stands in a group, or at the top; a group stands where its first agent does. */
export const childrenOf = (tree: Agents, parent: string | null = null): ReadonlyArray<Child> => {
  const groups = new Map(tree.groups.map((group) => [group.name, group]))
  const directlyBelow = (name: string | null): GroupStatus | undefined => {
    const group = name === null ? undefined : groups.get(name)
    return group === undefined || group.group === parent ? group : directlyBelow(group.group)
  }
  const seen = new Set<string>()
  const children = tree.agents.flatMap((agent): ReadonlyArray<Child> => {
    if (agent.group === parent) return [{ kind: "agent", agent }]
    const group = directlyBelow(agent.group)
    if (group === undefined || seen.has(group.name)) return []
    seen.add(group.name)
    return [{ kind: "group", group, children: childrenOf(tree, group.name) }]
  })
  // a group whose agents are all gone is still supervised
  const empty = tree.groups.filter(({ group, name }) => group === parent && !seen.has(name))
  return [
    ...children,
    ...empty.map((group): Child => ({ kind: "group", group, children: childrenOf(tree, group.name) }))
  ]
}

export interface Totals {
  readonly agents: number
  readonly active: number
  readonly waiting: number
  readonly asleep: number
  /** Servers that take no work now. */
  readonly down: number
}

/** What an agent holds in memory without running code: it waits for a child, a timer or a person. */
export const asleep = ({ active, resident, waiting }: AgentStatus): number => Math.max(0, resident - active - waiting)

export const totalsOf = ({ agents }: Agents): Totals =>
  agents.reduce(
    (sum, agent) => ({
      agents: sum.agents + 1,
      active: sum.active + agent.active,
      waiting: sum.waiting + agent.waiting,
      asleep: sum.asleep + asleep(agent),
      down: sum.down + (agent.state === "running" ? 0 : 1)
    }),
    { agents: 0, active: 0, waiting: 0, asleep: 0, down: 0 }
  )
