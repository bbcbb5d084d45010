import type { Stage } from "coppice/Simulation"

/** Chance, as a scenario has it. */
export type Dice = Stage["chance"]
