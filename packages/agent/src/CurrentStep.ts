/**
 * What the body of a step may know of it.
 */
import * as Context from "effect/Context"

/**
 * The step whose body is running; `undefined` elsewhere.
 *
 * `idempotencyKey` is the same whenever this step of this task runs again. Hand it to whatever the body changes: a kill
 * between the effect and its record runs the body once more.
 */
export const CurrentStep = Context.Reference<
  { readonly idempotencyKey: string; readonly attempt: number } | undefined
>("@coppice/agent/CurrentStep", { defaultValue: () => undefined })
