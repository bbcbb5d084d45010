import type { CallLimits, Refusal } from "@coppice/task/Lineage"
import type { Person } from "@coppice/task/People"
import type { Settler } from "@coppice/task/Settler"
import type { TaskId } from "@coppice/task/Task"
import type { TaskLog } from "@coppice/task/TaskLog"
import type { Tasks } from "@coppice/task/Tasks"
import type { StoreError } from "@coppice/task/TaskStore"
import type { Worker } from "@coppice/task/Worker"
import type { Clock } from "effect/Clock"
import type { Context } from "effect/Context"
import type { Duration } from "effect/Duration"
import type { Effect } from "effect/Effect"
import type { Exit } from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import type { Json } from "effect/Schema"
import type { CallCodec } from "../CallCodec.ts"
import type { Definition } from "./AgentServer.ts"
import type { Execution } from "./Execution.ts"
import type { Phase } from "./Phase.ts"
import type { PoolKeeper } from "./PoolKeeper.ts"

/** What executions need of the process they run in. */
export interface Host {
  readonly log: TaskLog["Service"]
  readonly tasks: Tasks["Service"]
  readonly settler: Settler["Service"]
  readonly pools: PoolKeeper
  readonly codec: CallCodec
  /** What the code of this process calls itself. */
  readonly code: string | undefined
  /** How long a replay waits for code that has to come back from outside the log before it calls it changed. */
  readonly grace: Duration
  /** Called instead of beginning anything that is not recorded: of a record that is only looked at. */
  readonly beyond?: (execution: Execution, key: string) => void
  readonly limits: CallLimits
  /** Who may be asked. */
  readonly people: ReadonlyMap<string, Person>
  /** The circle a call by this task would close. */
  readonly circle: (caller: TaskId, agent: string, input: Json) => Effect<Refusal | undefined, StoreError>
  /** The clock of the process, as opposed to a task's own. */
  readonly clock: Clock
  /** Scheduler, clock and randomness of the process, for what runs outside the handler's order. */
  readonly outside: Context<never>
  /** Runs an effect in the process's own context, no longer than the executor lives. */
  readonly fork: <A, E>(effect: Effect<A, E>) => Fiber<A, E>
  /** The code of an agent served by this process. */
  readonly local: (agent: string) => Definition | undefined
  /** Calls back with the agent's worker once it can take a task; with a reason why not, when there is no such agent. */
  readonly whenRoom: (agent: string, callback: (worker: Worker | string) => void) => void
  /** The execution has something to do. */
  readonly ready: (execution: Execution) => void
  /** Runs a stretch of the execution's code, and remembers it if it took long. */
  readonly watch: <A>(execution: Execution, run: () => A) => A
  /** The execution was told to stop: it may take its time, but not for ever. */
  readonly leaving: (execution: Execution) => void
  /** Nothing of the execution runs any more. */
  readonly ended: (execution: Execution, phase: Phase, exit: Exit<unknown, unknown>) => void
}

/** What executions need, but for the executor itself. */
export type HostServices = Omit<Host, "ready" | "watch" | "leaving" | "ended" | "local" | "whenRoom">
