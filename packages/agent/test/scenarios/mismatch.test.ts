import { Tasks } from "@coppice/task/Tasks"
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

/** What the task asks when its code is `before` for a while, and then, in another process, `after`; else how it ends. */
const changed = Effect.fnUntraced(function*(before: Work, after: Work) {
  const batches: Array<Batch> = []
  const agents = [LeafLive, OtherLive]
  const life = Effect.andThen(submit("root", null), Effect.sleep(100))
  yield* inWorld({ agents: [...agents, root(before)], store: recording(batches) }, life)
  const id = batches[0]!.events[0]!.task
  const options = { agents: [...agents, root(after)], store: restored(batches), patience: 100_000_000 }
  return yield* inWorld(options, Effect.raceFirst(Effect.map(result(id), ({ ending }) => ending), asked))
})

/** The runtime's own question, once it is asked. */
const asked = Effect.gen(function*() {
  const tasks = yield* Tasks
  while (true) {
    const open = (yield* tasks.inbox({})).map(({ request }) => request)
    const found = open.find(({ key }) => key.startsWith("upgrade:"))
    if (found !== undefined) return { ...found, _tag: "Asked" as const }
    yield* Effect.sleep("1 second")
  }
})

const mismatches: ReadonlyArray<readonly [string, Work, Work, string, string]> = [
  ["renamed step", Effect.andThen(step("a"), never), Effect.andThen(step("b"), never), `step "a"`, `step "b"`],
  [
    "removed step",
    Effect.all([step("a"), step("b"), never]),
    Effect.all([step("a"), never]),
    `step "b"`,
    "pause of 1h"
  ],
  [
    "step in another place",
    Effect.all([step("a"), step("b"), never]),
    Effect.all([step("b"), step("a"), never]),
    `step "a"`,
    `step "b"`
  ],
  [
    "step in front",
    Effect.all([step("a"), never]),
    Effect.all([step("new"), step("a"), never]),
    `step "a"`,
    `step "new"`
  ],
  ["removed last step", Effect.all([step("a"), step("b"), never]), step("a"), `step "b"`, "nothing more"],
  ["everything removed", Effect.all([step("a"), never]), Effect.succeed(1), `step "a"`, "nothing more"],
  [
    "step with another input",
    Effect.andThen(Step.run("a", 1, Effect.void), never),
    Effect.andThen(Step.run("a", 2, Effect.void), never),
    `step "a" 1`,
    `step "a" 2`
  ],
  [
    "call of another agent",
    Effect.andThen(Leaf.call(1), never),
    Effect.andThen(Other.call(1), never),
    `call of "leaf" 1`,
    `call of "other" 1`
  ],
  ["renamed question that is open", ask("old?"), ask("new?"), `question "old?"`, "question ask:"],
  ["removed question that is open", ask("old?"), never, `question "old?"`, "pause of 1h"],
  ["changed pause", Durable.sleep("2 hours"), Durable.sleep("3 hours"), "pause of 2h", "pause of 3h"],
  ["removed pause", Durable.sleep("2 hours"), Effect.succeed(1), "pause of 2h", "nothing more"]
]

describe("a replay of code with", () => {
  it.effect.each(mismatches)(
    "a %s parks the task, and shows what the log has and what the code wants",
    ([, before, after, has, wants]) =>
      Effect.gen(function*() {
        const question = yield* changed(before, after)
        assert(question._tag === "Asked", JSON.stringify(question))
        assert.strictEqual(question.key, "upgrade:1")
        const lines = question.message.split("\n")
        assert.strictEqual(lines[0], `The code of "root" no longer fits what this task has recorded.`)
        assert.include(lines.find((line) => line.startsWith("  - ")), has)
        assert.include(lines.find((line) => line.startsWith("  + ")), wants)
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
