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

/** @internal */
export const contextOf = (execution: Execution): Context.Context<TaskContext> => {
  const { agent, id, run } = execution.entry.state
  const info: TaskInfo = {
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
  executions.set(info, execution)
  return Context.make(TaskContext, info)
}

/** @internal */
export const executionOf = (info: TaskInfo): Execution | undefined => executions.get(info)
