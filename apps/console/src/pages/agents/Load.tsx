import type { AgentStatus } from "@coppice/api/AgentsApi"
import { asleep } from "./SupervisionTree.ts"

const Meter = ({ label, max, value }: { readonly label: string; readonly value: number; readonly max: number }) => (
  <span className="load-part">
    <span className="num">
      <strong>{value.toLocaleString()}</strong>
      <span className="faint">/{max.toLocaleString()}</span>
    </span>{" "}
    <span className="muted">{label}</span>
    <meter
      className={value >= max ? "load-full" : undefined}
      min={0}
      max={max}
      value={Math.min(value, max)}
      aria-hidden="true"
    />
  </span>
)

/** How busy an agent is: running of its places, waiting of its queue, and what waits for somebody else. */
export const Load = ({ agent }: { readonly agent: AgentStatus }) => (
  <span className="load">
    <Meter label="running" value={agent.active} max={agent.contract.concurrency} />
    <Meter label="queued" value={agent.waiting} max={agent.contract.queue} />
    <span className="load-part">
      <strong className="num">{asleep(agent).toLocaleString()}</strong> <span className="muted">waiting</span>
    </span>
  </span>
)
