/**
 * Sends the spans of finished work, with the log as the outbox.
 *
 * ```text
 *   log ──► page of facts ──► spans of what came to rest ──► collector ──► cursor, with the next commit
 * ```
 *
 * Nothing waits in memory: while the collector is away the cursor stays where it is, and tasks do not notice. A crash
 * between sending and moving the cursor sends the same spans with the same ids again. Only what a collector refuses for
 * good is dropped, and counted.
 */
import type { TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import { replay } from "@coppice/task/TaskMachine"
import { TaskStore } from "@coppice/task/TaskStore"
import { metric } from "@coppice/task/Telemetry"
import { Workers } from "@coppice/task/Worker"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as SpanRecord from "./SpanRecord.ts"

/** The collector did not take the spans. */
export class NotExported extends Data.TaggedError("NotExported")<{
  readonly message: string
  /** Whether the same spans may be taken later. */
  readonly isRetryable: boolean
}> {}

/** Where spans go. */
export interface SpanSink {
  readonly send: (spans: ReadonlyArray<SpanRecord.SpanRecord>) => Effect.Effect<void, NotExported>
}

/** The sink in force; without one, nothing is read or sent. */
export const SpanSink = Context.Reference<SpanSink | undefined>("@coppice/orchestrator/DurableSpans/SpanSink", {
  defaultValue: () => undefined
})

/** How spans are sent. */
export const SpanOptions = Context.Reference<{
  /** How long finished work is gathered before it is sent. */
  readonly window: Duration.Input
  /** Spans one trace may have before steps are only counted. */
  readonly runLimit: number
  readonly flushLimit: Duration.Input
}>("@coppice/orchestrator/DurableSpans/SpanOptions", {
  defaultValue: () => ({ window: "1 second", runLimit: 10_000, flushLimit: "3 seconds" })
})

const consumer = "spans"
const page = 500
const largestBatch = 512
const runsRemembered = 1_000

export const dropped = Metric.counter(metric.spansDropped, { incremental: true })
const exported = Metric.counter(metric.spansExported, { incremental: true })

const mayEnd = ({ event }: Envelope): boolean =>
  event._tag === "Settled" || event._tag === "Completed" || event._tag === "Failed"

/** Spans sent per run, for the runs of late. */
class Budget {
  private readonly sent = new Map<TaskId, number>()
  private readonly limit: number
  constructor(limit: number) {
    this.limit = limit
  }
  left(run: TaskId): number {
    return this.limit - (this.sent.get(run) ?? 0)
  }
  spend(run: TaskId, spans: number): void {
    const total = (this.sent.get(run) ?? 0) + spans
    this.sent.delete(run)
    this.sent.set(run, total)
    if (this.sent.size > runsRemembered) this.sent.delete(this.sent.keys().next().value!)
  }
}

const retries = Schedule.exponential("500 millis", 2).pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(30)))),
  Schedule.jittered
)

/** Reads the spans of finished work out of the store. */
const makeReader = Effect.gen(function*() {
  const store = yield* TaskStore
  const workers = yield* Workers
  const budget = new Budget((yield* SpanOptions).runLimit)

  const factsOf = Effect.fnUntraced(function*(task: TaskId) {
    const facts: Array<Envelope> = []
    while (true) {
      const next = yield* store.events({ task, since: facts.at(-1)?.seq ?? 0, limit: page })
      facts.push(...next)
      if (next.length < page) return facts
    }
  })

  /** The spans of a task, if this fact is the one it came to rest with. A log that contradicts itself has none. */
  const atRest = Effect.fnUntraced(function*(envelope: Envelope) {
    const all = yield* factsOf(envelope.task)
    const last = all.findIndex(({ event }) => event._tag === "Settled")
    // a later word about a task that is at rest changes nothing of its spans
    const facts = last < 0 ? all : all.slice(0, last + 1)
    const state = replay(envelope.task, facts)
    if (state === undefined || state.settlement === null || facts.at(-1)?.seq !== envelope.seq) return []
    const kind = workers.contract(state.agent)?.kind ?? "agent"
    const spans = SpanRecord.ofTask(facts, { kind, limit: budget.left(state.run) })
    budget.spend(state.run, spans.length)
    return spans
  }, Effect.catchDefect((defect) => Effect.as(Effect.logError("A task has no spans", defect), [])))

  const spansOf = Effect.fnUntraced(function*(facts: ReadonlyArray<Envelope>) {
    const spans: Array<SpanRecord.SpanRecord> = []
    for (const fact of facts) {
      const beginning = SpanRecord.ofBeginning(fact)
      if (beginning !== undefined) spans.push(beginning)
      if (mayEnd(fact)) spans.push(...yield* atRest(fact))
    }
    return spans
  })

  return { factsAfter: (since: number) => store.events({ since, limit: page }), spansOf }
})

/** Sends a batch until it is taken, or refused for good. */
const deliver = (sink: SpanSink, spans: ReadonlyArray<SpanRecord.SpanRecord>): Effect.Effect<void> =>
  sink.send(spans).pipe(
    Effect.tapError((error) => Effect.logDebug("The collector took no spans", error.message)),
    Effect.retry({ schedule: retries, while: (error) => error.isRetryable }),
    Effect.andThen(Metric.update(exported, spans.length)),
    Effect.catch((error) =>
      Effect.andThen(
        Metric.update(dropped, spans.length),
        Effect.logWarning(`The collector refused ${spans.length} spans`, error.message)
      )
    )
  )

/** Everything that is committed and not sent, sent. */
const makePass = Effect.fnUntraced(function*(sink: SpanSink) {
  const log = yield* TaskLog
  const reader = yield* makeReader

  // The stored cursor is one more than the position, so that a log that was read from its beginning can be told from
  // one that was never read: its history is not sent when tracing is first switched on.
  const stored = yield* (yield* TaskStore).cursor(consumer)
  let since = stored === 0 ? log.head : stored - 1
  if (stored === 0) log.setCursor(consumer, since + 1)

  return Effect.gen(function*() {
    while (true) {
      const facts = yield* reader.factsAfter(since)
      if (facts.length === 0) return
      const spans = yield* reader.spansOf(facts)
      for (let i = 0; i < spans.length; i += largestBatch) yield* deliver(sink, spans.slice(i, i + largestBatch))
      since = facts.at(-1)!.seq
      log.setCursor(consumer, since + 1)
    }
  }).pipe(Effect.catch((error) => Effect.logWarning("Spans wait for the store", error.message)))
})

/** Runs a pass whenever there is news, and a last one at the end of the scope. */
const follow = Effect.fnUntraced(function*(pass: Effect.Effect<void>) {
  const log = yield* TaskLog
  const options = yield* SpanOptions
  const news = yield* Latch.make(true)
  const stopping = yield* Latch.make(false)
  const unsubscribe = log.onCommit((events) => {
    if (events.length > 0) news.openUnsafe()
  })
  const turn = Effect.gen(function*() {
    yield* Effect.raceFirst(news.await, stopping.await)
    const isLast = Option.isSome(yield* Effect.timeoutOption(stopping.await, options.window))
    news.closeUnsafe()
    yield* pass
    return isLast
  })
  // The last pass is the loop's own: a second one beside it would send the same spans again.
  const fiber = yield* Effect.forkDetach(Effect.repeat(turn, { until: (isLast) => isLast }))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      unsubscribe()
      stopping.openUnsafe()
    }).pipe(
      Effect.andThen(Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), options.flushLimit)),
      Effect.andThen(Effect.sync(() => fiber.interruptUnsafe()))
    )
  )
})

/** Follows the log and sends spans to the sink, if there is one. */
export const layer: Layer.Layer<never, never, TaskStore | TaskLog | Workers> = Layer.effectDiscard(
  Effect.gen(function*() {
    const sink = yield* SpanSink
    if (sink === undefined) return
    yield* Effect.flatMap(makePass(sink), follow).pipe(
      Effect.catch((error) => Effect.logWarning("Spans cannot be sent", error.message))
    )
  })
)
