/**
 * What the code of this process calls itself: a release, a commit. Recorded with every task it makes.
 */
import * as Context from "effect/Context"

/** `undefined`: it has no name, and nothing is recorded. */
export const CodeVersion = Context.Reference<string | undefined>("@coppice/task/CodeVersion", {
  defaultValue: () => undefined
})
