import type { Agents, ServerStatus } from "@coppice/api/AgentsApi"
import { Icon, type IconName } from "../../ui/Icon.tsx"
import type { Tone } from "../../ui/Status.tsx"
import { Countdown } from "../../ui/Time.tsx"

const looks: Readonly<Record<ServerStatus["breaker"], readonly [Tone, IconName, string]>> = {
  closed: ["good", "check", "Ready"],
  open: ["bad", "bang", "Left alone"],
  half_open: ["waiting", "retry", "Tried again"]
}

const Server = ({ agents, breaker, name, openings, until }: ServerStatus) => {
  const [tone, icon, label] = looks[breaker]
  return (
    <li className="agent agent-row">
      <span className={`status tone-${tone}`} title={`Circuit breaker: ${breaker}`}>
        <Icon name={icon} /> {label}
      </span>
      <div className="agent-words">
        <h3>{name}</h3>
        <p className="muted agent-description">{agents.join(", ")}</p>
        {breaker === "closed" ? null : (
          <p className="agent-trouble agent-down">
            {until === null
              ? "It has failed too often; the next call tries it"
              : (
                <>
                  It has failed too often, and is tried again <Countdown to={until} />
                </>
              )}
            {openings > 1 ? ` · ${openings} times in a row` : ""}
          </p>
        )}
      </div>
    </li>
  )
}

/** Servers elsewhere, and whether calls reach them. */
export const ServerList = ({ servers }: Pick<Agents, "servers">) => (
  <section className="card" aria-labelledby="servers">
    <div className="card-head supervisor-head">
      <h2 id="servers" className="grow">Servers elsewhere</h2>
      <span className="muted">agents that are done by other MCP servers</span>
    </div>
    <ul className="agents">{servers.map((server) => <Server key={server.name} {...server} />)}</ul>
  </section>
)
