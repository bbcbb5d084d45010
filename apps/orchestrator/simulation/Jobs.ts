import type { Job } from "coppice/Simulation"
import { type Program, simpler } from "./Program.ts"

/** A client's wish to run a program; it can be made smaller. */
export const jobOf = (program: Program, rest: Omit<Job, "agent" | "input" | "simpler">): Job => ({
  ...rest,
  agent: "prog",
  input: { program: program as never },
  simpler: () => [
    ...rest.cancelAfter === undefined
      ? []
      : [jobOf(program, { node: rest.node, at: rest.at, principal: rest.principal })],
    ...rest.at === 0 ? [] : [jobOf(program, { ...rest, at: 0 })],
    ...simpler(program).map((smaller) => jobOf(smaller, rest))
  ]
})
