/**
 * One question that stays open while the service is killed again and again, and others that are answered just then.
 *
 * The question has to be there after every start, once and as it was asked. Each of the others is answered by two people at
 * once, around a SIGKILL: whatever was acknowledged is what was applied, and it was applied once.
 */
import type { Question } from "@coppice/api/InboxApi"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { isDeepStrictEqual } from "node:util"
import { Client } from "./Client.ts"
import type * as Seeded from "./Seeded.ts"
import * as Service from "./Service.ts"

interface Options {
  readonly config: string
  readonly folder: string
  readonly kills: number
  readonly seeded: Seeded.Seeded
}

interface Report {
  readonly lines: ReadonlyArray<string>
  readonly broken: ReadonlyArray<string>
}

/** One round, a start of the service included, takes about a second. */
const limit = "60 seconds"

/** The one question of a run, as soon as it is asked. */
const questionOf = Effect.fnUntraced(function*(client: Client, run: string) {
  while (true) {
    const questions = yield* client.questions(run)
    if (questions.length > 0) return questions
    yield* Effect.sleep("10 millis")
  }
})

/** What is wrong with the answers of a run that two people gave at once. */
const answersOf = Effect.fnUntraced(function*(client: Client, run: string) {
  const { completed } = yield* client.result(run)
  const applied = (yield* client.events(run)).flatMap(({ event }) =>
    event._tag === "InputReceived" ? [event.response.content] : []
  )
  const acknowledged = client.journal.flatMap((ack) => ack._tag === "Answered" && ack.task === run ? [ack.content] : [])
  const broken: Array<string> = []
  if (applied.length !== 1) broken.push(`${run}: ${applied.length} answers were applied`)
  if (!isDeepStrictEqual(applied[0], { choice: completed?.output })) broken.push(`${run}: its result is not the answer`)
  for (const content of acknowledged) {
    if (!isDeepStrictEqual(content, applied[0])) broken.push(`${run}: an acknowledged answer was not applied`)
  }
  return { broken, acknowledged: acknowledged.length }
})

/** Two people answer one question around a kill; they ask again until they are told. */
const round = Effect.fnUntraced(function*<R>(client: Client, name: string, kill: Effect.Effect<void, never, R>) {
  const run = yield* client.submit("asker", { topic: name }, name)
  const [question] = yield* questionOf(client, run)
  const say = (choice: string) => client.answer(run, question!.request.key, { choice })
  yield* Effect.all([say("left"), say("right"), kill], { concurrency: "unbounded" })
  return yield* answersOf(client, run)
})

const same = (a: ReadonlyArray<Question>, b: ReadonlyArray<Question>): boolean =>
  a.length === 1 && isDeepStrictEqual(a, b)

/** Kills the service, starts it again, and looks whether everything is as it was. */
export const run = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<Report, unknown, Scope.Scope> {
  const { config, folder, kills, seeded } = options
  const site = Service.siteIn(folder, config)
  const broken: Array<string> = []
  const client = new Client()
  let acknowledged = 0
  let up = yield* Service.startUp(site)
  client.moved(up.address)
  const kill = Effect.suspend(() => Effect.sleep(seeded.between(0, 40))).pipe(
    Effect.andThen(Effect.suspend(() => up.service.signal("SIGKILL"))),
    Effect.andThen(Effect.sync(() => client.moved(undefined))),
    Effect.andThen(Effect.suspend(() => up.service.ended)),
    Effect.andThen(Service.startUp(site)),
    Effect.map((next) => {
      up = next
      client.moved(next.address)
    })
  )
  const parked = yield* client.submit("asker", { topic: "the parked one" }, "parked")
  const asked = yield* questionOf(client, parked)
  for (let n = 1; n <= kills; n++) {
    const answers = yield* Effect.timeoutOption(round(client, `asked ${n}`, kill), limit)
    if (Option.isNone(answers)) {
      broken.push(`after kill ${n} what was asked did not end within ${limit}`)
      break
    }
    broken.push(...answers.value.broken)
    acknowledged += answers.value.acknowledged
    if (!same(asked, yield* client.questions(parked))) broken.push(`after kill ${n} the parked question is another one`)
  }
  if (broken.length === 0) {
    yield* client.answer(parked, asked[0]!.request.key, { choice: "left" })
    broken.push(...(yield* answersOf(client, parked)).broken)
  }
  yield* up.service.signal("SIGTERM")
  yield* up.service.ended
  return {
    lines: [
      "parked question:",
      `  ${broken.length === 0 ? "ok    " : "BROKEN"} one question over ${kills} kills, the same after each`,
      `  ${
        broken.length === 0 ? "ok    " : "BROKEN"
      } ${kills} questions answered by two at once around a kill, ${acknowledged} answers ` +
      "acknowledged, each applied once",
      ...broken.map((line) => `    ${line}`)
    ],
    broken
  }
}, Effect.scoped)
