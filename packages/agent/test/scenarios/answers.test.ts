/** Each question is answered once, whoever answers when, and whatever happens in between (I3, I4; case 13). */
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { Executor } from "../../src/Executor.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import { root } from "../support/Twice.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { inWorld, pause, result, type Services, submit } from "../support/World.ts"

const questions = [0, 1, 2, 3] as const
/** The last one is withdrawn after an hour. */
const patient = 3
const Form = Schema.Struct({ v: Schema.Int })

/** What happens, one after the other: to a question, with a value. */
const Act = Schema.Struct({
  what: Schema.Literals(["answer", "both", "unknown", "wrong", "wait", "crash", "evict", "steer"]),
  q: Schema.Literals(questions),
  v: Schema.Literals([1, 2, 3])
})
type Act = typeof Act.Type
const acts = Arbitrary.array(Arbitrary.schema(Act), { minLength: 1, maxLength: 14 })

/** Bodies that ran with an answer. */
const applied: Array<readonly [number, number | null]> = []

const work = Effect.forEach(questions, (q) =>
  Effect.gen(function*() {
    const ask = Effect.orDie(Human.ask({ message: `${q}?`, name: `q${q}`, form: Form }))
    const heard = yield* Effect.timeoutOption(ask, q === patient ? "1 hour" : "1000 days")
    const v = heard._tag === "Some" ? heard.value.v : null
    yield* Step.run("apply", { q, v }, Effect.sync(() => void applied.push([q, v])))
    return v
  }), { concurrency: "unbounded" })

class Story {
  readonly id: TaskId
  readonly accepted = new Map<number, number>()
  constructor(id: TaskId) {
    this.id = id
  }

  respond(q: number, v: unknown, key = `q${q}`) {
    const content = { v } as Schema.JsonObject
    return Effect.flatMap(
      Tasks,
      (tasks) => Effect.exit(tasks.respond({ id: this.id, key, response: { action: "accept", content, by: "ada" } }))
    )
  }

  heard(q: number, v: number, exit: Exit.Exit<unknown, { readonly _tag: string }>): void {
    if (Exit.isFailure(exit)) return
    assert.isFalse(this.accepted.has(q), `question ${q} was answered twice`)
    this.accepted.set(q, v)
  }

  /** Nobody else than who was refused has a right to be. */
  private refused(q: number, exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isSuccess(exit)) return
    assert.isTrue(this.accepted.has(q) || q === patient, `an open question ${q} refused its first answer`)
  }

  act({ q, v, what }: Act): Effect.Effect<unknown, unknown, Services> {
    switch (what) {
      case "answer":
        return Effect.map(this.respond(q, v), (exit) => {
          this.refused(q, exit)
          this.heard(q, v, exit)
        })
      case "both":
        return Effect.map(
          Effect.all([this.respond(q, v), this.respond(q, v + 10)], { concurrency: "unbounded" }),
          ([first, second]) => {
            assert.isFalse(Exit.isSuccess(first) && Exit.isSuccess(second), `question ${q} took two answers at once`)
            this.heard(q, v, first)
            this.heard(q, v + 10, second)
          }
        )
      case "unknown":
        return Effect.map(this.respond(q, v, "nobody"), (exit) => assert.isTrue(Exit.isFailure(exit)))
      case "wrong":
        return Effect.map(this.respond(q, "text"), (exit) => assert.isTrue(Exit.isFailure(exit)))
      case "wait":
        return Effect.sleep("25 minutes")
      case "evict":
        return Effect.flatMap(Executor, ({ evictIdle }) => evictIdle)
      case "steer":
        return Effect.ignore(
          Effect.flatMap(Tasks, (tasks) => tasks.steer({ id: this.id, by: "ada", message: "hurry" }))
        )
      default:
        return Effect.void
    }
  }
}

/** Acts between two crashes. */
const lives = (all: ReadonlyArray<Act>): ReadonlyArray<ReadonlyArray<Act>> => {
  const lives: Array<Array<Act>> = [[]]
  for (const act of all) {
    if (act.what === "crash") lives.push([])
    else lives.at(-1)!.push(act)
  }
  return lives
}

const told = Effect.fnUntraced(function*(all: ReadonlyArray<Act>) {
  applied.length = 0
  const batches: Array<Batch> = []
  const world = <A>(life: Effect.Effect<A, unknown, Services>) => {
    const before = [...batches]
    const clock = new VirtualClock(before.at(-1)?.events.at(-1)?.at ?? 1_800_000_000_000)
    const store = recording(batches, restored(before))
    return inWorld({ agents: [root(work)], store, clock, seed: `${before.length}`, patience: 1e12 }, life)
  }
  const story = new Story(yield* world(Effect.tap(submit("root", null), () => pause)))
  for (const life of lives(all)) {
    yield* world(Effect.andThen(pause, Effect.forEach(life, (act) => Effect.andThen(story.act(act), pause))))
  }
  const { ending } = yield* world(Effect.gen(function*() {
    yield* pause
    for (const q of questions) story.heard(q, 99, yield* story.respond(q, 99))
    return yield* result(story.id)
  }))
  assert(ending._tag === "Completed", JSON.stringify(ending))
  assert.deepStrictEqual(ending.result, questions.map((q) => story.accepted.get(q) ?? null))
  for (const q of questions) {
    const values = new Set(applied.filter(([of]) => of === q).map(([, v]) => v))
    assert.deepStrictEqual([...values], [story.accepted.get(q) ?? null], `question ${q}`)
  }
  const received = batches.flatMap(({ events }) =>
    events.flatMap(({ event }) => event._tag === "InputReceived" ? [event.key] : [])
  )
  assert.sameMembers(received, [...story.accepted.keys()].map((q) => `q${q}`))
})

describe("an answer", () => {
  it.effect.prop("is applied once, to the first who gave one", [acts], ([all]) => told(all), {
    arbitrary: { runs: Number(process.env["COPPICE_ANSWER_RUNS"] ?? 40) }
  })
})
