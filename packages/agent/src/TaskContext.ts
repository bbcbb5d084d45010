/**
 * The task a handler runs for. `Step`, `Human`, `Agent.call` and the durable clock find it here.
 */
import type { TaskId } from "@coppice/task/Task"
import * as Context from "effect/Context"
import type { Execution } from "./internal/Execution.ts"
import type { Pulse } from "./internal/Pulse.ts"

/** What a handler may know of its task. */
export interface TaskInfo {
  readonly id: TaskId
  readonly run: TaskId
  readonly agent: string
  /** 1 for the first execution. */
  readonly attempt: number
  /** True while recorded results are returned instead of new work being done. */
  readonly isReplaying: boolean
}

export class TaskContext extends Context.Service<TaskContext, TaskInfo>()("@coppice/agent/TaskContext") {}

/** Who looks at the task: its handler, the body of one of its steps, or an ephemeral agent it calls. */
type Viewer = "handler" | "body" | "ephemeral"

/** A class, not an object literal with getters: every execution has one, and many wait in memory at once. */
class Info implements TaskInfo {
  readonly id: TaskId
  readonly run: TaskId
  readonly agent: string
  readonly #execution: Execution
  readonly #viewer: Viewer

  constructor(execution: Execution, viewer: Viewer) {
    const { agent, id, run } = execution.entry.state
    this.id = id
    this.run = run
    this.agent = agent
    this.#execution = execution
    this.#viewer = viewer
  }

  get attempt(): number {
    return this.#execution.attempt
  }

  get isReplaying(): boolean {
    return this.#execution.isReplaying
  }

  static isEphemeral(info: TaskInfo): boolean {
    return #viewer in info && info.#viewer === "ephemeral"
  }

  static pulseOf(info: TaskInfo): Pulse | undefined {
    return #viewer in info ? info.#execution.pulse : undefined
  }

  static executionOf(info: TaskInfo): Execution | undefined {
    return #viewer in info && info.#viewer === "handler" ? info.#execution : undefined
  }
}

/**
 * The task as its handler sees it.
 * @internal
 */
export const inHandler = (execution: Execution): TaskInfo => new Info(execution, "handler")

/**
 * The task as the body of a step sees it: its names, but no way to record anything.
 * @internal
 */
export const inBody = (execution: Execution, ofEphemeral: boolean): TaskInfo =>
  new Info(execution, ofEphemeral ? "ephemeral" : "body")

/**
 * True in the handler of an ephemeral agent, whose steps leave no record of their own.
 * @internal
 */
export const isEphemeral = (info: TaskInfo): boolean => Info.isEphemeral(info)

/** @internal */
export const executionOf = (info: TaskInfo): Execution | undefined => Info.executionOf(info)

/**
 * Where the task's code shows that it is alive, whoever looks.
 * @internal
 */
export const pulseOf = (info: TaskInfo): Pulse | undefined => Info.pulseOf(info)
