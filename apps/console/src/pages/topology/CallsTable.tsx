import { Link } from "wouter"
import { Icon } from "../../ui/Icon.tsx"
import { labelOf, lookOf } from "../../ui/Status.tsx"
import { statuses } from "./Counts.ts"
import { type Graph, outside } from "./Graph.ts"

/** The same as the picture, for whoever prefers numbers, or hears the page. */
export const CallsTable = ({ graph: { edges, nodes } }: { readonly graph: Graph }) => {
  const servers = new Map(nodes.map(({ id, server }) => [id, server]))
  return (
    <div className="calls card">
      <table>
        <caption>Calls among the newest 10,000 tasks</caption>
        <thead>
          <tr>
            <th scope="col">Caller</th>
            <th scope="col">Agent</th>
            {statuses.map((status) => <th key={status} scope="col">{labelOf(status)}</th>)}
          </tr>
        </thead>
        <tbody>
          {edges.map(({ counts, from, to }) => (
            <tr key={`${from}>${to}`}>
              <td>{from === outside ? <span className="muted">a run</span> : from}</td>
              <th scope="row">
                <Link href={`/agents/${encodeURIComponent(to)}`}>{to}</Link>
                {servers.get(to) == null ? null : <span className="muted">{` on ${servers.get(to)}`}</span>}
              </th>
              {statuses.map((status) => {
                const count = counts[status] ?? 0
                const { icon, tone } = lookOf({ status })
                return (
                  <td key={status} className="num">
                    {count === 0 ? <span className="faint">0</span> : (
                      <span className={`calls-count tone-text-${tone}`}>
                        <Icon name={icon} size={13} /> {count.toLocaleString()}
                      </span>
                    )}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
