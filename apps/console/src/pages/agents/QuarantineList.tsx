import type { Agents } from "@coppice/api/AgentsApi"
import { Link } from "wouter"
import { Icon } from "../../ui/Icon.tsx"
import { Ago } from "../../ui/Time.tsx"

/** Tasks that took their process with them, or whose code said that no attempt is worth it. */
export const QuarantineList = ({ tasks }: { readonly tasks: Agents["quarantined"] }) => (
  <section className="card" aria-labelledby="quarantined">
    <div className="card-head supervisor-head">
      <h2 id="quarantined" className="grow">Set aside</h2>
      <span className="muted">not run again by themselves; open one to retry it</span>
    </div>
    <ul className="agents">
      {tasks.map(({ agent, id, message, since }) => (
        <li key={id} className="agent agent-row">
          <span className="status tone-bad">
            <Icon name="bang" /> Quarantined
          </span>
          <div className="agent-words">
            <h3 className="row">
              {agent} <Link href={`/runs/${id}`} className="id">{id}</Link>
            </h3>
            {message === null ? null : <p className="agent-trouble muted">{message}</p>}
          </div>
          <span className="muted">
            <Ago at={since} />
          </span>
        </li>
      ))}
    </ul>
  </section>
)
