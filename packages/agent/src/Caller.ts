/**
 * What only the MCP client that called can give: its model, and the folders it works in.
 *
 * A request waits in the log like a question to a person, and is answered by the calling client when it can be asked: over
 * the stream of its call, as input of a task, or in another round of the call. A run nobody called over MCP has nobody to
 * ask; then it waits until a person answers or cancels it, so bound it with `Effect.timeout`.
 *
 * Sampling and roots are deprecated in MCP 2026-07-28 and will go with it.
 */
import { canonical, check } from "@coppice/task/Payload"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { NotAccepted } from "./AgentError.ts"
import { accepted, type Asked, plain } from "./internal/ask.ts"
import type { TaskContext } from "./TaskContext.ts"

/** A request to the client's model, as MCP's `sampling/createMessage` has it. */
export interface Sample {
  readonly messages: ReadonlyArray<Schema.JsonObject>
  readonly maxTokens: number
  readonly name?: string | undefined
  readonly systemPrompt?: string | undefined
  readonly temperature?: number | undefined
  readonly stopSequences?: ReadonlyArray<string> | undefined
  readonly modelPreferences?: Schema.JsonObject | undefined
  readonly tools?: ReadonlyArray<Schema.JsonObject> | undefined
  readonly toolChoice?: Schema.JsonObject | undefined
  readonly metadata?: Schema.JsonObject | undefined
}

/** What the client's model answered. `content` is one block, or several with tools. */
export interface Sampled {
  readonly role: string
  readonly content: Schema.Json
  readonly model: string
  readonly stopReason?: string | undefined
}

/** A folder the client works in. */
export interface Root {
  readonly uri: string
  readonly name?: string | undefined
}

/** Asks the calling client's model. Fails with `NotAccepted` when the client refuses. */
export const sample = ({ name, ...sample }: Sample): Effect.Effect<Sampled, NotAccepted, TaskContext> => {
  const params = JSON.parse(JSON.stringify(sample)) as Schema.JsonObject
  const tooLarge = check("The sampling request", params)
  if (tooLarge !== undefined) return Effect.die(tooLarge)
  const asked: Asked = {
    ...plain,
    mode: "sampling",
    message: "The agent asks the calling client's model",
    params,
    name,
    text: canonical(params)
  }
  return Effect.map(accepted(asked), (content) => content as unknown as Sampled)
}

/** Asks the calling client which folders it works in. Fails with `NotAccepted` when the client refuses. */
export const roots = (
  options?: { readonly name?: string | undefined }
): Effect.Effect<ReadonlyArray<Root>, NotAccepted, TaskContext> =>
  Effect.map(
    accepted({
      ...plain,
      mode: "roots",
      message: "The agent asks for the calling client's folders",
      name: options?.name,
      text: "roots"
    }),
    (content) => ((content as { readonly roots?: ReadonlyArray<Root> } | null)?.roots ?? [])
  )
