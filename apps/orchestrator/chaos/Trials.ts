/**
 * What is tried: the showcase as people run it, and a synthetic tree in which every kind of fact occurs.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Trial } from "./Campaign.ts"
import type { Order } from "./Scenario.ts"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** One part of comparisons: a run has to end between two kills now and then. */
const checks = 100

const migration = (name: string, folder: string, cancelAfter?: number): Order => {
  const output = join(folder, name)
  return {
    name,
    agent: "migrate",
    input: { output, checks, seed: 1 },
    output,
    say: () => [{ approve: true }],
    thinks: 0,
    cancelAfter
  }
}

/** One migration that is seen through and one that is cancelled, at once. */
const showcase: Trial = {
  name: "showcase",
  config: here("../../../docs/examples/code-migration/coppice.config.ts"),
  facts: {
    commit: 40,
    Created: 40,
    Started: 5,
    Progressed: 40,
    StepRecorded: 40,
    InputRequested: 1,
    InputReceived: 1,
    Completed: 40,
    Cancelled: 2,
    Settled: 2
  },
  reference: (folder) => migration("reference", folder),
  round: (number, folder, { between }) => [
    migration(`migration ${number}`, folder),
    migration(`cancelled migration ${number}`, folder, between(0, 2_000))
  ]
}

const tree = (name: string, options: { readonly thinks: number; readonly cancelAfter?: number }): Order => ({
  name,
  agent: "everything",
  input: { name, hold: options.cancelAfter !== undefined },
  output: undefined,
  // two people at once: the first one wins, whoever that is
  say: (message) => message === `Choose for ${name}` ? [{ choice: "left" }, { choice: "right" }] : undefined,
  thinks: options.thinks,
  cancelAfter: options.cancelAfter
})

/** Two trees that are seen through, of which one waits for its person long enough to leave memory, and a cancelled one. */
const synthetic: Trial = {
  name: "synthetic",
  config: here("./workload.config.ts"),
  facts: {
    commit: 40,
    Created: 40,
    Started: 6,
    AttemptFailed: 2,
    Progressed: 20,
    StepRecorded: 40,
    TimerSet: 16,
    TimerFired: 12,
    InputRequested: 3,
    InputReceived: 2,
    InputWithdrawn: 2,
    Completed: 30,
    Failed: 4,
    Cancelled: 4,
    Settled: 6,
    Released: 2
  },
  reference: () => tree("reference", { thinks: 0 }),
  round: (number, _, { between }) => [
    tree(`tree ${number}`, { thinks: between(0, 100) }),
    tree(`patient tree ${number}`, { thinks: between(1_200, 1_800) }),
    tree(`cancelled tree ${number}`, { thinks: 0, cancelAfter: between(0, 1_500) })
  ]
}

/** Each with its share of the kills. The synthetic one has more kinds of facts. */
export const trials: ReadonlyArray<{ readonly trial: Trial; readonly share: number }> = [
  { trial: showcase, share: 0.4 },
  { trial: synthetic, share: 0.6 }
]
