/** Questions to a person: an answer, and nobody there. */
import { Agent, Human, Orchestrator } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const Publish = Agent.make("publish", {
  description: "Publishes a text once a person has approved it",
  input: Schema.Struct({ title: Schema.String }),
  output: Schema.String
})

// #region ask
const Approval = Schema.Struct({
  approve: Schema.Boolean.annotate({ title: "Publish it?" }),
  comment: Schema.optionalKey(Schema.String)
})

const PublishLive = Publish.toLayer(
  Effect.fn("publish")(function*({ title }) {
    const answer = yield* Human.ask({ message: `Publish "${title}"?`, form: Approval }).pipe(
      Effect.timeout(title === "draft" ? "50 millis" : "4 hours"),
      Effect.catchTag("TimeoutError", () => Effect.succeed({ approve: false })),
      Effect.catchTag("NotAccepted", () => Effect.succeed({ approve: false }))
    )
    return answer.approve ? "published" : "kept"
  })
)
// #endregion ask

const orchestrator = Orchestrator.make({ agents: [PublishLive] })

const program = Effect.gen(function*() {
  const draft = yield* Orchestrator.run("publish", { title: "draft" })
  yield* Effect.forkChild(Orchestrator.answerAll(() => ({ approve: true })))
  const final = yield* Orchestrator.run("publish", { title: "final" })
  return [draft.ending, final.ending].map((ending) => ending._tag === "Completed" ? ending.result : ending)
})

const results = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
assert.deepEqual(results, ["kept", "published"])
console.log(JSON.stringify(results))
