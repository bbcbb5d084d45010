/**
 * Why the service cannot start, in one line a person can act on.
 */
import * as Data from "effect/Data"

/** Bad usage or input. */
export const badUsage = 2

/** The store, the port or the disk does not allow a start. */
export const cannotStart = 4

export class StartError extends Data.TaggedError("StartError")<{
  readonly problem: string
  readonly fix: string
  readonly exitCode: typeof badUsage | typeof cannotStart
}> {
  /** One line whatever went into it. */
  override get message(): string {
    return `${this.problem}; ${this.fix}`.replace(/\s*[\r\n]+\s*/g, " ")
  }
}

/** A setting, a flag or a configuration that cannot be used. */
export const usage = (problem: string, fix: string): StartError => new StartError({ problem, fix, exitCode: badUsage })

/** A machine that does not allow a start. */
export const refused = (problem: string, fix: string): StartError =>
  new StartError({ problem, fix, exitCode: cannotStart })
