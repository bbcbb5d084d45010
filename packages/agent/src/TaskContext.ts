/**
 * The task a handler runs for. `Step`, `Human`, `Agent.call` and the durable clock find it here.
 */
import type { TaskId } from "@coppice/task/Task"
import * as Context from "effect/Context"
import type { Execution } from "./internal/Execution.ts"

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

const executions = new WeakMap<TaskInfo, Execution>()

export class TaskContext extends Context.Service<TaskContext, TaskInfo>()("@coppice/agent/TaskContext") {}

const infoOf = (execution: Execution): TaskInfo => {
  const { agent, id, run } = execution.entry.state
  return {
    id,
    run,
    agent,
    get attempt() {
      return execution.attempt
    },
    get isReplaying() {
      return execution.isReplaying
    }
  }
}

/** @internal */
export const contextOf = (execution: Execution): Context.Context<TaskContext> => {
  const info = infoOf(execution)
  executions.set(info, execution)
  return Context.make(TaskContext, info)
}

const ephemerals = new WeakSet<TaskInfo>()

/**
 * The task as the body of a step sees it: its names, but no way to record anything.
 * @internal
 */
export const inBody = (execution: Execution, ofEphemeral: boolean): TaskInfo => {
  const info = infoOf(execution)
  if (ofEphemeral) ephemerals.add(info)
  return info
}

/**
 * True in the handler of an ephemeral agent, whose steps leave no record of their own.
 * @internal
 */
export const isEphemeral = (info: TaskInfo): boolean => ephemerals.has(info)

/** @internal */
export const executionOf = (info: TaskInfo): Execution | undefined => executions.get(info)
