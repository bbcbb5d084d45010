/**
 * A remote agent whose server is out of reach: `why` names the server, and when it is tried again.
 */
import * as Agent from "@coppice/agent/Agent"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { merge } from "../../src/Settings.ts"
import { folder, Service, submit, until } from "../support/Service.ts"

const orchestrator = Runtime.make({
  agents: [],
  servers: { peer: { url: "http://127.0.0.1:1/mcp", agents: [Agent.remote("gone", {})] } }
})

const service = Layer.unwrap(
  Effect.map(folder, (data) =>
    Layer.provideMerge(
      Service.layer,
      Orchestrator.layer({ orchestrator }, merge({ port: 0, data, store: "memory:" }))
    ).pipe(Layer.provide(Logging.layer("none"))))
)

describe("a server that is out of reach", () => {
  it.live("is named, with the time it is tried again", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      // a server that failed five times in a row is left alone for five seconds
      yield* until(yield* submit("gone", {}), "Failed")
      const id = yield* submit("gone", {})
      yield* until(id, "AttemptFailed")
      const { waits: [wait] } = yield* client.tasks.why({ params: { id } })
      assert.deepInclude(wait, { on: "provider", who: `server "peer"`, agent: "gone" })
      assert.isAbove(wait!.due!, wait!.since)
      assert.match(
        wait!.message,
        /attempt 1 was lost: Server "peer" .* is left alone for a while; the next one begins 20/
      )
    }).pipe(Effect.provide(service)))
})
