/**
 * The agents of the service: what they promise, how busy they are, and who watches whom.
 */
import { Contract } from "@coppice/task/Contract"
import { TaskId } from "@coppice/task/Task"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Authorization } from "./Authorization.ts"

const State = Schema.Literals(["running", "restarting", "stopped", "abandoned"])
const Restart = Schema.Literals(["permanent", "transient", "temporary"])

/** One agent: its contract, its server's life and its load now. */
export const AgentStatus = Schema.Struct({
  contract: Contract,
  /** Of its server. `restarting` and `stopped` take no work; `abandoned` did not stop in time. */
  state: State,
  /** The group it belongs to. */
  group: Schema.NullOr(Schema.String),
  restart: Restart,
  /** How long it may take to stop, milliseconds. */
  shutdown: Schema.Finite,
  /** Defects of its tasks within `period` milliseconds that it survives; `null`: any number. */
  intensity: Schema.NullOr(Schema.Int),
  period: Schema.Finite,
  /** When it came into this state. */
  since: Schema.Finite,
  /** When it will be started again, while it waits for that. */
  until: Schema.NullOr(Schema.Finite),
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
  lastDefect: Schema.NullOr(Schema.String),
  /** When one of its tasks last kept the event loop busy for 200 ms and more, since its server began. */
  lastBlock: Schema.NullOr(Schema.Struct({ task: TaskId, at: Schema.Finite, millis: Schema.Finite }))
})
export type AgentStatus = typeof AgentStatus.Type

/** Who is restarted with whom, and how often before the supervisor gives up. `period` in milliseconds. */
export const Supervision = Schema.Struct({
  strategy: Schema.Literals(["one_for_one", "one_for_all", "rest_for_one"]),
  intensity: Schema.Int,
  period: Schema.Finite
})
export type Supervision = typeof Supervision.Type

/** Agents with a supervisor of their own, which is one child of the one above it. */
export const GroupStatus = Schema.Struct({
  name: Schema.String,
  /** The group it stands in. */
  group: Schema.NullOr(Schema.String),
  supervision: Supervision,
  state: State,
  restart: Restart,
  since: Schema.Finite,
  until: Schema.NullOr(Schema.Finite),
  restarts: Schema.Int,
  reason: Schema.NullOr(Schema.String)
})
export type GroupStatus = typeof GroupStatus.Type

/** A task that is not run again because its process died while it ran, or because its code said so. */
export const Quarantined = Schema.Struct({
  id: TaskId,
  agent: Schema.String,
  since: Schema.Finite,
  message: Schema.NullOr(Schema.String)
})
export type Quarantined = typeof Quarantined.Type

/**
 * A server elsewhere that agents of this service are done on. `open`: it has failed too often and is left alone until
 * `until`; `half_open`: the next call tries it. `openings`: how often in a row it was left alone.
 */
export const ServerStatus = Schema.Struct({
  name: Schema.String,
  agents: Schema.Array(Schema.String),
  breaker: Schema.Literals(["closed", "open", "half_open"]),
  until: Schema.NullOr(Schema.Finite),
  openings: Schema.Int
})
export type ServerStatus = typeof ServerStatus.Type

/**
 * The supervision tree: one supervisor, its groups and agents, in the order they start in. `quarantined`, newest first, is
 * taken from the last 1,000 tasks that failed.
 */
export const Agents = Schema.Struct({
  supervision: Supervision,
  groups: Schema.Array(GroupStatus),
  agents: Schema.Array(AgentStatus),
  servers: Schema.Array(ServerStatus),
  quarantined: Schema.Array(Quarantined)
})
export type Agents = typeof Agents.Type

const list = HttpApiEndpoint.get("list", "/agents", { success: Agents })

/** How many of the tasks by which one agent called another are in which status. `from` is `null` for runs. */
export const Calls = Schema.Struct({
  from: Schema.NullOr(Schema.String),
  to: Schema.String,
  counts: Schema.Record(Schema.String, Schema.Int)
})
export type Calls = typeof Calls.Type

/**
 * Who calls whom, among the newest 10,000 tasks: an edge for each pair of agents, with how many tasks are `working`,
 * `input_required`, `completed`, `failed` and `cancelled`. `server` names the foreign server an agent's work is done on.
 */
export const Topology = Schema.Struct({
  agents: Schema.Array(Schema.Struct({ name: Schema.String, server: Schema.NullOr(Schema.String) })),
  calls: Schema.Array(Calls)
})
export type Topology = typeof Topology.Type

const topology = HttpApiEndpoint.get("topology", "/topology", { success: Topology })

/** The group `agents`. */
export class AgentsApi extends HttpApiGroup.make("agents")
  .add(list, topology)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
