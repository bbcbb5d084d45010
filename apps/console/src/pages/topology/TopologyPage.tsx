/**
 * Who calls whom, as it happens.
 */
import type { Topology } from "@coppice/api/AgentsApi"
import { useQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { get } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"
import { useFresh } from "../../live/useFresh.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { labelOf, lookOf } from "../../ui/Status.tsx"
import { CallsTable } from "./CallsTable.tsx"
import { statuses } from "./Counts.ts"
import { graphOf } from "./Graph.ts"
import { GraphView } from "./GraphView.tsx"

const Legend = () => (
  <ul className="legend" aria-hidden="true">
    {statuses.map((status) => {
      const { icon, tone } = lookOf({ status })
      return (
        <li key={status} className={`tone-text-${tone}`}>
          <Icon name={icon} /> {labelOf(status)}
        </li>
      )
    })}
  </ul>
)

const Shown = ({ topology }: { readonly topology: Topology }) => {
  const graph = useMemo(() => graphOf(topology), [topology])
  if (graph.edges.length === 0) {
    return (
      <Empty icon="fork" title="Nobody has called anybody yet">
        <p>As soon as a run begins, its agents and who calls whom appear here.</p>
      </Empty>
    )
  }
  return (
    <>
      <GraphView graph={graph} />
      {graph.idle.length === 0 ? null : (
        <p className="muted">
          Not called yet: {graph.idle.map(({ id, server }) => server === null ? id : `${id} (on ${server})`).join(", ")}
        </p>
      )}
      <CallsTable graph={graph} />
    </>
  )
}

export const TopologyPage = () => {
  useFresh(keys.topology)
  const { data, error } = useQuery({
    queryKey: keys.topology,
    queryFn: ({ signal }) => get<Topology>("/topology", {}, signal),
    // it is a summary of many tasks: a visit reads it anew
    refetchOnMount: "always"
  })
  return (
    <main className="page">
      <div className="page-inner stack">
        <div className="page-head">
          <h1>Topology</h1>
          <Legend />
        </div>
        {error === null ? null : <ErrorNote error={error} />}
        {data === undefined && error === null ? <Skeleton rows={8} /> : null}
        {data === undefined ? null : <Shown topology={data} />}
      </div>
    </main>
  )
}
