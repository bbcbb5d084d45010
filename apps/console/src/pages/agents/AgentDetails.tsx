/**
 * What an agent promises, and the rules its server lives by.
 */
import type { AgentStatus } from "@coppice/api/AgentsApi"
import { Link } from "wouter"
import { duration } from "../../ui/Durations.ts"
import { Json } from "../../ui/Json.tsx"
import { Ago } from "../../ui/Time.tsx"

const Facts = ({ agent: { contract, defects, intensity, lastBlock, lastDefect, period, restart, shutdown, since } }: {
  readonly agent: AgentStatus
}) => (
  <dl className="facts">
    <dt>Restart</dt>
    <dd>
      {restart}
      {intensity === null ? "" : `, survives ${intensity} defects in ${duration(period)}`}, stops within{" "}
      {duration(shutdown)}
    </dd>
    <dt>In this state since</dt>
    <dd>
      <Ago at={since} />
    </dd>
    {defects === 0 ? null : (
      <>
        <dt>Attempts lost</dt>
        <dd>
          {defects}
          {lastDefect === null ? "" : `, the last one to: ${lastDefect}`}
        </dd>
      </>
    )}
    {lastBlock === null ? null : (
      <>
        <dt>Kept all waiting</dt>
        <dd>
          for {duration(lastBlock.millis)}, <Ago at={lastBlock.at} />, in{" "}
          <Link href={`/runs/${lastBlock.task}`}>{lastBlock.task}</Link>
        </dd>
      </>
    )}
    <dt>Version</dt>
    <dd className="mono">{contract.version}</dd>
    <dt>Attempts</dt>
    <dd>
      {contract.attempts}
      {contract.stall === undefined ? "" : `, each ends after ${duration(contract.stall)} of silence`}
      {contract.takes === undefined ? "" : `; a call takes ${duration(contract.takes)} at least`}
    </dd>
    <dt>For MCP hosts</dt>
    <dd>{contract.listed ? `offered as a tool, task support: ${contract.policy}` : "not offered"}</dd>
  </dl>
)

export const AgentDetails = ({ agent }: { readonly agent: AgentStatus }) => {
  const { error, input, output } = agent.contract
  return (
    <div className="agent-details stack">
      <Facts agent={agent} />
      <div className="agent-schemas">
        <section className="stack">
          <h3>Input</h3>
          <Json value={input} label="input schema" />
        </section>
        <section className="stack">
          <h3>Output</h3>
          <Json value={output} label="output schema" />
        </section>
        {error === null ? null : (
          <section className="stack">
            <h3>Error</h3>
            <Json value={error} label="error schema" />
          </section>
        )}
      </div>
    </div>
  )
}
