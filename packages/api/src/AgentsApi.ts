/**
 * The agents of the service: what they promise, how busy they are, and who watches whom.
 */
import { Contract } from "@coppice/task/Contract"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Authorization } from "./Authorization.ts"

/** One agent: its contract, its server's life and its load now. */
export const AgentStatus = Schema.Struct({
  contract: Contract,
  /** Of its server. `restarting` and `stopped` take no work; `abandoned` did not stop in time. */
  state: Schema.Literals(["running", "restarting", "stopped", "abandoned"]),
  restart: Schema.Literals(["permanent", "transient", "temporary"]),
  /** When it came into this state. */
  since: Schema.Finite,
  /** Executions running code now. */
  active: Schema.Int,
  /** Tasks that wait for a place. */
  waiting: Schema.Int,
  /** Executions in memory: running, queued, or waiting for a child, a timer or a person. */
  resident: Schema.Int,
  /** How often its server was restarted, and why the last time. */
  restarts: Schema.Int,
  reason: Schema.NullOr(Schema.String),
  /** Attempts its tasks lost to defects, and the last one in one line. */
  defects: Schema.Int,
  lastDefect: Schema.NullOr(Schema.String)
})
export type AgentStatus = typeof AgentStatus.Type

/** Who is restarted with whom, and how often before the supervisor gives up. `period` in milliseconds. */
export const Supervision = Schema.Struct({
  strategy: Schema.Literals(["one_for_one", "one_for_all", "rest_for_one"]),
  intensity: Schema.Int,
  period: Schema.Finite
})
export type Supervision = typeof Supervision.Type

/** The supervision tree: one supervisor and its agents, in the order they start in. */
export const Agents = Schema.Struct({ supervision: Supervision, agents: Schema.Array(AgentStatus) })
export type Agents = typeof Agents.Type

const list = HttpApiEndpoint.get("list", "/agents", { success: Agents })

/** The group `agents`. */
export class AgentsApi extends HttpApiGroup.make("agents")
  .add(list)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
