import * as Effect from "effect/Effect"

/**
 * The span of a verb that is called often: `Effect.fn` with a name would also capture a stack at every call, which costs
 * more than what some of these verbs do.
 */
export const span = (name: string) => Effect.withSpan(name, undefined, { captureStackTrace: false })
