/**
 * How a command ends badly: one line, what to do about it, and the exit code. Nothing else is ever shown, no stack and
 * no secret.
 */
import type { Description } from "@coppice/api/ApiClient"
import * as Data from "effect/Data"
import { type Line, muted, span } from "./Line.ts"

/** The exit codes, a contract with scripts. */
export const exitCodes = {
  ok: 0,
  failedTask: 1,
  badInput: 2,
  unreachable: 3,
  cannotStart: 4,
  interrupted: 130
} as const

export type ExitCode = typeof exitCodes[keyof typeof exitCodes]

/** The command did not do what was asked. With an empty message everything was said before. */
export class Failure extends Data.TaggedError("Failure")<{
  readonly exit: ExitCode
  readonly message: string
  readonly fix?: string | undefined
  /** The API's own code, when the service refused. */
  readonly code?: string | undefined
}> {}

export const badInput = (message: string, fix?: string): Failure =>
  new Failure({ exit: exitCodes.badInput, message, fix })

/** What was thrown, as a failure of the command. */
export const failureOf = (error: unknown): Failure =>
  error instanceof Failure ? error : new Failure({ exit: exitCodes.failedTask, message: String(error) })

/** The end of a command that has said what there is to say. */
export const silent = (exit: ExitCode): Failure => new Failure({ exit, message: "" })

const unavailable = new Set([
  "agent_unavailable",
  "unreachable",
  "unintelligible",
  "stopping",
  "store_stopped",
  "store_unavailable",
  "too_many_streams",
  "queue_full"
])

/** The exit code of what the service answered: it cannot now, it broke, or the request was wrong. */
const exitOf = (code: string): ExitCode =>
  unavailable.has(code) ? exitCodes.unreachable : code === "internal" ? exitCodes.failedTask : exitCodes.badInput

/** A refused or failed call, for people. */
export const fromCall = ({ code, fix, message, retryAfter }: Description): Failure =>
  new Failure({
    exit: exitOf(code),
    code,
    message,
    fix: fix ?? (retryAfter === undefined ? undefined : `try again in ${retryAfter} s`)
  })

/** The lines that tell it. */
export const failureLines = ({ fix, message }: Failure): ReadonlyArray<Line> => [
  [span("✖ ", "bad"), span(message)],
  ...(fix === undefined ? [] : [[span("  "), muted("→ "), span(fix)]])
]
