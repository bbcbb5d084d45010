import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Durable from "../../src/Durable.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import { root, type Work } from "../support/Twice.ts"
import { inWorld, result, submit } from "../support/World.ts"

const Leaf = Agent.make("leaf", { description: "", input: Schema.Json, output: Schema.Json })
const LeafLive = Leaf.toLayer(Effect.succeed)
const Other = Agent.make("other", { description: "", input: Schema.Json, output: Schema.Json })
const OtherLive = Other.toLayer(Effect.succeed)

const step = (name: string) => Step.run(name, Effect.succeed(name))
const ask = (message: string) => Effect.ignore(Human.ask({ message, form: Schema.Struct({ ok: Schema.Boolean }) }))
const never = Effect.sleep("1 hour")

/** How a task ends whose code is `before` for a while, and then, in another process, `after`. */
const changed = Effect.fnUntraced(function*(before: Work, after: Work) {
  const batches: Array<Batch> = []
  const agents = [LeafLive, OtherLive]
  const life = Effect.andThen(submit("root", null), Effect.sleep(100))
  yield* inWorld({ agents: [...agents, root(before)], store: recording(batches) }, life)
  const id = batches[0]!.events[0]!.task
  const options = { agents: [...agents, root(after)], store: restored(batches), patience: 100_000_000 }
  return (yield* inWorld(options, result(id))).ending
})

const mismatches: ReadonlyArray<readonly [string, Work, Work, string, string]> = [
  ["renamed step", Effect.andThen(step("a"), never), Effect.andThen(step("b"), never), "step:a", "step:b"],
  [
    "removed step",
    Effect.all([step("a"), step("b"), never]),
    Effect.all([step("a"), never]),
    "step:b",
    "timer:3600000:0"
  ],
  [
    "step in another place",
    Effect.all([step("a"), step("b"), never]),
    Effect.all([step("b"), step("a"), never]),
    "step:a",
    "step:b"
  ],
  ["step in front", Effect.all([step("a"), never]), Effect.all([step("new"), step("a"), never]), "step:a", "step:new"],
  ["removed last step", Effect.all([step("a"), step("b"), never]), step("a"), "step:b", "nothing recorded"],
  ["everything removed", Effect.all([step("a"), never]), Effect.succeed(1), "step:a", "nothing recorded"],
  [
    "step with another input",
    Effect.andThen(Step.run("a", 1, Effect.void), never),
    Effect.andThen(Step.run("a", 2, Effect.void), never),
    "step:a:1:0",
    "step:a:2:0"
  ],
  [
    "call of another agent",
    Effect.andThen(Leaf.call(1), never),
    Effect.andThen(Other.call(1), never),
    "call:leaf:1:0",
    "call:other:1:0"
  ],
  ["renamed question that is open", ask("old?"), ask("new?"), "ask:", "ask:"],
  ["removed question that is open", ask("old?"), never, "ask:", "timer:3600000:0"],
  ["changed pause", Durable.sleep("2 hours"), Durable.sleep("3 hours"), "timer:7200000:0", "timer:10800000:0"],
  ["removed pause", Durable.sleep("2 hours"), Effect.succeed(1), "timer:7200000:0", "nothing recorded"]
]

describe("a replay of code with", () => {
  it.effect.each(mismatches)(
    "a %s fails the task, and says what the log has and the code wants",
    ([, before, after, has, wants]) =>
      Effect.gen(function*() {
        const ending = yield* changed(before, after)
        assert(ending._tag === "Failed", JSON.stringify(ending))
        assert.strictEqual(ending.reason, "replay_mismatch")
        assert.match(ending.message, /^ReplayMismatch: The code of "root" no longer fits the log of task \w+: /)
        const [, recorded, waiting] = /the log has (.*) next, the code waits for (.*)$/.exec(ending.message)!
        assert.include(recorded, has)
        assert.include(waiting, wants)
      })
  )

  const matches: ReadonlyArray<readonly [string, Work, Work, Schema.Json]> = [
    [
      "a step added at the end",
      Effect.andThen(step("a"), never),
      Effect.andThen(step("a"), Effect.andThen(never, step("b"))),
      "b"
    ],
    [
      "another result of the same steps",
      Effect.andThen(step("a"), never),
      Effect.andThen(step("a"), Effect.as(never, "new")),
      "new"
    ],
    ["nothing recorded yet", Effect.never, step("a"), "a"],
    [
      "work outside the log that takes its time",
      Effect.andThen(step("a"), never),
      Effect.andThen(
        Effect.promise(() => new Promise(setImmediate)),
        Effect.andThen(step("a"), Effect.as(never, "late"))
      ),
      "late"
    ]
  ]

  it.effect.each(matches)("%s goes on", ([, before, after, expected]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* changed(before, after), { _tag: "Completed", result: expected })
    }))
})
