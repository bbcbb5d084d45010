/**
 * Logs of earlier releases replay with this code (case 11).
 *
 * `fixtures/log-1.json` is a run of the agents below, commit by commit, as the first release wrote it. It is never
 * written again: `COPPICE_WRITE_FIXTURE=FILE` writes a new one beside it when the log or the keys grow.
 */
import type { TaskEvent } from "@coppice/task/TaskEvent"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Agent from "../../src/Agent.ts"
import * as Durable from "../../src/Durable.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import * as Workflow from "../../src/Workflow.ts"
import { withoutEnd } from "../support/Equivalence.ts"
import { eventsIn, recording, restored } from "../support/Recording.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { inWorld, pause, result, submit } from "../support/World.ts"

const Translate = Agent.make("translate", {
  description: "Translates a word",
  input: Schema.Struct({ word: Schema.String, at: Schema.Date }),
  output: Schema.Struct({ words: Schema.Array(Schema.String) }),
  error: Schema.Struct({ unknown: Schema.String })
})
const Count = Agent.make("count", { description: "Counts", input: Schema.String, output: Schema.Int, ephemeral: true })
const Story = Workflow.make("story", { description: "All there is", input: Schema.Json, output: Schema.Json })

const at = new Date(0)
const translate = (word: string) => Translate.call({ word, at })
const question = Human.ask({ message: "Publish?", form: Schema.Struct({ yes: Schema.Boolean }) })

/** Bodies that ran, by their keys. */
const agents = (ran: Array<string>) => {
  const effect = <A>(value: A, takes = 0) =>
    Effect.andThen(
      Effect.flatMap(Step.idempotencyKey, (key) => Effect.sync(() => ran.push(key))),
      Effect.as(Effect.sleep(takes), value)
    )
  const story = Effect.gen(function*() {
    const first = yield* Step.run("first", effect({ n: 1 }))
    const same = yield* Effect.forEach([1, 1, 2], (n) => Step.run("same", { n }, effect(n * 10, 5)), { concurrency: 2 })
    const long = yield* Step.run("long", "x".repeat(100), effect("long"))
    const words = yield* Effect.forEach(["a", "b", "a"], translate, { concurrency: "unbounded" })
    const error = yield* Effect.flip(Effect.retry(translate("?"), { times: 1, schedule: Schedule.spaced("1 second") }))
    const none = "unknown" in error ? { unknown: error.unknown } : null
    const quick = yield* Effect.race(translate("slow"), translate("quick"))
    const late = yield* Effect.timeoutOption(Step.run("late", effect("late", 60_000)), "2 seconds")
    const { yes } = yield* question
    const length = yield* Count.call("four")
    const chance = yield* Durable.random
    yield* Durable.progress({ progress: 1, total: 1 })
    return { first, same, long, words, none, quick, late: late._tag, yes, length, chance, now: yield* Durable.now }
  })
  return [
    Translate.toLayer(({ word }) =>
      word === "?"
        ? Effect.fail({ unknown: word })
        : Effect.map(Step.run("look up", effect([word], word === "slow" ? 500 : 20)), (words) => ({ words }))
    ),
    Count.toLayer((text) => Effect.succeed(text.length)),
    Story.toLayer(() => Effect.map(Effect.orDie(story), (told): any => told))
  ]
}

const start = 1_700_000_000_000
const answer = (id: Parameters<typeof result>[0]) =>
  Effect.flatMap(
    Tasks,
    (tasks) => tasks.respond({ id, response: { action: "accept", content: { yes: true }, by: "ada" } })
  )

/** Answers the question when it comes, or has come. */
const answered = Effect.fnUntraced(function*(id: Parameters<typeof result>[0]) {
  const tasks = yield* Tasks
  const isOpen = Effect.map(tasks.inbox({ run: id }), (open) => open.length > 0)
  while (!(yield* isOpen)) {
    const { settlement } = yield* tasks.get(id)
    if (settlement !== null) return yield* result(id)
    yield* Effect.sleep(100)
  }
  yield* answer(id)
  return yield* result(id)
})

const live = Effect.fnUntraced(function*(before: ReadonlyArray<Batch>) {
  const [batches, ran]: [Array<Batch>, Array<string>] = [[], []]
  const clock = new VirtualClock(before.at(-1)?.events.at(-1)?.at ?? start)
  const options = { agents: agents(ran), store: recording(batches, restored(before)), clock, seed: `${before.length}` }
  const first = before[0]?.events[0]?.task
  const id = first === undefined ? submit("story", null) : Effect.as(pause, first)
  const { ending } = yield* inWorld(options, Effect.flatMap(id, answered))
  return { ending, batches, ran }
})

const read = (file: string): ReadonlyArray<Batch> =>
  JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", file), "utf8"))
    .map((batch: Batch) => ({ ...batch, cursors: new Map() }))

const keysOf = (events: ReadonlyArray<TaskEvent>) =>
  events.flatMap((event) => {
    if (event._tag === "InputRequested") return [event.request.key]
    return "key" in event && event.key !== null ? [event.key] : []
  })

const write = process.env["COPPICE_WRITE_FIXTURE"]
if (write !== undefined) {
  const { batches } = await Effect.runPromise(live([]))
  writeFileSync(write, JSON.stringify(batches, null, 1))
}

describe("the log of release 1", () => {
  const batches = read("log-1.json")
  const events = eventsIn(batches)
  const root = events[0]!.task
  const ending = events.findLast(({ event, task }) => task === root && event._tag === "Completed")!.event

  it.effect("is read to its end without anything being done again", () =>
    Effect.gen(function*() {
      const again = yield* live(withoutEnd({ root, batches } as never))
      assert.deepStrictEqual(again.ending, ending)
      assert.deepStrictEqual(again.ran, [])
    }))

  it.effect("goes on from every commit, and does again only what was not recorded", () =>
    Effect.forEach(batches.slice(1).keys(), (index) =>
      Effect.gen(function*() {
        const cut = batches.slice(0, index + 1)
        const recorded = new Set(
          eventsIn(cut).flatMap(({ event, task }) => event._tag === "StepRecorded" ? [`${task}/${event.key}`] : [])
        )
        const { ending, ran } = yield* live(cut)
        assert.strictEqual(ending._tag, "Completed", `after commit ${index}: ${JSON.stringify(ending)}`)
        assert.deepStrictEqual(ran.filter((key) => recorded.has(key)), [])
      }), { discard: true }))

  it.effect("has the keys this code makes", () =>
    Effect.gen(function*() {
      const now = yield* live([])
      const mine = eventsIn(now.batches).map(({ event }) => event)
      assert.sameMembers(keysOf(mine), keysOf(events.map(({ event }) => event)))
    }))
})
