/**
 * Who is at the other end of a wire, and what it has said it can do.
 */
import type { InputRequest } from "@coppice/task/TaskEvent"
import * as Predicate from "effect/Predicate"
import type { JsonObject } from "effect/Schema"

export interface Peer {
  /** Whose tasks it may see. */
  readonly principal: string
  /** False where callers cannot be told apart: then they cannot list tasks. */
  readonly isIdentified: boolean
  /** The configuration calls it a Coppice: its deadlines are obeyed. */
  readonly isTrusted: boolean
  /** How an answer or a cancellation by it is recorded. */
  readonly by: string
  /** It holds the service's own token: it may answer whatever is asked. */
  readonly isOwner?: boolean | undefined
  /** Which of the principal's sessions it is, where there are sessions. */
  readonly session?: string | undefined
  /** Its capabilities, as it declared them. */
  readonly capabilities: JsonObject
}

const part = (value: unknown, key: string): unknown =>
  Predicate.isObject(value) ? (value as JsonObject)[key] : undefined

/** Whether the peer can answer this kind of request. An elicitation capability that names no mode means forms. */
export const canAnswer = (
  { capabilities }: Pick<Peer, "capabilities">,
  request: Pick<InputRequest, "mode" | "params">
): boolean => {
  const { elicitation, roots, sampling } = capabilities
  switch (request.mode) {
    case "form":
      return elicitation !== undefined &&
        (part(elicitation, "form") !== undefined || part(elicitation, "url") === undefined)
    case "url":
      return part(elicitation, "url") !== undefined
    case "sampling":
      return sampling !== undefined &&
        (request.params?.["tools"] === undefined || part(sampling, "tools") !== undefined)
    case "roots":
      return roots !== undefined
  }
}

/** What the peer would have had to declare. */
export const neededFor = (request: InputRequest): JsonObject => {
  switch (request.mode) {
    case "form":
      return { elicitation: { form: {} } }
    case "url":
      return { elicitation: { url: {} } }
    case "sampling":
      return { sampling: request.params?.["tools"] === undefined ? {} : { tools: {} } }
    case "roots":
      return { roots: {} }
  }
}

/** Only the calling client can answer these; no person ever will. */
export const isForClientOnly = (request: InputRequest): boolean =>
  request.mode === "sampling" || request.mode === "roots"
