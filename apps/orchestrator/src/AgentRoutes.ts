/**
 * The agents as the supervisor and the executor see them.
 */
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import type { SupervisorOptions } from "@coppice/agent/Supervisor"
import type { Agents, Calls, ServerStatus, Supervision, Topology } from "@coppice/api/AgentsApi"
import { Api } from "@coppice/api/Api"
import { Tasks } from "@coppice/task/Tasks"
import { type Breaker, Workers } from "@coppice/task/Worker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { answered } from "./ApiErrors.ts"

/** Among how many tasks it is counted who calls whom. */
const newest = 10_000

const unbroken = Effect.succeed<Breaker>({ state: "closed", until: null, openings: 0 })

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

    const servers = Effect.gen(function*() {
      const found = new Map<string, ServerStatus>()
      for (const { name } of workers.contracts()) {
        const { breaker = unbroken, server } = workers.find(name) ?? {}
        if (server === undefined) continue
        const known = found.get(server)
        if (known !== undefined) found.set(server, { ...known, agents: [...known.agents, name] })
        else {
          const { openings, state, until } = yield* breaker
          found.set(server, { name: server, agents: [name], breaker: state, until, openings })
        }
      }
      return [...found.values()]
    })

    const list = Effect.zipWith(failures, servers, (failed, servers): Agents => ({
      supervision: toSupervision(supervisor.options),
      groups: groups(),
      agents: agents(),
      servers,
      quarantined: failed.flatMap(({ agent, endedAt, id, reason, statusMessage }) =>
        reason === "quarantined" ? [{ id, agent, since: endedAt ?? 0, message: statusMessage }] : []
      )
    }))

    const topology = Effect.map(tasks.calls(newest), (counts): Topology => {
      const calls = new Map<string, Calls & { readonly counts: Record<string, number> }>()
      for (const { count, from, status, to } of counts) {
        const key = JSON.stringify([from, to])
        const known = calls.get(key) ?? { from, to, counts: {} }
        known.counts[status] = count
        calls.set(key, known)
      }
      // agents that are gone have called, too
      const gone = counts.flatMap(({ from, to }) => from === null ? [to] : [from, to])
      const names = [...new Set([...workers.contracts().map(({ name }) => name), ...gone])]
      const server = (name: string) => workers.find(name)?.server ?? null
      return { agents: names.map((name) => ({ name, server: server(name) })), calls: [...calls.values()] }
    })

    return handlers.handleAll({ list: () => list, topology: () => answered(topology) })
  })
)
