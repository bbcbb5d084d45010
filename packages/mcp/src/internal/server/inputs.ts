/**
 * Open questions on the wire: their keys, their form there, and answers on their way back.
 *
 * A client knows one task, the root. Questions from below it carry the asking task's id in their key; the root's own
 * carry none.
 */
import type { TaskId } from "@coppice/task/Task"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import type { OpenInput } from "@coppice/task/TaskStore"
import type { Json, JsonObject } from "effect/Schema"
import { isObject } from "../client/rpc.ts"
import { referred } from "./tool.ts"

/** A question as MCP asks it. */
export interface WireInput {
  readonly key: string
  readonly method: "elicitation/create" | "sampling/createMessage" | "roots/list"
  readonly params: JsonObject
}

export const wireKey = (root: TaskId, task: TaskId, key: string): string => task === root ? key : `/${task}/${key}`

/** The field with its reference resolved: forms on the wire are flat. */
const flat = (field: Json, definitions: Json | undefined): Json => {
  if (!isObject(field)) return field
  const { allOf, ...own } = referred(field, definitions) ?? field
  return Object.assign(own, ...Array.isArray(allOf) ? allOf.filter(isObject) : [])
}

/** The form as elicitation has it: an object of fields, without what its clients may not know. */
const requestedSchema = (schema: InputRequest["schema"]): JsonObject => {
  const { $defs, properties, required } = schema ?? {}
  const fields = Object.entries(isObject(properties) ? properties : {}).map((
    [name, field]
  ) => [name, flat(field, $defs)])
  return {
    type: "object",
    properties: Object.fromEntries(fields),
    ...Array.isArray(required) ? { required } : {}
  }
}

const paramsOf = ({ message, mode, params, schema, url }: InputRequest): JsonObject => {
  switch (mode) {
    case "form":
      return { mode: "form", message, requestedSchema: requestedSchema(schema) }
    case "url":
      return { mode: "url", message, url: url ?? "" }
    case "sampling":
      return params ?? {}
    case "roots":
      return {}
  }
}

const methods = {
  form: "elicitation/create",
  url: "elicitation/create",
  sampling: "sampling/createMessage",
  roots: "roots/list"
} as const

/** The question as MCP asks it. */
export const toWire = (root: TaskId, input: OpenInput): WireInput => ({
  key: wireKey(root, input.task, input.request.key),
  method: methods[input.request.mode],
  params: paramsOf(input.request)
})

/** `{ method, params }` by key, as tasks and rounds of a call carry them in 2026-07-28. */
export const toRequests = (inputs: ReadonlyArray<WireInput>): JsonObject =>
  Object.fromEntries(
    inputs.map(({ key, method, params }) => [key, method === "roots/list" ? { method } : { method, params }])
  )

/** What a client adds to a form's fields is ignored. */
const onlyFields = (schema: InputRequest["schema"], content: Json | undefined): Json => {
  const properties = schema?.["properties"]
  if (!isObject(content) || !isObject(properties)) return content ?? {}
  return Object.fromEntries(Object.entries(content).filter(([name]) => Object.hasOwn(properties, name)))
}

const isAction = (value: unknown): value is "accept" | "decline" | "cancel" =>
  value === "accept" || value === "decline" || value === "cancel"

/** What a client sent as an answer, or `undefined` when it is none. */
export const toResponse = (request: InputRequest, answer: unknown, by: string): InputResponse | undefined => {
  if (!isObject(answer)) return undefined
  switch (request.mode) {
    case "form":
    case "url": {
      const { action, content } = answer
      if (!isAction(action)) return undefined
      const isFilled = action === "accept" && request.mode === "form"
      return { action, content: isFilled ? onlyFields(request.schema, content) : null, by }
    }
    case "sampling":
      return typeof answer["model"] === "string" && answer["content"] !== undefined
        ? { action: "accept", content: answer, by }
        : undefined
    case "roots":
      return Array.isArray(answer["roots"]) ? { action: "accept", content: answer, by } : undefined
  }
}
