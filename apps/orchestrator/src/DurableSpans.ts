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
import { replay } from "@coppice/task/TaskMachine"
import { TaskLog } from "@coppice/task/TaskLog"
import { TaskStore } from "@coppice/task/TaskStore"
import { metric } from "@coppice/task/Telemetry"
import { Workers } from "@coppice/task/Worker"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
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
export const exported = Metric.counter(metric.spansExported, { incremental: true })

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

const make = Effect.fnUntraced(function*(sink: SpanSink) {
  const store = yield* TaskStore
  const log = yield* TaskLog
  const workers = yield* Workers
  const options = yield* SpanOptions
  const budget = new Budget(options.runLimit)

  // The stored cursor is one more than the position, so that a log that was read from its beginning can be told from
  // one that was never read: its history is not sent when tracing is first switched on.
  const stored = yield* store.cursor(consumer)
  let since = stored === 0 ? log.head : stored - 1
  if (stored === 0) log.setCursor(consumer, since + 1)

  const factsOf = Effect.fnUntraced(function*(task: TaskId) {
    const facts: Array<Envelope> = []
    while (true) {
      const next = yield* store.events({ task, since: facts.at(-1)?.seq ?? 0, limit: page })
      facts.push(...next)
      if (next.length < page) return facts
    }
  })

  /** The spans of a task, if this fact is the one it came to rest with. */
  const atRest = Effect.fnUntraced(function*(envelope: Envelope) {
    const facts = yield* factsOf(envelope.task)
    const state = replay(envelope.task, facts)
    if (state === undefined || state.settlement === null || facts.at(-1)?.seq !== envelope.seq) return []
    const kind = workers.find(state.agent)?.contract.kind ?? "agent"
    const spans = SpanRecord.ofTask(facts, { kind, limit: budget.left(state.run) })
    budget.spend(state.run, spans.length)
    return spans
  })

  const send = (spans: ReadonlyArray<SpanRecord.SpanRecord>) =>
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

  /** Sends everything that is committed and not sent. */
  const pass = Effect.gen(function*() {
    while (true) {
      const facts = yield* store.events({ since, limit: page })
      if (facts.length === 0) return
      const spans: Array<SpanRecord.SpanRecord> = []
      for (const fact of facts) {
        const beginning = SpanRecord.ofBeginning(fact)
        if (beginning !== undefined) spans.push(beginning)
        if (mayEnd(fact)) spans.push(...yield* atRest(fact))
      }
      for (let i = 0; i < spans.length; i += largestBatch) yield* send(spans.slice(i, i + largestBatch))
      since = facts.at(-1)!.seq
      log.setCursor(consumer, since + 1)
    }
  }).pipe(Effect.catch((error) => Effect.logWarning("Spans wait for the store", error.message)))

  const news = yield* Latch.make(true)
  const stop = log.onCommit((events) => {
    if (events.length > 0) news.openUnsafe()
  })
  yield* Effect.addFinalizer(() =>
    Effect.andThen(Effect.sync(stop), Effect.timeoutOption(Effect.interruptible(pass), options.flushLimit))
  )
  const loop = Effect.gen(function*() {
    yield* news.await
    yield* Effect.sleep(options.window)
    news.closeUnsafe()
    yield* pass
  })
  yield* Effect.forkScoped(Effect.forever(loop))
})

/** Follows the log and sends spans to the sink, if there is one. */
export const layer: Layer.Layer<never, never, TaskStore | TaskLog | Workers> = Layer.effectDiscard(
  Effect.gen(function*() {
    const sink = yield* SpanSink
    if (sink === undefined) return
    yield* make(sink).pipe(Effect.catch((error) => Effect.logWarning("Spans cannot be sent", error.message)))
  })
)
