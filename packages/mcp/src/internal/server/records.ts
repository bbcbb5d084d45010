/**
 * What runs leave behind, as resources: artifacts by their digest, and the transcript of a run.
 */
import type { ResourceContents } from "@coppice/task/Content"
import { TaskId } from "@coppice/task/Task"
import { isTaskId } from "@coppice/task/TaskIds"
import * as Effect from "effect/Effect"
import type { ResourceTemplate } from "../../Offer.ts"
import type { Calls } from "./Calls.ts"

/** Facts of one transcript; a longer run is cut there, which its last line says. */
const mostFacts = 5_000

const isText = (mediaType: string): boolean => /^(?:text\/|application\/(?:[\w.]+\+)?(?:json|xml)\b)/.test(mediaType)

/** Whether the task is the principal's. */
const isOwn = (calls: Calls, principal: string, id: TaskId) =>
  calls.verbs.get(id).pipe(
    Effect.map(({ spec }) => spec.principal === principal),
    Effect.orElseSucceed(() => false)
  )

const artifact = (calls: Calls, principal: string, uri: string, digest: string) =>
  Effect.gen(function*() {
    const found = yield* calls.verbs.artifact(digest)
    if (found === undefined || !(yield* isOwn(calls, principal, found.run))) return undefined
    const { bytes, mediaType } = found
    const contents: ResourceContents = isText(mediaType)
      ? { uri, mimeType: mediaType, text: new TextDecoder().decode(bytes) }
      : { uri, mimeType: mediaType, blob: Buffer.from(bytes).toString("base64") }
    return [contents]
  })

const transcript = (calls: Calls, principal: string, uri: string, run: string) =>
  Effect.gen(function*() {
    if (!isTaskId(run) || !(yield* isOwn(calls, principal, TaskId.make(run)))) return undefined
    const events = yield* calls.verbs.events({ run: TaskId.make(run), since: 0, limit: mostFacts })
    const lines = events.map((event) => JSON.stringify(event))
    const cut = events.length < mostFacts ? [] : [JSON.stringify({ cut: `the first ${mostFacts} facts` })]
    return [{ uri, mimeType: "application/jsonl", text: [...lines, ...cut].join("\n") }]
  })

/** The templates every service has, for what the principal may see. */
export const recordTemplates = (calls: Calls, principal: string): ReadonlyArray<ResourceTemplate> => [
  {
    uriTemplate: "coppice://artifacts/{digest}",
    name: "artifact",
    description: "A large value an agent has kept",
    read: (uri, { digest = "" }) => Effect.orDie(artifact(calls, principal, uri, digest))
  },
  {
    uriTemplate: "coppice://runs/{run}/transcript",
    name: "transcript",
    description: "Every fact of a run, one a line",
    mimeType: "application/jsonl",
    read: (uri, { run = "" }) => Effect.orDie(transcript(calls, principal, uri, run))
  }
]
