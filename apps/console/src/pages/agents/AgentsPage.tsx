/**
 * Who watches whom, how busy everybody is, and what went wrong.
 */
import type { Agents } from "@coppice/api/AgentsApi"
import { useEffect } from "react"
import { useRoute } from "wouter"
import { keys } from "../../api/Keys.ts"
import { useAgents } from "../../api/useService.ts"
import { useLive } from "../../live/Live.tsx"
import { useFresh } from "../../live/useFresh.ts"
import { Empty } from "../../ui/Empty.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { AgentRow } from "./AgentRow.tsx"
import { QuarantineList } from "./QuarantineList.tsx"
import { ServerList } from "./ServerList.tsx"
import { Rule, ServerState, Troubles } from "./ServerState.tsx"
import { type Child, childrenOf, totalsOf } from "./SupervisionTree.ts"

/** A supervisor restarts without a word in the log, so while the page is live it is looked at, too. */
const lookEvery = 3_000

const useLook = () => {
  const { paused, phase } = useLive()
  const { data, error, refetch } = useAgents()
  useFresh(keys.agents)
  const isLooking = !paused && phase === "live"
  useEffect(() => {
    if (!isLooking) return
    const timer = setInterval(() => document.visibilityState === "visible" && void refetch(), lookEvery)
    return () => clearInterval(timer)
  }, [isLooking, refetch])
  return { data, error }
}

const Children = (
  { children, open }: { readonly children: ReadonlyArray<Child>; readonly open: string | undefined }
) => (
  <ul className="agents">
    {children.map((child) =>
      child.kind === "agent"
        ? <AgentRow key={child.agent.contract.name} agent={child.agent} isOpen={child.agent.contract.name === open} />
        : (
          <li key={`group ${child.group.name}`} className="agent-group">
            <div className="agent-row">
              <ServerState server={child.group} />
              <div className="agent-words">
                <h2 className="row">
                  {child.group.name} <span className="tag">group</span>
                </h2>
                <Rule supervision={child.group.supervision} />
                <Troubles server={child.group} />
              </div>
            </div>
            <Children open={open}>{child.children}</Children>
          </li>
        )
    )}
  </ul>
)

const Totals = ({ tree }: { readonly tree: Agents }) => {
  const { active, agents, asleep, down, waiting } = totalsOf(tree)
  return (
    <p className="muted num">
      {agents} {agents === 1 ? "agent" : "agents"} · {active.toLocaleString()} running · {waiting.toLocaleString()}{" "}
      queued · {asleep.toLocaleString()} waiting
      {down === 0 ? null : <strong className="agent-down">{` · ${down} down`}</strong>}
    </p>
  )
}

const Tree = ({ open, tree }: { readonly tree: Agents; readonly open: string | undefined }) => (
  <>
    <section className="card" aria-label="Supervision tree">
      <div className="card-head supervisor-head">
        <h2 className="grow">Supervisor</h2>
        <Rule supervision={tree.supervision} />
      </div>
      <Children open={open}>{childrenOf(tree)}</Children>
    </section>
    {tree.servers.length === 0 ? null : <ServerList servers={tree.servers} />}
    {tree.quarantined.length === 0 ? null : <QuarantineList tasks={tree.quarantined} />}
  </>
)

export const AgentsPage = () => {
  const [, params] = useRoute("/agents/:name")
  const { data, error } = useLook()
  return (
    <main className="page">
      <div className="page-inner stack">
        <div className="page-head">
          <h1>Agents</h1>
          {data === undefined ? null : <Totals tree={data} />}
        </div>
        {error === null ? null : <ErrorNote error={error} />}
        {data === undefined && error === null ? <Skeleton rows={8} /> : null}
        {data === undefined ? null : data.agents.length === 0 && data.servers.length === 0
          ? (
            <Empty icon="tree" title="This service has no agents">
              <p>
                Name them in <code>coppice.config.ts</code> and start it again, or work with <code>coppice dev</code>.
              </p>
            </Empty>
          )
          : <Tree tree={data} open={params?.name} />}
      </div>
    </main>
  )
}
