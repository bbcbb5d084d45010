/**
 * A random assembly: one to four orchestrators that call each other over MCP, a foreign server, a bank, a model, clients and a person.
 */
import { Orchestrator } from "coppice"
import type { Job, Scenario, Stage } from "coppice/Simulation"
import type { Dice } from "./Dice.ts"
import * as Interpreter from "./Interpreter.ts"
import { jobOf } from "./Jobs.ts"
import { generate, type Reach, tools, whole } from "./Program.ts"
import { sagas } from "./Sagas.ts"

const names = ["a", "b", "c", "d"]

/** Who knows whom, and as what. */
interface Link {
  readonly to: string
  readonly isCoppice: boolean
}

const linksOf = (dice: Dice, nodes: ReadonlyArray<string>, from: string): ReadonlyArray<Link> =>
  nodes.filter((to) => to !== from).map((to) => ({ to, isCoppice: dice.chance(0.7) }))

const serving = (dice: Dice): Interpreter.Serving => ({
  concurrency: dice.pick([1, 2, 1_000]),
  intensity: dice.pick([undefined, undefined, 0, 1])
})

/** Now and then somebody has something to say. */
const steering = (dice: Dice): Pick<Job, "steers"> =>
  dice.chance(0.75) ? {} : {
    steers: {
      after: Math.round(10 ** (dice.next() * 4)),
      whom: dice.pick(["root", "any"]),
      ...dice.chance(0.6) ? { message: `word ${dice.below(100)}` } : { priority: dice.below(10) },
      ...dice.chance(0.2) ? { deadline: Math.round(10 ** (1 + dice.next() * 4)) } : {},
      ...dice.chance(0.1) ? { tokens: dice.below(60) } : {},
      subtree: dice.chance(0.4)
    }
  }

const jobs = (dice: Dice, reach: Reach): ReadonlyArray<Job> =>
  Array.from({ length: 1 + dice.below(3) }, () => {
    const program = whole(dice, generate(dice, 2 + dice.below(3), reach))
    const cancels = dice.chance(0.35)
      ? { cancelAfter: Math.round(10 ** (dice.next() * 4)), cancels: dice.pick(["root", "any"] as const) }
      : {}
    const at = Math.round(10 ** (dice.next() * 3.5))
    const again = dice.chance(0.15) ? { again: dice.pick(["retry", "fresh", "fork"] as const) } : {}
    return jobOf(program, { node: dice.pick(reach.nodes), at, ...cancels, ...steering(dice), ...again })
  })

/** A second principal has work of its own, and pries into that of the first. */
const stranger = (dice: Dice, reach: Reach): Pick<Scenario, "jobs" | "prying"> => ({
  prying: 4,
  jobs: [jobOf(generate(dice, 2, reach), { node: dice.pick(reach.nodes), at: dice.below(500), principal: "stranger" })]
})

/** The random assembly of a seed. */
export const topology = (stage: Stage): Scenario => {
  const { chance: dice } = stage
  const bank = stage.service("bank", { honoursKeys: dice.chance(0.5) })
  const model = stage.service("model", { takes: [50, 3_000] })
  const nodes = names.slice(0, dice.chance(0.5) ? 1 : 2 + dice.below(3))
  const reach = { nodes, isAbroad: dice.chance(0.3) }
  const foreign = new Map(reach.isAbroad ? tools.map((tool) => [tool, Interpreter.foreign(tool)] as const) : [])
  const orchestrators = nodes.map((name) => {
    const links = linksOf(dice, nodes, name)
    const remotes = new Map(links.map(({ to }) => [to, Interpreter.remote(to)]))
    const orchestrator = Orchestrator.make({
      agents: [Interpreter.live(serving(dice), { bank, model, remotes, foreign })],
      servers: {
        ...Object.fromEntries(
          links.map(({ isCoppice, to }) => [to, { url: `http://${to}/mcp`, agents: [remotes.get(to)!], isCoppice }])
        ),
        ...reach.isAbroad ? { abroad: { url: "http://abroad/mcp", agents: [...foreign.values()] } } : {}
      },
      supervision: { strategy: "one_for_one", intensity: 1_000, period: "30 seconds" },
      ...dice.chance(0.3) ? { budget: { calls: dice.below(8), tokens: dice.below(60) } } : {},
      ...dice.chance(0.5) ? { mcp: { operateTools: true } } : {},
      executor: {
        idleAfter: dice.pick(["100 millis", "10 seconds"]),
        shutdown: dice.pick(["200 millis", "5 seconds", "5 seconds"])
      }
    })
    return [name, orchestrator] as const
  })
  const second = dice.chance(0.25) ? stranger(dice, reach) : { jobs: [] }
  return {
    ...second,
    invariants: [sagas],
    nodes: Object.fromEntries(orchestrators),
    ...reach.isAbroad ? { foreign: { abroad: Interpreter.foreignServer(dice) } } : {},
    legacy: nodes.filter(() => dice.chance(0.4)),
    jobs: [...jobs(dice, reach), ...second.jobs]
  }
}
