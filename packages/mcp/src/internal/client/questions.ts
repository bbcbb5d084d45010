/**
 * What a server asks of its client, as neutral values: a form, an address to visit, a model's turn, the roots.
 *
 * How a question travelled (a request on a stream, an entry of `inputRequests`, before the task or within it) is gone
 * once it is one of these; its answer finds the way back by itself.
 */
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { canAnswer } from "../../Peer.ts"
import { code } from "./meta.ts"
import { modernCapabilities, type Offers } from "./negotiate.ts"
import { isObject, type JsonObject, objectAt, textAt } from "./rpc.ts"

/** A question of a server. `params` is all the server said, as it said it. */
export interface Question {
  /**
   * Names the question. 2026-07-28: unique in the task's life. 2025-11-25 has no such name, so it is a digest of the
   * question: an equal question later has an equal key.
   */
  readonly key: string
  readonly kind: "form" | "url" | "sampling" | "roots"
  readonly message: string
  readonly schema: JsonObject | undefined
  readonly url: string | undefined
  readonly params: JsonObject
}

/** What goes back: the result of the question's method, or a refusal. */
export type Answer =
  | { readonly _tag: "Result"; readonly result: JsonObject }
  | { readonly _tag: "Refusal"; readonly code: number; readonly message: string }

/** Answers questions. It is interrupted when the server no longer wants to know. */
export type Ask = (question: Question) => Effect.Effect<Answer>

const methods = {
  "elicitation/create": "form",
  "sampling/createMessage": "sampling",
  "roots/list": "roots"
} as const

export const isQuestionMethod = (method: string): method is keyof typeof methods => Object.hasOwn(methods, method)

/** The question a request asks, or `undefined` for another method. */
export const toQuestion = (key: string, method: string, params: JsonObject): Question | undefined => {
  if (!isQuestionMethod(method)) return undefined
  const kind = methods[method]
  const isUrl = kind === "form" && params["mode"] === "url"
  const schema = params["requestedSchema"]
  return {
    key,
    kind: isUrl ? "url" : kind,
    message: textAt(params, "message") ?? "",
    schema: kind === "form" && !isUrl && isObject(schema) ? schema : undefined,
    url: isUrl ? textAt(params, "url") : undefined,
    params
  }
}

/** A form filled in, or consent to an address. */
export const accept = (content?: JsonObject): Answer => ({
  _tag: "Result",
  result: content === undefined ? { action: "accept" } : { action: "accept", content }
})
export const decline: Answer = { _tag: "Result", result: { action: "decline" } }
export const cancel: Answer = { _tag: "Result", result: { action: "cancel" } }
export const result = (value: JsonObject): Answer => ({ _tag: "Result", result: value })
export const refuse = (code: number, message: string): Answer => ({ _tag: "Refusal", code, message })

/** Asks what was offered and refuses the rest: no revision trusts the questions of a task more than others. */
export const onlyOffered = (offers: Offers, ask: Ask | undefined): Ask | undefined =>
  ask === undefined ?
    undefined :
    (question) =>
      canAnswer({ capabilities: modernCapabilities(offers) }, { mode: question.kind })
        ? ask(question)
        : Effect.succeed(refuse(code.methodNotFound, `Questions of the kind "${question.kind}" are not taken here`))

/** An accepted form with the defaults of what was left out. */
export const withDefaults = (question: Question, answer: Answer): Answer => {
  if (question.kind !== "form" || answer._tag !== "Result" || answer.result["action"] !== "accept") return answer
  const properties = question.schema?.["properties"]
  if (!isObject(properties)) return answer
  const content: Record<string, Json> = {}
  for (const [name, property] of Object.entries(properties)) {
    if (isObject(property) && property["default"] !== undefined) content[name] = property["default"]
  }
  return result({ ...answer.result, content: { ...content, ...objectAt(answer.result, "content") } })
}
