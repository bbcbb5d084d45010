import type { AgentStatus } from "@coppice/api/AgentsApi"
import { useId } from "react"
import { Link } from "wouter"
import { Icon } from "../../ui/Icon.tsx"
import { AgentDetails } from "./AgentDetails.tsx"
import { Load } from "./Load.tsx"
import { ServerState, Troubles } from "./ServerState.tsx"

/** One agent; its contract opens below it, at an address of its own. */
export const AgentRow = ({ agent, isOpen }: { readonly agent: AgentStatus; readonly isOpen: boolean }) => {
  const id = useId()
  const { description, kind, name } = agent.contract
  return (
    <li className="agent">
      <div className="agent-row">
        <ServerState server={agent} />
        <div className="agent-words">
          <h3 className="row">
            <span className="clip">{name}</span>
            {kind === "workflow" ? <span className="tag">workflow</span> : null}
            {agent.restart === "permanent" ? null : <span className="tag">{agent.restart}</span>}
          </h3>
          {description === "" ? null : <p className="muted agent-description">{description}</p>}
          <Troubles server={agent} />
          {agent.defects === 0
            ? null
            : (
              <p className="agent-trouble muted">
                {agent.defects === 1 ? "1 attempt lost" : `${agent.defects} attempts lost`}
                {agent.lastDefect === null ? "" : `: ${agent.lastDefect}`}
              </p>
            )}
        </div>
        <Load agent={agent} />
        <Link
          href={isOpen ? "/agents" : `/agents/${encodeURIComponent(name)}`}
          className="button button-quiet button-small"
          role="button"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          replace
        >
          <span className={`chevron ${isOpen ? "chevron-open" : ""}`}>
            <Icon name="right" />
          </span>
          Contract<span className="hidden-visually">of {name}</span>
        </Link>
      </div>
      {isOpen
        ? (
          <div id={id}>
            <AgentDetails agent={agent} />
          </div>
        )
        : null}
    </li>
  )
}
