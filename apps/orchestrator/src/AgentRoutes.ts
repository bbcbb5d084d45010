/**
 * The agents as the supervisor and the executor see them.
 */
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import type { Agents } from "@coppice/api/AgentsApi"
import { Api } from "@coppice/api/Api"
import { Workers } from "@coppice/task/Worker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"

export const layer = HttpApiBuilder.group(
  Api,
  "agents",
  Effect.fn(function*(handlers) {
    const supervisor = yield* AgentSupervisor
    const workers = yield* Workers

    const list = Effect.sync((): Agents => ({
      supervision: {
        strategy: supervisor.options.strategy,
        intensity: supervisor.options.intensity,
        period: Duration.toMillis(supervisor.options.period)
      },
      agents: supervisor.tree().flatMap(({ id, lastDefect, reason, ...node }) => {
        const contract = workers.contract(id)
        return contract === undefined
          ? []
          : [{ ...node, contract, reason: reason ?? null, lastDefect: lastDefect ?? null }]
      })
    }))

    return handlers.handleAll({ list: () => list })
  })
)
