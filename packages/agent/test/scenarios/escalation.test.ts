/** A decision that takes five days, with a restart each night (case 47; D5). */
import type { Person } from "@coppice/task/People"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { eventsIn, recording, restored } from "../support/Recording.ts"
import { root } from "../support/Twice.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { inWorld, pause, type Services, submit } from "../support/World.ts"

const person = (name: string, ...roles: ReadonlyArray<string>): readonly [string, Person] => [
  name,
  { name, roles, may: ["view", "approve"] }
]
const people = new Map([
  person("ann", "lead"),
  person("bob", "lead"),
  person("cy", "lead"),
  person("dan"),
  person("eve", "director")
])

const hours = { zone: "Europe/Berlin" }
/** Friday, nine o'clock in Berlin. */
const friday = Date.parse("2027-01-15T08:00:00Z")
const day = 24 * 3_600_000

const built: Array<string> = []

/** Two of three leads say go, or the director helps; when to go nobody has to say. */
const release = Effect.gen(function*() {
  yield* Step.run("build", Effect.sync(() => void built.push("build")))
  const go = yield* Human.ask({
    message: "Release?",
    name: "go",
    form: Schema.Struct({ version: Schema.String }),
    to: "@lead",
    quorum: 2,
    remind: "12 hours",
    escalate: [{ after: "16 hours", to: "@director", note: "two leads did not decide" }],
    within: "40 hours",
    hours
  })
  const when = yield* Human.choose({
    message: "When?",
    name: "when",
    options: [{ value: "now", title: "Now" }, { value: "tonight", title: "Tonight", description: "after 22:00" }],
    to: ["ann", "bob"],
    within: "4 hours",
    hours,
    onSilence: { accept: "tonight" }
  })
  return [go.version, when]
})

const answer = (id: TaskId, by: string, content: Schema.JsonObject) =>
  Effect.flatMap(Tasks, (tasks) => tasks.respond({ id, key: "go", response: { action: "accept", content, by } }))

const refused = (id: TaskId, by: string) =>
  Effect.map(Effect.flip(answer(id, by, { version: "2" })), (error) => error.message)

/** Each fact about a question: its weekday and time in UTC, and what it says. */
const told = (batches: ReadonlyArray<Batch>) =>
  eventsIn(batches).flatMap(({ at, event }) => {
    if (!event._tag.startsWith("Input")) return []
    const when = new Date(at).toUTCString().replace(/^(\w+), .* (\d\d:\d\d):\d\d GMT$/, "$1 $2")
    const who = event._tag === "InputVoted" || event._tag === "InputReceived"
      ? ` ${event.response.by}`
      : event._tag === "InputDelegated"
      ? ` ${event.by} to ${event.to}`
      : event._tag === "InputEscalated"
      ? ` to ${event.to.join()}`
      : ""
    return [`${when} ${event._tag.slice(5)}${who}`]
  })

const at = (hour: number): Effect.Effect<void> => Effect.sleep(`${hour} hours`)

describe("a decision of five days", () => {
  it.effect("survives a restart each night, and nobody is asked or counted twice", () =>
    Effect.gen(function*() {
      const batches: Array<Batch> = []
      /** One day from nine o'clock on; at night there is no process. */
      const onDay = <A>(n: number, life: Effect.Effect<A, unknown, Services>) => {
        const store = recording(batches, restored([...batches]))
        const clock = new VirtualClock(friday + n * day)
        const whole = Effect.tap(Effect.andThen(pause, life), () => at(10))
        return inWorld({ agents: [root(release)], people, store, clock, seed: `day ${n}`, patience: day }, whole)
      }
      const id = yield* onDay(
        0,
        Effect.gen(function*() {
          const id = yield* submit("root", null)
          yield* at(1)
          yield* answer(id, "ann", { version: "2" })
          assert.include(yield* refused(id, "eve"), "ann, bob, cy may")
          return id
        })
      )
      yield* onDay(1, answer(id, "ann", { version: "2" }))
      yield* onDay(2, Effect.void)
      yield* onDay(
        3,
        Effect.gen(function*() {
          yield* at(2)
          const { delegate } = yield* Tasks
          yield* delegate({ id, by: "bob", to: "dan" })
          assert.include(yield* refused(id, "bob"), "ann, cy, dan may")
        })
      )
      const { task, tree } = yield* onDay(
        4,
        Effect.gen(function*() {
          const { get, inbox } = yield* Tasks
          yield* at(1)
          const [open] = yield* inbox({})
          yield* at(1)
          yield* answer(id, "dan", { version: "2" })
          assert.match(yield* refused(id, "cy"), /dan answered first/)
          yield* at(5)
          return { task: yield* get(id), tree: open }
        })
      )
      assert.deepStrictEqual([tree!.standing.votes.map(({ by }) => by), tree!.standing.escalated], [["ann"], 1])
      assert.strictEqual(task.status, "completed")
      assert.deepStrictEqual(told(batches), [
        "Fri 08:00 Requested",
        "Fri 09:00 Voted ann",
        "Mon 10:00 Delegated bob to dan",
        "Mon 12:00 Reminded",
        "Tue 08:00 Escalated to @director",
        "Tue 10:00 Voted dan",
        "Tue 10:00 Received dan",
        "Tue 10:00 Requested",
        "Tue 14:00 Received policy"
      ])
      const completed = eventsIn(batches).flatMap(({ event }) => event._tag === "Completed" ? [event.result] : [])
      assert.deepStrictEqual(completed, [["2", "tonight"]])
      assert.deepStrictEqual(built, ["build"])
    }))
})
