/**
 * Tells webhooks what happens to questions, with the log as the outbox (ADR 0004): each has a cursor of its own.
 *
 * ```text
 *   log ──► facts after the cursor ──► messages ──► POST until it is taken ──► cursor, with the next commit
 * ```
 *
 * Delivery is at least once and in order: a crash between the receiver's yes and the cursor sends the same message again,
 * under the same id. A receiver that is away is tried again for three days, then that message is given up and the next one
 * has its turn; one that says 410 is told nothing more, also after a restart, until its address changes. What a question
 * asks for is not sent any more once it is answered.
 */
import { People } from "@coppice/task/People"
import type { Offer } from "@coppice/task/Policy"
import type { Envelope } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { type StoreError, TaskStore } from "@coppice/task/TaskStore"
import * as Config from "coppice/Webhooks"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import { AnswerLinks } from "./AnswerLinks.ts"
import { Listener } from "./Listener.ts"
import { type StartError, usage } from "./StartError.ts"
import { Composer, isTold, type Message } from "./WebhookMessage.ts"
import { type Reply, WebhookSender } from "./WebhookSender.ts"

const page = 500

/** After so many facts that are nobody's news the cursor is kept, so that a restart need not read them again. */
const mostSkipped = 5_000

const firstDelay = Duration.toMillis("1 second")
const longestDelay = Duration.toMillis("1 hour")

/** How long one message is tried. */
const persistence = Duration.toMillis("3 days")

/** How often at least, also when it is old already: the service may have been away itself. */
const fewestTries = 5

const goneKind = "webhook-gone"

/** The message is at fault, not the time: sending it again would get the same answer. */
const refusals = new Set([400, 413, 415, 422])

type Outcome = "delivered" | "given up" | "gone" | "stale"

/** How long to wait after the nth try: three times as long each time, a fifth more or less. */
const delayAfter = (tries: number, { retryAfter = 0 }: Reply): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => {
    const delay = Math.min(longestDelay, firstDelay * 3 ** (tries - 1)) * (0.8 + 0.4 * random)
    return Math.min(longestDelay, Math.max(delay, retryAfter))
  })

const digest = (webhook: Config.Webhook): string =>
  createHash("sha256").update(Redacted.value(webhook.url)).digest("base64url")

/** Delivers one message, in as many tries as it takes. */
const makeCourier = Effect.gen(function*() {
  const log = yield* TaskLog
  const store = yield* TaskStore
  const tasks = yield* Tasks
  const sender = yield* WebhookSender

  const isStale = Effect.fnUntraced(function*({ asks }: Message) {
    if (asks === undefined) return false
    const state = log.resident(asks.task)?.state ?? (yield* store.load(asks.task))?.state
    return state?.inputs.some(({ key }) => key === asks.key) !== true
  })

  const offered = (webhook: Config.Webhook, { asks, to }: Message, offer: Pick<Offer, "how" | "detail">) => {
    if (asks === undefined) return Effect.void
    const door = `webhook:${webhook.name}`
    const whom = to.length === 0 ? [{}] : to.map((person) => ({ to: person }))
    const offers = whom.map((person) =>
      tasks.offered({ id: asks.task, key: asks.key, offer: { door, ...person, ...offer } })
    )
    return Effect.ignore(Effect.all(offers, { concurrency: "unbounded", discard: true }))
  }

  const outcomeOf = ({ status }: Reply, isLast: boolean): Outcome | undefined => {
    if (status >= 200 && status < 300) return "delivered"
    if (status === 410) return "gone"
    return refusals.has(status) || isLast ? "given up" : undefined
  }

  return Effect.fnUntraced(function*(webhook: Config.Webhook, message: Message) {
    const began = log.now()
    for (let tries = 1;; tries++) {
      if (yield* isStale(message)) return "stale"
      const now = log.now()
      const reply = yield* sender.send(webhook, message, now)
      const isLast = tries >= fewestTries && now - began >= persistence
      const outcome = outcomeOf(reply, isLast)
      if (outcome === "delivered") {
        yield* offered(webhook, message, { how: "delivered" })
        return outcome
      }
      if (tries === 1 || outcome !== undefined) {
        const next = outcome === undefined ? "it is tried again" : "it is given up"
        yield* Effect.logWarning(`Webhook "${webhook.name}" did not take a message (${reply.said}); ${next}`)
        yield* offered(webhook, message, { how: "undelivered", detail: `${reply.said}; ${next}` })
      }
      if (outcome !== undefined) return outcome
      yield* Effect.sleep(yield* delayAfter(tries, reply))
    }
  })
})

type Courier = Effect.Success<typeof makeCourier>

/** One webhook's way through the log. */
class Reader {
  private since: number
  /** Where the stored cursor is. */
  private kept: number
  private readonly news = Latch.makeUnsafe(true)
  private readonly services: {
    readonly webhook: Config.Webhook
    readonly log: TaskLog["Service"]
    readonly store: TaskStore["Service"]
    readonly composer: Composer
    readonly courier: Courier
  }

  constructor(services: Reader["services"], since: number) {
    this.services = services
    this.since = since
    this.kept = since
  }

  private get consumer(): string {
    return `webhook:${this.services.webhook.name}`
  }

  private keep(): void {
    this.kept = this.since
    // one more than the place, so that the beginning of the log can be told from a webhook that is new
    this.services.log.setCursor(this.consumer, this.since + 1)
  }

  /** Passes over a commit that is nobody's news without reading it, if all before it has been dealt with. */
  readonly committed = (events: ReadonlyArray<Envelope>): void => {
    if (this.since !== events[0]!.seq - 1 || events.some(isTold)) return void this.news.openUnsafe()
    this.since = events.at(-1)!.seq
    if (this.since - this.kept >= mostSkipped) this.keep()
  }

  /** Tells everything that is committed; false when the receiver wants nothing more. */
  private readonly pass = Effect.gen({ self: this }, function*() {
    const { composer, courier, log, store, webhook } = this.services
    while (true) {
      const facts = yield* store.events({ since: this.since, limit: page })
      if (facts.length === 0) return true
      for (const fact of facts) {
        const messages = isTold(fact) ? yield* composer.messages(webhook, fact) : []
        for (const message of messages) {
          if ((yield* courier(webhook, message)) !== "gone") continue
          log.setNote({ kind: goneKind, key: webhook.name, value: digest(webhook) })
          return false
        }
        this.since = fact.seq
        if (messages.length > 0) this.keep()
      }
      if (this.since - this.kept >= mostSkipped) this.keep()
    }
  }).pipe(
    Effect.catch((error: StoreError) =>
      Effect.logWarning(`Webhook "${this.services.webhook.name}" waits for the store`, error.message).pipe(
        Effect.andThen(Effect.sleep("5 seconds")),
        Effect.as(true)
      )
    )
  )

  /** Until the receiver wants nothing more. */
  readonly run = Effect.gen({ self: this }, function*() {
    while (true) {
      yield* this.news.await
      this.news.closeUnsafe()
      if (!(yield* this.pass)) return
    }
  })
}

/** Where a webhook begins: where it was, or with what comes from now on; `undefined` when it wants nothing more. */
const placeOf = Effect.fnUntraced(function*(webhook: Config.Webhook) {
  const log = yield* TaskLog
  const store = yield* TaskStore
  const consumer = `webhook:${webhook.name}`
  const gone = yield* store.note(goneKind, webhook.name)
  if (gone === digest(webhook)) return undefined
  if (gone !== undefined) log.setNote({ kind: goneKind, key: webhook.name, value: null })
  const stored = gone === undefined ? yield* store.cursor(consumer) : 0
  if (stored > 0) return stored - 1
  log.setCursor(consumer, log.head + 1)
  return log.head
})

const start = Effect.fnUntraced(function*(webhook: Config.Webhook, composer: Composer, courier: Courier) {
  const since = yield* placeOf(webhook)
  if (since === undefined) {
    return yield* Effect.logWarning(
      `Webhook "${webhook.name}" has said 410 and is told nothing more; give it another url to begin again`
    )
  }
  const log = yield* TaskLog
  const reader = new Reader({ webhook, log, store: yield* TaskStore, composer, courier }, since)
  const stop = log.onCommit(reader.committed)
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  yield* Effect.forkScoped(Effect.ensuring(reader.run, Effect.sync(stop)))
})

const checked = (webhooks: Config.Webhooks, people: Parameters<typeof Config.toWebhooks>[1]) =>
  Effect.try({
    try: () => Config.toWebhooks(webhooks, people, process.env),
    catch: (cause): StartError =>
      usage(cause instanceof Error ? cause.message : String(cause), "correct the configuration and start again")
  })

/** Follows the log for each webhook of the configuration. */
export const layer = (
  webhooks: Config.Webhooks
): Layer.Layer<
  never,
  StartError | StoreError,
  TaskStore | TaskLog | Tasks | Listener | AnswerLinks | WebhookSender
> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const people = yield* People
    const all = yield* checked(webhooks, people)
    if (all.length === 0) return
    const composer = new Composer({
      people,
      links: yield* AnswerLinks,
      store: yield* TaskStore,
      origin: (yield* Listener).url
    })
    const courier = yield* makeCourier
    yield* Effect.forEach(all, (webhook) => start(webhook, composer, courier), { discard: true })
  }))
