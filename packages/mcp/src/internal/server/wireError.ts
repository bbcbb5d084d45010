/**
 * Why a request over a wire is refused: a JSON-RPC error, and what each of our errors is there.
 */
import { type SubmitError, TaskNotFound } from "@coppice/task/Tasks"
import { StoreError } from "@coppice/task/TaskStore"
import { ProtocolError } from "@modelcontextprotocol/server"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type { JsonObject } from "effect/Schema"
import * as Meta from "../../Meta.ts"

export const invalidParams = -32602
export const methodNotFound = -32601
export const internalError = -32603
export const missingCapability = -32021

export class WireError extends Data.TaggedError("WireError")<{
  readonly code: number
  readonly message: string
  readonly data?: JsonObject | undefined
}> {}

export const invalid = (message: string): WireError => new WireError({ code: invalidParams, message })

/** The same for a task that is not there, has expired, or is somebody else's: nobody learns which. */
export const noTask = (): WireError => invalid("Failed to retrieve task: Task not found")

const retryable = (message: string, retryAfter: number): WireError =>
  new WireError({ code: internalError, message, data: { retryable: true, retryAfterMs: retryAfter } })

/** A call that did not become a task. `InvalidInput` is not here: models correct it, so it is a result. */
export const ofSubmit = (error: Exclude<SubmitError, { readonly _tag: "InvalidInput" }>): WireError => {
  switch (error._tag) {
    case "UnknownAgent":
      return invalid(`Unknown tool: ${error.agent}`)
    case "CallRefused":
      return new WireError({
        code: invalidParams,
        message: error.message,
        data: { [Meta.refusal]: { ...error.reason } as JsonObject }
      })
    case "AgentAway":
    case "QueueFull":
      return retryable(error.message, error.retryAfter)
    case "StoreError":
      return ofStore(error)
    default:
      return invalid(error.message)
  }
}

const ofStore = (error: StoreError): WireError =>
  error.isRetryable
    ? retryable(`The store cannot take work now: ${error.message}`, 1_000)
    : new WireError({ code: internalError, message: "The service's store has failed" })

/** Any failure as a JSON-RPC error. What nobody foresaw says nothing of itself on the wire. */
export const toProtocolError = (cause: Cause.Cause<unknown>): ProtocolError => {
  const error = Cause.squash(cause)
  if (error instanceof ProtocolError) return error
  if (error instanceof WireError) return new ProtocolError(error.code, error.message, error.data)
  if (error instanceof StoreError) return toProtocolError(Cause.fail(ofStore(error)))
  if (error instanceof TaskNotFound) return toProtocolError(Cause.fail(noTask()))
  return new ProtocolError(internalError, "Internal error")
}
