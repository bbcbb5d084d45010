/**
 * How the server of an agent, or the supervisor of a group, is: running, or since when not.
 */
import type { AgentStatus, GroupStatus, Supervision } from "@coppice/api/AgentsApi"
import { duration } from "../../ui/Durations.ts"
import { Icon, type IconName } from "../../ui/Icon.tsx"
import type { Tone } from "../../ui/Status.tsx"
import { useNow } from "../../ui/useNow.ts"

const looks: Readonly<Record<AgentStatus["state"], readonly [Tone, IconName, string]>> = {
  running: ["good", "check", "Running"],
  restarting: ["waiting", "retry", "Restarting"],
  stopped: ["off", "stop", "Stopped"],
  abandoned: ["bad", "bang", "Abandoned"]
}

export const ServerState = ({ server: { state } }: { readonly server: AgentStatus | GroupStatus }) => {
  const [tone, icon, label] = looks[state]
  return (
    <span className={`status tone-${tone}`}>
      <Icon name={icon} /> {label}
    </span>
  )
}

const For = ({ since }: { readonly since: number }) => <span className="num">for {duration(useNow() - since)}</span>

const Until = ({ until }: { readonly until: number }) => {
  const left = until - useNow()
  return <span className="num">{left > 0 ? `again in ${duration(left)}` : "any moment"}</span>
}

/** Restarts and their reason; when it goes on. Nothing for one that has always run. */
export const Troubles = ({ server: { reason, restarts, since, state, until } }: {
  readonly server: AgentStatus | GroupStatus
}) => {
  if (restarts === 0 && state === "running") return null
  return (
    <p className={`agent-trouble ${state === "running" ? "muted" : "agent-down"}`}>
      {state === "running" ? null : until === null
        ? <For since={since} />
        : <Until until={until} />}
      {state === "running" || restarts === 0 ? null : " · "}
      {restarts === 0 ? null : restarts === 1 ? "restarted once" : `restarted ${restarts} times`}
      {reason === null ? null : `: ${reason}`}
    </p>
  )
}

const strategies: Readonly<Record<Supervision["strategy"], string>> = {
  one_for_one: "only the one that failed is restarted",
  one_for_all: "all are restarted together",
  rest_for_one: "the one that failed is restarted, and all that start after it"
}

/** The rule of a supervisor in its own word and in ours. */
export const Rule = ({ supervision: { intensity, period, strategy } }: { readonly supervision: Supervision }) => (
  <span className="muted">
    <code title={strategies[strategy]}>{strategy}</code>, gives up after more than {intensity}{" "}
    {intensity === 1 ? "restart" : "restarts"} in {duration(period)}
  </span>
)
