/**
 * What the API says when the runtime says no: one line per error, nowhere else.
 */
import * as ApiError from "@coppice/api/ApiError"
import type { InvalidAnswer } from "@coppice/task/Form"
import type { PayloadTooLarge } from "@coppice/task/Payload"
import type { Refused } from "@coppice/task/TaskMachine"
import type {
  AlreadyAnswered,
  AmbiguousId,
  CallRefused,
  DeadlineTooShort,
  InvalidDelegate,
  InvalidFork,
  InvalidSteering,
  KeyReused,
  NotEntitled,
  StillRunning,
  TaskNotFound
} from "@coppice/task/Tasks"
import type { StoreError } from "@coppice/task/TaskStore"
import type { AgentAway, InvalidInput, QueueFull, UnknownAgent } from "@coppice/task/Worker"
import * as Effect from "effect/Effect"
import type { DeadLink } from "./AnswerLinks.ts"

type Domain =
  | AgentAway
  | AlreadyAnswered
  | AmbiguousId
  | CallRefused
  | DeadLink
  | DeadlineTooShort
  | InvalidAnswer
  | InvalidDelegate
  | InvalidFork
  | InvalidInput
  | InvalidSteering
  | KeyReused
  | NotEntitled
  | PayloadTooLarge
  | QueueFull
  | Refused
  | StillRunning
  | StoreError
  | TaskNotFound
  | UnknownAgent

const byPath = (path: string): string => path === "" ? "input" : `input${/^[.[]/.test(path) ? "" : "."}${path}`

const refusal = (error: Refused): ApiError.Conflict => {
  const { message } = error
  switch (error.reason._tag) {
    case "AlreadyEnded":
      return ApiError.make("already_ended", { message, fix: `read its result at /api/v1/tasks/${error.task}/result` })
    case "UnknownInput":
      return ApiError.make("no_open_question", { message, field: "key", fix: "see /api/v1/inbox for what is open" })
    default:
      return ApiError.make("conflict", { message })
  }
}

/** A store that cannot be used now, or no more. */
export const unavailable = (error: StoreError): ApiError.Unavailable => {
  if (error.isRetryable) {
    return ApiError.make("store_unavailable", { message: `The store cannot write: ${error.message}`, retryAfter: 5 })
  }
  return error.reason === "Stopped"
    ? ApiError.make("stopping", { message: error.message, retryAfter: 5 })
    : ApiError.make("store_stopped", {
      message: `The store failed and the service stops: ${error.message}`,
      retryAfter: 10
    })
}

const deadLinks = {
  invalid: () =>
    ApiError.make("link_invalid", {
      message: "This link is none of this service's, or it was cut off",
      fix: "open it again from the message, whole"
    }),
  expired: () =>
    ApiError.make("link_expired", {
      message: "This link has expired",
      fix: "answer in the console or with coppice answer, or wait for the next reminder"
    }),
  used: () => ApiError.make("link_used", { message: "This link has been used: it answers once" })
}

const table = {
  AlreadyAnswered: (error: AlreadyAnswered) =>
    ApiError.make("already_answered", { message: error.message, field: "key" }),
  AgentAway: (error: AgentAway) =>
    ApiError.make("agent_unavailable", {
      message: `Agent "${error.agent}" takes no tasks now: its server is down`,
      field: "agent",
      fix: "coppice agents tells whether it is being restarted",
      retryAfter: error.retryAfter / 1_000
    }),
  AmbiguousId: (error: AmbiguousId) =>
    ApiError.make("ambiguous_id", { message: error.message, field: "id", fix: "give more of the id" }),
  CallRefused: (error: CallRefused) =>
    ApiError.make("conflict", {
      message: error.message,
      fix: "end the circle, or raise the limits of coppice.config.ts"
    }),
  DeadLink: ({ why }: DeadLink) => deadLinks[why](),
  InvalidDelegate: ({ message }: InvalidDelegate) =>
    ApiError.make("invalid_request", { message, field: "to", fix: "name one of the configuration's people" }),
  NotEntitled: ({ message }: NotEntitled) =>
    ApiError.make("not_entitled", { message, fix: "ask one of them, or have one of them delegate it to you" }),
  InvalidAnswer: (error: InvalidAnswer) =>
    ApiError.make("invalid_answer", {
      message: `The answer does not fit the question's form: ${error.message}`,
      field: "content"
    }),
  InvalidInput: (error: InvalidInput) =>
    ApiError.make("invalid_input", {
      message: `The input does not fit "${error.agent}": ${error.message}`,
      field: byPath(error.path),
      fix: "GET /api/v1/agents has the schema"
    }),
  DeadlineTooShort: ({ message }: DeadlineTooShort) =>
    ApiError.make("invalid_request", { message, field: "deadline", fix: "give a later deadline" }),
  InvalidFork: ({ field, fix, message }: InvalidFork) => ApiError.make("invalid_request", { message, field, fix }),
  InvalidSteering: ({ field, fix, message }: InvalidSteering) =>
    ApiError.make("invalid_request", { message, field, fix }),
  KeyReused: (error: KeyReused) =>
    ApiError.make("key_reused", { message: error.message, field: "idempotencyKey", fix: "use a new key" }),
  PayloadTooLarge: (error: PayloadTooLarge) => ApiError.make("payload_too_large", { message: error.message }),
  QueueFull: (error: QueueFull) =>
    ApiError.make("queue_full", { message: error.message, retryAfter: error.retryAfter / 1_000 }),
  Refused: refusal,
  StillRunning: (error: StillRunning) =>
    ApiError.make("still_running", { message: error.message, fix: `POST /api/v1/tasks/${error.run}/cancel` }),
  StoreError: unavailable,
  TaskNotFound: (error: TaskNotFound) => ApiError.make("task_not_found", { message: error.message, field: "id" }),
  UnknownAgent: (error: UnknownAgent) =>
    ApiError.make("unknown_agent", {
      message: error.message,
      field: "agent",
      fix: error.suggestion === undefined ? "GET /api/v1/agents lists them" : `use "${error.suggestion}"`
    })
} satisfies { readonly [Tag in Domain["_tag"]]: (error: never) => ApiError.ApiError }

/** The API's errors for some of the runtime's. */
export type Answered<E extends Domain> = ReturnType<typeof table[E["_tag"]]>

/** Gives the runtime's errors their answers. */
export const answered = <A, E extends Domain, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, Answered<E>, R> =>
  Effect.mapError(self, (error) => table[error._tag](error as never) as Answered<E>)
