/**
 * An agent as an MCP tool: its descriptor, its arguments, its result.
 *
 * A tool's arguments are an object. An agent whose input is something else takes it as the argument `input`.
 */
import { emptyPool, used } from "@coppice/task/Budget"
import type * as Content from "@coppice/task/Content"
import type { Contract } from "@coppice/task/Contract"
import type { Task } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import type { Json, JsonObject } from "effect/Schema"
import * as Meta from "../../Meta.ts"
import { isObject } from "../client/rpc.ts"
import { internalError, WireError } from "./wireError.ts"

export type Revision = "2025-11-25" | "2026-07-28"

/** The definition a schema refers to, if that is all it says. */
export const referred = ({ $ref }: JsonObject, definitions: Json | undefined): JsonObject | undefined => {
  const name = typeof $ref === "string" ? /^#\/\$defs\/(.+)$/.exec($ref)?.[1] : undefined
  const target = name !== undefined && isObject(definitions) ? definitions[name] : undefined
  return isObject(target) ? target : undefined
}

/** A schema whose root is a reference, with the root in its place: a tool's schema has to say `type: "object"` itself. */
const resolved = (schema: JsonObject): JsonObject => {
  const definitions = schema["$defs"]
  const target = referred(schema, definitions)
  const own = target === undefined ? schema : { ...target, $defs: definitions as Json }
  return isAnything(own) ? { type: "object", properties: {} } : own
}

/** A struct without fields says only that it does not take `null`. */
const isAnything = ({ not }: JsonObject): boolean => isObject(not) && not["type"] === "null"

const takesObject = (schema: JsonObject): boolean => schema["type"] === "object"

const inputSchema = (input: JsonObject): JsonObject => {
  const schema = resolved(input)
  if (takesObject(schema)) return schema
  const { $defs, ...own } = schema
  return {
    type: "object",
    properties: { input: own },
    required: ["input"],
    ...$defs === undefined ? {} : { $defs }
  }
}

/** The agent's input, from the arguments of a call. */
export const toInput = ({ input }: Contract, args: JsonObject): Json =>
  takesObject(resolved(input)) ? args : args["input"] ?? null

/** Which task support 2025-11-25 announces. */
const supports = { never: "forbidden", slow: "optional", always: "optional", required: "required" } as const

/** The tool as hosts list it. */
export const descriptor = (contract: Contract, revision: Revision): JsonObject => {
  const output = resolved(contract.output)
  const isStructured = !contract.content && (revision === "2026-07-28" || takesObject(output))
  return {
    name: contract.name,
    description: contract.description,
    inputSchema: inputSchema(contract.input),
    ...isStructured && Object.keys(output).length > 0 ? { outputSchema: output } : {},
    ...revision === "2025-11-25" ? { execution: { taskSupport: supports[contract.policy] } } : {}
  }
}

const textOf = (value: Json): string => typeof value === "string" ? value : JSON.stringify(value)

/** What a tool's call returned, as a model reads it. */
const completed = (contract: Contract | undefined, value: Json, revision: Revision): JsonObject => {
  if (contract?.content === true) return value as JsonObject & Content.Result
  if (value === null) return { content: [] }
  const isStructured = revision === "2026-07-28" || isObject(value)
  return { content: [{ type: "text", text: textOf(value) }], ...isStructured ? { structuredContent: value } : {} }
}

/** A failure a model may react to. */
export const failedResult = (message: string, error: Json | null = null): JsonObject => ({
  content: [{ type: "text", text: message }],
  isError: true,
  ...error === null ? {} : { _meta: { [Meta.error]: error } }
})

/** Why it failed, and what it had put down as its result so far. */
const reasonOf = ({ partial, reason }: TaskEvent & { readonly _tag: "Failed" }): JsonObject => ({
  reason,
  ...partial === undefined ? {} : { partial }
})

/** What the task has used, for a caller that granted a budget; `undefined` when it did not. */
export const usageOf = ({ pool = emptyPool, spec }: Task): JsonObject | undefined =>
  spec.budget === null || spec.meta?.[Meta.budget] === undefined ? undefined : { [Meta.usage]: { ...used(pool) } }

/** What the call comes to: a result, or a JSON-RPC error; with what it has used, for a caller that granted a budget. */
export const resultOf = (
  contract: Contract | undefined,
  { ending, task }: { readonly ending: TaskEvent; readonly task: Task },
  revision: Revision
): JsonObject | WireError => {
  const result = withoutUsage(contract, ending, revision)
  const usage = usageOf(task)
  if (usage === undefined) return result
  if (result instanceof WireError) return new WireError({ ...result, data: { ...result.data, ...usage } })
  return { ...result, _meta: { ...result["_meta"] as JsonObject | undefined, ...usage } }
}

const withoutUsage = (
  contract: Contract | undefined,
  ending: TaskEvent,
  revision: Revision
): JsonObject | WireError => {
  switch (ending._tag) {
    case "Completed":
      return completed(contract, ending.result, revision)
    case "Failed":
      return ending.reason === "agent_error"
        ? failedResult(ending.message, ending.error)
        : new WireError({ code: internalError, message: ending.message, data: reasonOf(ending) })
    case "Cancelled":
      return new WireError({
        code: internalError,
        message: `The task was cancelled by ${ending.by}${ending.reason === null ? "" : `: ${ending.reason}`}`,
        data: { reason: "cancelled" }
      })
    default:
      return new WireError({ code: internalError, message: "The task has not ended" })
  }
}
