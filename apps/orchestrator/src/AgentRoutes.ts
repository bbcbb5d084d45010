/**
 * The agents as the supervisor and the executor see them.
 */
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import type { SupervisorOptions } from "@coppice/agent/Supervisor"
import type { Agents, Supervision } from "@coppice/api/AgentsApi"
import { Api } from "@coppice/api/Api"
import { Tasks } from "@coppice/task/Tasks"
import { Workers } from "@coppice/task/Worker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"

const toSupervision = ({ intensity, period, strategy }: SupervisorOptions): Supervision => ({
  strategy,
  intensity,
  period: Duration.toMillis(period)
})

export const layer = HttpApiBuilder.group(
  Api,
  "agents",
  Effect.fn(function*(handlers) {
    const supervisor = yield* AgentSupervisor
    const workers = yield* Workers

    const tasks = yield* Tasks

    const agents = (): Agents["agents"] =>
      supervisor.tree().flatMap(({ group, id, intensity, lastBlock, lastDefect, reason, until, ...node }) => {
        const contract = workers.contract(id)
        if (contract === undefined) return []
        const known = { group: group ?? null, intensity: intensity ?? null, until: until ?? null }
        const last = { reason: reason ?? null, lastDefect: lastDefect ?? null, lastBlock: lastBlock ?? null }
        return [{ ...node, ...known, ...last, contract }]
      })

    const groups = (): Agents["groups"] =>
      supervisor.groups().map(({ group, id, options, reason, until, ...node }) => ({
        ...node,
        name: id,
        group: group ?? null,
        supervision: toSupervision(options),
        reason: reason ?? null,
        until: until ?? null
      }))

    // the tree is shown whatever the store does
    const failures = Effect.orElseSucceed(tasks.list({ status: ["failed"], limit: 1_000 }), () => [])

    const list = Effect.map(failures, (failed): Agents => ({
      supervision: toSupervision(supervisor.options),
      groups: groups(),
      agents: agents(),
      quarantined: failed.flatMap(({ agent, endedAt, id, reason, statusMessage }) =>
        reason === "quarantined" ? [{ id, agent, since: endedAt ?? 0, message: statusMessage }] : []
      )
    }))

    return handlers.handleAll({ list: () => list })
  })
)
