import * as Context from "effect/Context"
import { inBody, TaskContext } from "../TaskContext.ts"
import type { Execution } from "./Execution.ts"

/**
 * What surrounds the bodies of one execution's steps: the services around the step, but the world's time and order.
 * Nearly every step of a handler has the same ones around it, so the last answer is kept.
 */
export class Surroundings {
  private readonly execution: Execution
  private context: Context.Context<never> | undefined
  private ofEphemeral = false
  private last: Context.Context<never> = Context.empty()

  constructor(execution: Execution) {
    this.execution = execution
  }

  /** `context` is that of the fiber which asked for the step. */
  of(context: Context.Context<never>, ofEphemeral: boolean): Context.Context<never> {
    if (this.context === context && this.ofEphemeral === ofEphemeral) return this.last
    const task = Context.make(TaskContext, inBody(this.execution, ofEphemeral))
    this.last = Context.mergeAll(context, this.execution.server.host.outside, task) as Context.Context<never>
    this.context = context
    this.ofEphemeral = ofEphemeral
    return this.last
  }
}
