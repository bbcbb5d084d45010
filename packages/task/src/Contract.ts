/**
 * What an agent promises, as data: its name, its schemas and how its calls become tasks.
 *
 * A contract is all that callers, wires and consoles know of an agent; the code that fulfils it is a `Worker`.
 */
import * as Schema from "effect/Schema"
import { digest } from "./internal/digest.ts"
import { canonical } from "./Payload.ts"

/**
 * When a call from outside becomes a task its peer can see: `never`, `slow` (only when it takes a while), `always` (when
 * the peer can have tasks) or `required` (a peer that cannot is refused).
 */
export const TaskPolicy = Schema.Literals(["never", "slow", "always", "required"])
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
  /** True when the output is MCP content: what `Content.Result` says, passed on as it is. */
  content: Schema.Boolean,
  /** False for an agent that is not offered to MCP hosts. */
  listed: Schema.Boolean,
  /** Executions running code at once; a task that waits holds no place. */
  concurrency: Schema.Int,
  /** Tasks that may wait for a place before new ones are refused (from outside) or held back (from a parent). */
  queue: Schema.Int,
  /** Executions a task may lose to defects before it fails. */
  attempts: Schema.Int,
  /** Milliseconds a call takes at least: one that has less time left is refused. */
  takes: Schema.optionalKey(Schema.Finite),
  /** Milliseconds its code may run without a sign of life before the attempt is ended. */
  stall: Schema.optionalKey(Schema.Finite)
}).annotate({ identifier: "Contract" })
export type Contract = typeof Contract.Type

/** The grammar of tool names (MCP 2025-11-25, tools). */
export const isToolName = (name: string): boolean => /^[A-Za-z0-9_.-]{1,128}$/.test(name)

/** A schema as a contract says it: JSON Schema 2020-12 of what is encoded, its definitions under `$defs`. */
export const jsonSchemaOf = (schema: Schema.Top): Schema.JsonObject => {
  const document = Schema.toJsonSchemaDocument(schema)
  const definitions = Object.keys(document.definitions).length === 0 ? {} : { $defs: document.definitions }
  return { ...document.schema, ...definitions } as Schema.JsonObject
}

/** The version of a contract whose author names none. */
export const versionOf = (
  input: Contract["input"],
  output: Contract["output"],
  error: Contract["error"]
): Contract["version"] => digest(canonical([input, output, error])).slice(0, 12)
