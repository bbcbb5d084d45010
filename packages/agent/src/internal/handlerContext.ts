import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Random from "effect/Random"
import { Scheduler } from "effect/Scheduler"
import * as Tracer from "effect/Tracer"
import { inHandler, TaskContext } from "../TaskContext.ts"
import type { Execution } from "./Execution.ts"
import { TaskClock } from "./TaskClock.ts"
import { TaskRandom } from "./TaskRandom.ts"
import type { TaskScheduler } from "./TaskScheduler.ts"

/**
 * What surrounds a handler: the task's own order, time and chance. Laid over the definition's services, not merged: that
 * would copy every service of the process for every execution.
 */
export const handlerContext = (execution: Execution, scheduler: TaskScheduler): Context.Context<never> =>
  execution.server.definition.context.pipe(
    Context.add(Scheduler, scheduler),
    Context.add(Clock.Clock, new TaskClock(execution)),
    Context.add(Random.Random, new TaskRandom(execution.id)),
    Context.add(TaskContext, inHandler(execution)),
    // what the handler traces itself hangs below the task's own span, which the log keeps
    Context.add(Tracer.ParentSpan, Tracer.externalSpan({ ...execution.entry.state.spec.trace, sampled: true }))
  )
