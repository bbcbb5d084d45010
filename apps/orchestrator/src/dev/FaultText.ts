/**
 * Faults in words, and as a test to copy.
 */
import type { FaultRequest } from "@coppice/api/DevApi"
import type { Fault as Simulated } from "coppice/Simulation"

const lengths = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]] as const

/** Milliseconds in the largest unit that divides them. */
const lengthOf = (millis: number): string => {
  const [unit, size] = lengths.find(([, size]) => millis % size === 0) ?? ["ms", 1]
  const count = millis / size
  return unit === "ms" ? `${count} ms` : `${count} ${unit}${count === 1 ? "" : "s"}`
}

const times = (count: number | undefined): string => count === undefined || count === 1 ? "once" : `${count} times`

/** One line, as it follows "Fault:". */
export const describe = (request: FaultRequest): string => {
  switch (request.kind) {
    case "kill-worker":
      return `the server of "${request.agent}" dies`
    case "kill-process":
      return "the process is killed and started again"
    case "delay":
      return `requests to ${request.target} are ${lengthOf(request.millis)} late`
    case "too-many-requests":
      return `${request.target} answers 429 ${times(request.times)}, Retry-After ${request.retryAfter ?? 1}`
    case "drop-network":
      return `the network to ${request.target} is down for ${lengthOf(request.millis)}`
    case "duplicate":
      return `requests reach ${request.target} twice, ${times(request.times)}`
    case "jump":
      return `the clock goes ahead by ${lengthOf(request.millis)}`
  }
}

/** What the simulator has for it: of the death of one server, the death of all. */
const simulatedOf = (request: FaultRequest): Simulated => {
  const place = { node: "service", to: "service", at: 1_000, nth: 0 }
  switch (request.kind) {
    case "kill-worker":
    case "kill-process":
      return { kind: "crash", ...place, millis: 0 }
    case "delay":
      return { kind: "outside-slow", ...place, at: 0, millis: request.millis }
    case "too-many-requests":
      return { kind: "outside-429", ...place, at: 0, millis: (request.retryAfter ?? 1) * 1_000 }
    case "drop-network":
      return { kind: "partition", ...place, millis: request.millis }
    case "duplicate":
      return { kind: "duplicate", ...place, at: 0, millis: 0 }
    case "jump":
      return { kind: "clock-forward", ...place, millis: request.millis }
  }
}

/** How many of them the simulator is given: those that are counted strike the first, the second, … */
const repeated = (request: FaultRequest): ReadonlyArray<Simulated> => {
  const count = "times" in request ? Math.min(request.times ?? 1, 10) : 1
  return Array.from({ length: count }, (_, nth) => ({ ...simulatedOf(request), nth }))
}

const literal = (fault: Simulated): string =>
  `{ ${Object.entries(fault).map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ")} }`

/** A test that does the same to the same agents, under virtual time. `config`: how the test imports the configuration. */
export const testOf = (request: FaultRequest, config: string, agent: string): string =>
  `import * as Simulation from "coppice/Simulation"
import { it } from "vitest"
import service from ${JSON.stringify(config)}

it(${JSON.stringify(`keeps its promises when ${describe(request)}`)}, () =>
  Simulation.check({
    scenario: () => ({
      nodes: { service },
      // the work to disturb
      jobs: [{ agent: ${JSON.stringify(agent)}, input: null }]
    }),
    seeds: 20,
    only: {
      faults: [
${repeated(request).map((fault) => `        ${literal(fault)}`).join(",\n")}
      ]
    }
  }))
`
