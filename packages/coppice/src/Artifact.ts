/**
 * Values too large for the log, kept beside it and named by their content.
 *
 * Pass the reference between agents instead of the value. An artifact lives as long as the run that wrote it.
 */
import * as Step from "@coppice/agent/Step"
import { TaskContext } from "@coppice/agent/TaskContext"
import { Tasks } from "@coppice/task/Tasks"
import type { StoreError } from "@coppice/task/TaskStore"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What stands for the value: its SHA-256 (base64url), media type and size in bytes. */
export const ArtifactRef = Schema.Struct({
  digest: Schema.String,
  mediaType: Schema.String,
  size: Schema.Int
})
export type ArtifactRef = typeof ArtifactRef.Type

/** No artifact of that digest is kept here; its run may have been deleted. */
export class ArtifactNotFound extends Data.TaggedError("ArtifactNotFound")<{ readonly digest: string }> {
  override get message(): string {
    return `No artifact ${this.digest}; it lives as long as the run that wrote it`
  }
}

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === "string" ? new TextEncoder().encode(content) : content

/** Keeps text or bytes, durable when this returns. The same content is kept once. */
export const write = (
  content: string | Uint8Array,
  mediaType = "text/plain; charset=utf-8"
): Effect.Effect<ArtifactRef, StoreError, TaskContext | Tasks> =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const { run } = yield* TaskContext
    const bytes = bytesOf(content)
    const digest = yield* tasks.putArtifact({ run, mediaType, bytes })
    return { digest, mediaType, size: bytes.byteLength }
  })

/** The bytes an earlier `write` kept. */
export const read = (ref: ArtifactRef): Effect.Effect<Uint8Array, ArtifactNotFound | StoreError, Tasks> =>
  Effect.gen(function*() {
    const found = yield* (yield* Tasks).artifact(ref.digest)
    if (found === undefined) return yield* new ArtifactNotFound({ digest: ref.digest })
    return found.bytes
  })

/** `read` as text. */
export const readText = (ref: ArtifactRef): Effect.Effect<string, ArtifactNotFound | StoreError, Tasks> =>
  Effect.map(read(ref), (bytes) => new TextDecoder().decode(bytes))

/** Writes as a recorded step: a replay returns the reference without writing again. */
export const step = (
  name: string,
  content: string | Uint8Array,
  mediaType?: string
): Effect.Effect<ArtifactRef, StoreError, TaskContext | Tasks> =>
  Effect.flatMap(
    TaskContext,
    (task) => Step.run(name, Effect.provideService(write(content, mediaType), TaskContext, task))
  )
