/**
 * What an agent promises, as data: its name, its schemas and how its calls become tasks.
 *
 * A contract is all that callers, wires and consoles know of an agent; the code that fulfils it is a `Worker`.
 */
import * as Schema from "effect/Schema"

/** When a call becomes a task a peer can see: `never`, `slow` (only when it takes a while) or `always`. */
export const TaskPolicy = Schema.Literals(["never", "slow", "always"])
export type TaskPolicy = typeof TaskPolicy.Type

export const Contract = Schema.Struct({
  /** An MCP tool name: 1–128 characters of `A–Z a–z 0–9 _ - .` */
  name: Schema.String,
  description: Schema.String,
  /** Changes whenever the schemas do: a digest of them unless the author names one. */
  version: Schema.String,
  kind: Schema.Literals(["agent", "workflow"]),
  /** JSON Schemas (2020-12) of the encoded input, output and declared error. */
  input: Schema.JsonObject,
  output: Schema.JsonObject,
  error: Schema.NullOr(Schema.JsonObject),
  policy: TaskPolicy,
  /** Executions running code at once; a task that waits holds no place. */
  concurrency: Schema.Int,
  /** Tasks that may wait for a place before new ones are refused (from outside) or held back (from a parent). */
  queue: Schema.Int,
  /** Executions a task may lose to defects before it fails. */
  attempts: Schema.Int
}).annotate({ identifier: "Contract" })
export type Contract = typeof Contract.Type

/** The grammar of tool names (MCP 2025-11-25, tools). */
export const isToolName = (name: string): boolean => /^[A-Za-z0-9_.-]{1,128}$/.test(name)
