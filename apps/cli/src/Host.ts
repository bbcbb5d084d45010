/**
 * The port to the process a command runs in: its folders, its environment, its keyboard and its two outputs.
 *
 * Tests give another one; `NodeHost` is the real thing.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Readable, Writable } from "node:stream"
import type { Failure } from "./Failure.ts"
import type { Key } from "./FormPrompt.ts"
import { type Line, paint } from "./Line.ts"

/** One output. */
export interface Surface {
  /** A terminal that can be drawn on. */
  readonly isTty: boolean
  readonly colors: boolean
  /** Cells in a line; wide when it is no terminal, because nothing has to be cut for a pipe. */
  readonly columns: () => number
  readonly rows: () => number
  readonly write: (text: string) => void
}

export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP"

export class Host extends Context.Service<Host, {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** What was asked for. */
  readonly out: Surface
  /** What is told on the way, and what went wrong. */
  readonly err: Surface
  /** Whether a person is there to answer. */
  readonly canAsk: boolean
  /** The keys pressed while the scope is open. Ctrl-C among them: there is no signal then. */
  readonly keys: Effect.Effect<Queue.Dequeue<Key, Cause.Done>, never, Scope.Scope>
  /** Signals to end while the scope is open; without a reader, the first one ends the command. */
  readonly signals: Effect.Effect<Queue.Dequeue<Signal>, never, Scope.Scope>
  /** All of the standard input. */
  readonly stdin: Effect.Effect<string, Failure>
  /** The standard streams as they are, for a verb that speaks a protocol over them. */
  readonly pipe: { readonly input: Readable; readonly output: Writable }
}>()("@coppice/cli/Host") {}

/** Writes whole lines. */
export const writeLines = (surface: Surface, lines: ReadonlyArray<Line>): void => {
  for (const spans of lines) surface.write(`${paint(spans, surface.colors)}\n`)
}

/** Writes one JSON document on a line of its own. */
export const writeJson = (surface: Surface, value: unknown): void => surface.write(`${JSON.stringify(value)}\n`)
