/**
 * What a service offers to MCP hosts beside its agents: prompts, resources, templates of resources, completions.
 *
 * They are read, not run: reading one makes no task. A prompt that has to ask something first names an agent that writes
 * it; such a prompt is a task like every call.
 */
import type * as Content from "@coppice/task/Content"
import type * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"

/** One turn of a prompt. */
export interface PromptMessage {
  readonly role: "user" | "assistant"
  readonly content: Content.Block
}

/** A prompt, written. */
export interface PromptResult {
  readonly description?: string | undefined
  readonly messages: ReadonlyArray<PromptMessage>
}

export interface PromptArgument {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly required?: boolean | undefined
}

/** Suggests values for an argument, given what was typed and the arguments chosen before; at most 100 are sent. */
export type Complete = (
  argument: string,
  typed: string,
  chosen: Readonly<Record<string, string>>
) => Effect.Effect<ReadonlyArray<string>>

export interface Prompt {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly arguments?: ReadonlyArray<PromptArgument> | undefined
  /** Writes the prompt; or the name of an agent whose input are the arguments and whose output is a `PromptResult`. */
  readonly get: ((args: Readonly<Record<string, string>>) => Effect.Effect<PromptResult>) | string
  readonly complete?: Complete | undefined
}

export interface Resource {
  readonly uri: string
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly mimeType?: string | undefined
  readonly read: Effect.Effect<ReadonlyArray<Content.ResourceContents>>
}

export interface ResourceTemplate {
  /** RFC 6570, such as `notes://{day}/{name}`. */
  readonly uriTemplate: string
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly mimeType?: string | undefined
  /** `undefined`: there is no such resource. */
  readonly read: (
    uri: string,
    variables: Readonly<Record<string, string>>
  ) => Effect.Effect<ReadonlyArray<Content.ResourceContents> | undefined>
  readonly complete?: Complete | undefined
}

/** How the service presents itself. */
export interface Offer {
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly title?: string | undefined
  /** What a host may tell its model about this server. */
  readonly instructions?: string | undefined
  readonly prompts?: ReadonlyArray<Prompt> | undefined
  readonly resources?: ReadonlyArray<Resource> | undefined
  readonly templates?: ReadonlyArray<ResourceTemplate> | undefined
  /** Four tools (`start`, `get`, `update`, `cancel`) for hosts that know no tasks. [true] */
  readonly fallbackTools?: boolean | undefined
  /** Tools by which a host's model may operate this service: list, inspect, why, cancel, retry. [false] */
  readonly operateTools?: boolean | undefined
  /** How long a call may take before it becomes a task, milliseconds. [250] */
  readonly patience?: number | undefined
  /**
   * A host that declines sooner than this, milliseconds, has not shown the question to anybody: it counts as undelivered
   * there, not as a person's no. 0 takes every decline as it is. [400: people need longer to read a sentence]
   */
  readonly readingTime?: number | undefined
  /** Principals whose deadlines are obeyed: other Coppices. [none] */
  readonly trusted?: ReadonlyArray<string> | undefined
}

/** A value that can be sent. */
export type { Json }
