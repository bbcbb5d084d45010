import type { Outgrown } from "@coppice/api/DevApi"
import { Link } from "wouter"
import { Ago } from "../../ui/Time.tsx"

/** Tasks that wait for a word of a person because the code has changed under them. */
export const OutgrownCard = ({ tasks }: { readonly tasks: ReadonlyArray<Outgrown> }) => (
  <section className="card" aria-labelledby="outgrown">
    <div className="card-head supervisor-head">
      <h2 id="outgrown" className="grow">Tasks that no longer fit</h2>
      <span className="muted">parked until somebody decides</span>
    </div>
    <div className="card-body stack">
      {tasks.map(({ agent, choices, key, message, since, task }) => (
        <article key={`${task} ${key}`} className="stack dev-outgrown">
          <div className="row">
            <strong>{agent}</strong>
            <span className="id clip grow">{task}</span>
            <span className="muted">
              <Ago at={since} />
            </span>
          </div>
          <pre className="dev-excerpt" tabIndex={0}>{message}</pre>
          <div>
            <Link className="button button-primary button-small" href={`/inbox/${task}/${encodeURIComponent(key)}`}>
              Decide: {choices.join(" · ")}
            </Link>
          </div>
        </article>
      ))}
    </div>
  </section>
)
