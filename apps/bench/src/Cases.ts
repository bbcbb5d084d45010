/**
 * Every case of the benchmark, by the name the command line knows.
 */
import type * as Effect from "effect/Effect"
import type { Settings } from "./Bed.ts"
import type { Row } from "./Row.ts"
import { cancel } from "./workloads/Cancel.ts"
import { cancelTree } from "./workloads/CancelTree.ts"
import { cost } from "./workloads/Cost.ts"
import { fanOut } from "./workloads/FanOut.ts"
import { late, lateInProcess, ways } from "./workloads/Late.ts"
import { longRun } from "./workloads/LongRun.ts"
import { restart } from "./workloads/Restart.ts"
import { roundtrip } from "./workloads/Roundtrip.ts"
import { soak } from "./workloads/Soak.ts"
import { steps } from "./workloads/Steps.ts"
import { waiting } from "./workloads/Waiting.ts"
import { calls, clients, polls, waiters } from "./workloads/Wire.ts"

/** One or more parts, each in a process of its own. In memory nothing restarts, and a million tasks are not kept. */
export interface Case {
  readonly parts: ReadonlyArray<(settings: Settings) => Effect.Effect<ReadonlyArray<Row>>>
  readonly isDurableOnly: boolean
}

export const cases: Readonly<Record<string, Case>> = {
  W1: { parts: [roundtrip], isDurableOnly: false },
  W2: { parts: [fanOut], isDurableOnly: false },
  W3: { parts: [steps], isDurableOnly: false },
  W4: { parts: [waiting, restart], isDurableOnly: false },
  W5: { parts: [cancel, cancelTree], isDurableOnly: false },
  M: { parts: [polls, calls, ways, lateInProcess, late, clients, waiters], isDurableOnly: false },
  cost: { parts: [cost], isDurableOnly: true },
  steps100k: { parts: [longRun], isDurableOnly: true },
  soak: { parts: [soak], isDurableOnly: true }
}
