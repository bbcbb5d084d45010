/** A budget for a whole tree: calls, tokens and time, a grant to a child, the result so far when it is used up. */
import { Agent, Budget, Durable, Orchestrator, Step, Tasks, Workflow } from "coppice"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

/** Stands for a model: what it says, and what that took. */
const model = (prompt: string) => Effect.succeed({ text: `about ${prompt}`, tokens: 40 })

const Summarise = Agent.make("summarise", {
  description: "Summarises chapters",
  input: Schema.Struct({ chapters: Schema.Array(Schema.String) }),
  output: Schema.Array(Schema.String),
  takes: "10 millis"
})

// #region reserve
const SummariseLive = Summarise.toLayer(
  Effect.fn("summarise")(function*({ chapters }) {
    const done: Array<string> = []
    for (const chapter of chapters) {
      const answer = yield* Budget.reserve(
        { tokens: 100 }, // the most it can be: max_tokens
        Step.run("ask", { chapter }, model(chapter)),
        ({ tokens }) => ({ tokens }) // what it was
      )
      done.push(answer.text)
      yield* Durable.partial([...done])
    }
    return done
  })
)
// #endregion reserve

const Book = Workflow.make("book", {
  description: "Summarises a book as far as the budget goes",
  input: Schema.Struct({ chapters: Schema.Array(Schema.String) }),
  output: Schema.Struct({ summaries: Schema.Json, left: Schema.Json })
})

// #region grant
const BookLive = Book.toLayer(
  Effect.fn("book")(function*({ chapters }) {
    const summaries: Schema.Json = yield* Summarise.call({ chapters }, {
      budget: { tokens: 200, wallClock: "10 minutes" }
    }).pipe(
      Effect.catchTag("CallError", (error) =>
        error.reason._tag === "Failed" && error.reason.reason === "budget"
          ? Effect.succeed(error.reason.partial ?? [])
          : Effect.fail(error))
    )
    return { summaries, left: yield* Budget.remaining }
  })
)
// #endregion grant

// #region orchestrator
const orchestrator = Orchestrator.make({
  agents: [SummariseLive, BookLive],
  budget: { wallClock: "1 hour", calls: 50, tokens: 1_000 }
})
// #endregion orchestrator

const program = Effect.gen(function*() {
  const { ending, task } = yield* Orchestrator.run("book", { chapters: ["one", "two", "three", "four", "five"] })
  // 200 were granted; after three answers of 40 tokens 80 are left of them, and the fourth may need 100
  assert.deepEqual(ending, {
    _tag: "Completed",
    result: { summaries: ["about one", "about two", "about three"], left: { calls: 49, tokens: 880 } }
  })
  assert.deepEqual(task.pool, { spent: { calls: 1, tokens: 120 }, open: {} })
  const tasks = yield* Tasks
  const late = { agent: "summarise", input: { chapters: [] }, deadline: (yield* Clock.currentTimeMillis) + 1 }
  assert.equal((yield* Effect.flip(tasks.submit(late)))._tag, "DeadlineTooShort")
})

await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
console.log("three chapters for 120 of 1,000 tokens, and the rest of the grant came back")
