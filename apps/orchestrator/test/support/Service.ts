/**
 * A whole service inside the test's process, on a port of its own, with the agents of `coppice.config.ts`.
 */
import * as ApiClient from "@coppice/api/ApiClient"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
import { merge } from "../../src/Settings.ts"
import config from "./coppice.config.ts"

/** A folder that goes with the scope. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "coppice-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The service of the test configuration over a store. */
export const service = (store: string, data: string) =>
  Orchestrator.layer({ orchestrator: config }, merge({ port: 0, data, store })).pipe(
    Layer.provide(Logging.layer("none"))
  )

/** `fetch`, as a browser or a script has it. */
export const ask = (url: string, init?: RequestInit): Promise<Response> => fetch(url, init)

/** A request's own parts. */
export type Init = Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> }

export class Service extends Context.Service<Service, {
  readonly url: string
  readonly token: string
  readonly client: ApiClient.ApiClient
  /** A request as it is, with the token unless `headers` says otherwise. */
  readonly fetch: (path: string, init?: Init) => Effect.Effect<Response>
}>()("@coppice/orchestrator/test/Service") {
  /** Beside a running service. */
  static readonly layer = Layer.effect(
    Service,
    Effect.gen(function*() {
      const { url } = yield* Listener
      const token = Redacted.value(yield* Token)
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
      return {
        url,
        token,
        client: yield* ApiClient.make({ url, token }),
        fetch: (path, init) =>
          Effect.promise(() => ask(url + path, { ...init, headers: { ...headers, ...init?.headers } }))
      }
    })
  )

  static readonly layerMemory = Layer.provideMerge(
    this.layer,
    Layer.unwrap(Effect.map(folder, (data) => service("memory:", data)))
  )
}

/** Waits until the task's log has such a fact. */
export const until = Effect.fnUntraced(function*(task: string, type: string) {
  const tasks = yield* Tasks
  const id = yield* tasks.resolve(task)
  return yield* tasks.watch({ task: id, since: 0 }).pipe(
    Stream.filter(({ event }) => event._tag === type),
    Stream.runHead
  )
})

/** Submits and answers with the id. */
export const submit = Effect.fnUntraced(function*(agent: string, input: unknown) {
  const { client } = yield* Service
  return (yield* client.tasks.submit({ payload: { agent, input: input as never } })).id
})

export { TaskLog }
