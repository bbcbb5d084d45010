/**
 * Starts the service again and again, and ends every process of it as planned, until the plans are used up. The last
 * process lives on: the faults have stopped.
 *
 * ```text
 *   start ─► ready ─► client told ─► (the planned end) ─► noted ─► next plan
 *              └──── dies before, by itself: a finding, unless a failpoint was armed
 * ```
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { join } from "node:path"
import type { Client } from "./Client.ts"
import type { CalmRun, Life, LifeEnd } from "./History.ts"
import { describe, type Plan } from "./Plan.ts"
import * as Service from "./Service.ts"

/** The work that goes on while the service dies. */
interface Work {
  /** How many rounds have come to rest. */
  readonly rounds: () => number
  /** How long a round may take that nothing disturbs, milliseconds. */
  readonly bound: number
  /** What the work at hand waits for, for people. */
  readonly why: Effect.Effect<ReadonlyArray<string>>
}

/** What the nemesis did and met. */
export interface Record {
  readonly lives: Array<Life>
  readonly calm: Array<CalmRun>
  /** How often a second process on the same store was refused. */
  refused: number
  /** What no plan explains. */
  readonly surprises: Array<string>
}

/** How long a graceful stop may take; the service gives itself ten seconds. */
const stopLimit = "15 seconds"

const mostSurprises = 5

/** What a process left behind may run on for so long, beside the next process. */
const orphanage = "2 seconds"

interface Options {
  readonly site: Service.Site
  readonly client: Client
  readonly work: Work
  readonly record: Record
}

/** Lets the service live until a round has begun and ended in it, and notes how long that took. */
const calm = Effect.fnUntraced(function*({ record, work }: Options): Effect.fn.Return<void> {
  const first = work.rounds()
  let began = yield* Clock.currentTimeMillis
  let rounds = first
  while (true) {
    const took = (yield* Clock.currentTimeMillis) - began
    if (took > work.bound) {
      const why = yield* Effect.timeoutOption(work.why, "5 seconds")
      const reasons = Option.getOrElse(why, () => ["the service does not say why"]).join("; ")
      record.calm.push({ name: `round ${rounds + 1} (${reasons})`, took, bound: work.bound })
      return
    }
    if (work.rounds() > rounds) {
      rounds = work.rounds()
      if (rounds > first + 1) {
        record.calm.push({ name: `round ${rounds}`, took, bound: work.bound })
        return
      }
      began += took
    }
    yield* Effect.sleep("20 millis")
  }
})

/** While one process owns the store, a second one has to give up with exit code 4. */
const intrude = Effect.fnUntraced(function*({ record, site }: Options) {
  const store = `sqlite:${join(site.data, "coppice.db")}`
  const second = yield* Service.start({ ...site, data: `${site.data}-of-the-second`, store })
  const ended = yield* Effect.timeoutOption(second.ended, Service.readyLimit)
  if (Option.isSome(ended) && ended.value.code === 4) record.refused++
  else record.surprises.push("A second process was not refused the store of the first one")
}, Effect.scoped)

/** Waits for the moment the plan names. */
const moment = (options: Options, plan: Plan): Effect.Effect<void> => {
  switch (plan._tag) {
    case "Failpoint":
      return Effect.sleep(plan.patience)
    case "Calm":
      return calm(options).pipe(Effect.andThen(intrude(options)), Effect.andThen(Effect.sleep(plan.after)))
    default:
      return Effect.sleep(plan.after)
  }
}

const stop = Effect.fnUntraced(function*({ record }: Options, service: Service.Running): Effect.fn.Return<LifeEnd> {
  yield* service.signal("SIGTERM")
  const ended = yield* Effect.timeoutOption(service.ended, stopLimit)
  if (Option.isSome(ended) && ended.value.code === 0) return "stopped"
  record.surprises.push(
    Option.isNone(ended)
      ? `The service had not stopped ${stopLimit} after SIGTERM`
      : `The service ended with ${ended.value.signal ?? `exit code ${ended.value.code}`} after SIGTERM`
  )
  yield* service.signal("SIGKILL")
  return "died"
})

/** Stops the process without its knowledge, and lets it go on; the store stays its own meanwhile. */
const freeze = Effect.fnUntraced(function*(
  options: Options,
  service: Service.Running,
  { length, rest }: Plan & { readonly _tag: "Frozen" }
) {
  yield* service.signal("SIGSTOP")
  yield* Effect.andThen(intrude(options), Effect.sleep(length))
  yield* service.signal("SIGCONT")
  yield* Effect.sleep(rest)
})

/** Asks it to stop, and then insists: it has to be gone at once. */
const insist = Effect.fnUntraced(function*({ record }: Options, service: Service.Running, grace: number) {
  yield* service.signal("SIGINT")
  yield* Effect.sleep(grace)
  yield* service.signal("SIGINT")
  const ended = yield* Effect.timeoutOption(service.ended, "2 seconds")
  const code = Option.getOrUndefined(ended)?.code
  if (code !== 130 && code !== 0) record.surprises.push(`Two SIGINTs ended the service with ${code ?? "nothing"}`)
  yield* service.signal("SIGKILL")
  return "interrupted twice" as const
})

/** Ends the process as the plan says. */
const end = Effect.fnUntraced(function*(
  options: Options,
  service: Service.Running,
  plan: Plan
): Effect.fn.Return<LifeEnd> {
  if (plan._tag === "Stop") return yield* stop(options, service)
  if (plan._tag === "Stopping") {
    yield* service.signal("SIGTERM")
    yield* Effect.sleep(plan.grace)
  }
  if (plan._tag === "Twice") return yield* insist(options, service, plan.grace)
  if (plan._tag === "Frozen") yield* freeze(options, service, plan)
  yield* service.signal("SIGKILL")
  return plan._tag === "Stopping"
    ? "killed while stopping"
    : plan._tag === "Frozen"
    ? "killed after a freeze"
    : "killed"
})

/** The end of a process that ended by itself: right only for one with a failpoint. */
const byItself = ({ record, site }: Options, { code, signal }: Service.Ended, plan: Plan): LifeEnd => {
  if (plan._tag === "Failpoint" && signal === "SIGKILL") return "failpoint"
  const how = `${signal ?? `exit code ${code}`}; planned: ${describe(plan)}`
  record.surprises.push(`The service ended by itself (${how}): ${Service.lastWords(site)}`)
  return "died"
}

/** Something the harness waits for, unless the process ends before. */
const before = <A>(service: Service.Running, self: Effect.Effect<A>) =>
  Effect.raceFirst(Effect.map(self, Option.some), Effect.as(service.ended, Option.none<A>()))

const course = Effect.fnUntraced(function*(
  options: Options,
  service: Service.Running,
  plan: Plan
): Effect.fn.Return<readonly [readyAt: number | null, end: LifeEnd]> {
  if (plan._tag === "Starting") {
    const due = yield* before(service, Effect.sleep(plan.after))
    return [
      null,
      Option.isNone(due) ? byItself(options, yield* service.ended, plan) : yield* end(options, service, plan)
    ]
  }
  const address = yield* before(service, Effect.timeoutOption(service.ready, Service.readyLimit))
  if (Option.isNone(address)) return [null, byItself(options, yield* service.ended, plan)]
  if (Option.isNone(address.value)) {
    options.record.surprises.push(`The service took no work ${Service.readyLimit} after its start`)
    yield* service.signal("SIGKILL")
    return [null, "died"]
  }
  const readyAt = yield* Clock.currentTimeMillis
  options.client.moved(address.value.value)
  const due = yield* before(service, moment(options, plan))
  if (Option.isNone(due)) return [readyAt, byItself(options, yield* service.ended, plan)]
  return [readyAt, yield* end(options, service, plan)]
})

/** One process, from its start to its end. */
const life = Effect.fnUntraced(function*(options: Options, plan: Plan) {
  const { client, record, site } = options
  const service = yield* Service.start(site, plan._tag === "Failpoint" ? `${plan.name}=kill@${plan.count}` : "")
  const [readyAt, end] = yield* course(options, service, plan)
  client.moved(undefined)
  const { at: endedAt } = yield* service.ended
  record.lives.push({ pid: service.pid, plan: describe(plan), startedAt: service.startedAt, readyAt, endedAt, end })
  yield* Effect.forkScoped(Effect.andThen(Effect.sleep(orphanage), service.sweep))
})

/** Carries out the plans, then leaves a service that nobody disturbs. Returns that one. */
export const torment = Effect.fnUntraced(function*(options: Options, plans: ReadonlyArray<Plan>) {
  for (const plan of plans) {
    // a service that ends by itself may do so for ever
    if (options.record.surprises.length >= mostSurprises) break
    yield* life(options, plan)
  }
  const { address, service } = yield* Service.startUp(options.site)
  options.client.moved(address)
  return service
})
