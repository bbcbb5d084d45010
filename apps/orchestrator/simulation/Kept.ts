/**
 * What the simulator once found in the product, each as the smallest case that showed it. They are run before all seeds.
 */
import { Orchestrator } from "coppice"
import type { ForeignServer, Options, Stage } from "coppice/Simulation"
import * as Interpreter from "./Interpreter.ts"
import { jobOf } from "./Jobs.ts"
import { type Program, tools } from "./Program.ts"

interface Kept extends Required<Pick<Options, "scenario" | "seed" | "only">> {
  readonly what: string
}

/** Node `a`, which knows `b`. */
const pair = (isCoppice: boolean) => (stage: Stage) => {
  const outside = { bank: stage.service("bank"), model: stage.service("model") }
  const serving = { concurrency: 1_000, intensity: undefined }
  const b = Interpreter.remote("b")
  return {
    nodes: {
      a: Orchestrator.make({
        agents: [Interpreter.live(serving, { ...outside, remotes: new Map([["b", b]]) })],
        servers: { b: { url: "http://b/mcp", agents: [b], isCoppice } }
      }),
      b: Orchestrator.make({ agents: [Interpreter.live(serving, { ...outside, remotes: new Map() })] })
    },
    jobs: []
  }
}

/** One node whose agent runs so many tasks at a time; each may use so many tokens. */
const single = (concurrency: number, tokens?: number) => (stage: Stage) => {
  const bank = stage.service("bank")
  const model = stage.service("model", { takes: [50, 3_000] })
  const agents = [Interpreter.live({ concurrency, intensity: undefined }, { bank, model, remotes: new Map() })]
  const budget = tokens === undefined ? {} : { budget: { tokens } }
  return { nodes: { a: Orchestrator.make({ agents, ...budget }) }, jobs: [] }
}

/** One node whose runs leave memory soon, and whose agent starts anew with every defect. */
const forgetful = (stage: Stage) => {
  const bank = stage.service("bank")
  const model = stage.service("model", { takes: [50, 3_000] })
  const agents = [Interpreter.live({ concurrency: 1, intensity: 0 }, { bank, model, remotes: new Map() })]
  const supervision = { strategy: "one_for_one", intensity: 1_000, period: "30 seconds" } as const
  return { nodes: { a: Orchestrator.make({ agents, supervision, executor: { idleAfter: "100 millis" } }) }, jobs: [] }
}

/** A node that knows a foreign server. */
const abroad = (generation: ForeignServer["generation"]) => (stage: Stage) => {
  const outside = { bank: stage.service("bank"), model: stage.service("model"), remotes: new Map() }
  const foreign = new Map(tools.map((tool) => [tool, Interpreter.foreign(tool)] as const))
  const agents = [Interpreter.live({ concurrency: 1_000, intensity: undefined }, { ...outside, foreign })]
  const servers = { abroad: { url: "http://abroad/mcp", agents: [...foreign.values()] } }
  return {
    nodes: { a: Orchestrator.make({ agents, servers }) },
    foreign: { abroad: { ...Interpreter.foreignServer(stage.chance), cancels: true, generation } },
    jobs: []
  }
}

const stubborn: Program = {
  t: "all",
  c: 0,
  xs: [{ t: "step", n: 2, model: true, calm: true }, { t: "boom", inside: true }]
}

const race: Program = {
  t: "race",
  xs: [
    { t: "call", x: { t: "call", x: { t: "step", n: 1, model: true } } },
    { t: "step", n: 0, model: true }
  ]
}

const poor: Program = {
  t: "all",
  c: 2,
  xs: [
    { t: "call", x: { t: "ask", n: 1 } },
    { t: "all", c: 1, xs: [{ t: "boom" }, { t: "step", n: 3, model: true }] }
  ]
}

const asks: Program = { t: "call", x: { t: "ask", n: 2 }, on: "b" }

export const kept: ReadonlyArray<Kept> = [
  {
    what: "a call that a server answered with a question was reported as stopped, and went on there",
    scenario: pair(false),
    seed: 8,
    only: { faults: [], jobs: [jobOf(asks, { node: "a", at: 1_000, cancelAfter: 8, cancels: "root" })] }
  },
  {
    what: "a task that had lost a race made another child, and that began an effect",
    scenario: single(1),
    seed: 80,
    only: { faults: [], jobs: [jobOf(race, { at: 0 })] }
  },
  {
    what: "a call whose server died before its reply was reported as stopped, and went on when the server was back",
    scenario: pair(true),
    seed: 1,
    only: {
      faults: [{ kind: "crash-before-write", node: "b", to: "b", at: 0, nth: 0, fact: "Completed", millis: 1 }],
      jobs: [
        jobOf({ t: "race", xs: [{ t: "call", x: { t: "step", n: 2 }, on: "b" }, { t: "sleep", ms: 100 }] }, {
          node: "a",
          at: 1_000
        })
      ]
    }
  },
  {
    what: "a replay that had waited for something outside of the log was never told what the log had",
    scenario: single(1_000),
    seed: 1,
    only: { faults: [], jobs: [jobOf({ t: "seq", xs: [{ t: "look" }, { t: "sleep", ms: 60_000 }] }, { at: 0 })] }
  },
  {
    what:
      "a cancelled call whose server stopped before its reply was reported as finished, and went on after a restart",
    scenario: pair(true),
    seed: 1,
    only: {
      faults: [{ kind: "disk-error", node: "b", to: "b", at: 0, nth: 2, millis: 1_000 }],
      jobs: [jobOf({ t: "call", x: { t: "step", n: 3 }, on: "b" }, { node: "a", at: 1_000, cancelAfter: 5 })]
    }
  },
  {
    what: "a call withdrawn between two attempts waited for a child of the first one for ever",
    scenario: single(1_000, 0),
    seed: 1,
    only: { faults: [], jobs: [jobOf(poor, { at: 0 })] }
  },
  {
    what: "a child that ended before a replay had come to its call was forgotten, and its parent waited for ever",
    scenario: forgetful,
    seed: 21,
    only: {
      faults: [],
      jobs: [
        jobOf({ t: "seq", xs: [{ t: "look" }, { t: "call", x: { t: "ask", n: 1 } }] }, { at: 0 }),
        jobOf(stubborn, { at: 200 })
      ]
    }
  },
  {
    what: "the question of a foreign task that was to stop was turned down in somebody's name",
    scenario: abroad("2026-07-28"),
    seed: 1,
    only: {
      faults: [],
      jobs: [jobOf({ t: "abroad", tool: "job", takes: 9, asks: true }, { at: 0, cancelAfter: 100 })]
    }
  },
  {
    what: "a restart settled a cancelled foreign task as stopped before the worker was there that knew of it",
    scenario: abroad("2026-07-28"),
    seed: 1,
    only: {
      faults: [
        { kind: "pause", node: "abroad", to: "abroad", at: 1_500, nth: 0, millis: 20_000 },
        { kind: "stop", node: "a", to: "a", at: 3_000, nth: 0, millis: 1 }
      ],
      jobs: [jobOf({ t: "abroad", tool: "job", takes: 60_000 }, { at: 0, cancelAfter: 1_700 })]
    }
  }
]
