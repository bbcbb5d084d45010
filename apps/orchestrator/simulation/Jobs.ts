import type { Job } from "coppice/Simulation"
import { type Program, simpler } from "./Program.ts"

const without = <A extends object>(all: A, name: keyof A): A => {
  const { [name]: _, ...rest } = all
  return rest as A
}

/** A client's wish to run a program; it can be made smaller. */
export const jobOf = (program: Program, rest: Omit<Job, "agent" | "input" | "simpler">): Job => ({
  ...rest,
  agent: "prog",
  input: { program: program as never },
  simpler: () => [
    ...rest.cancelAfter === undefined
      ? []
      : [jobOf(program, without(without(rest, "cancelAfter"), "cancels"))],
    ...rest.steers === undefined ? [] : [jobOf(program, without(rest, "steers"))],
    ...rest.again === undefined ? [] : [jobOf(program, without(rest, "again"))],
    ...rest.at === 0 ? [] : [jobOf(program, { ...rest, at: 0 })],
    ...simpler(program).map((smaller) => jobOf(smaller, rest))
  ]
})
