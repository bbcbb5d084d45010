/**
 * Keeps children running, in OTP's words and with OTP's meanings.
 *
 * ```text
 *            supervisor ── strategy · intensity · period
 *           ╱     │     ╲
 *      child₁  child₂  child₃     started left to right, each only when the one before has begun
 *                                 stopped right to left, each within its own time limit
 * ```
 *
 * A child that dies is restarted by its *restart type*: `permanent` always, `transient` after an abnormal end only,
 * `temporary` never. The *strategy* says who else is restarted: `one_for_one` nobody, `one_for_all` everybody,
 * `rest_for_one` those started after it. More than `intensity` restarts within `period` mean that restarting does not
 * help: the supervisor stops its children and fails with `TooManyRestarts`, which is its own parent's matter.
 *
 * The first restart of a child within a period is immediate; from the second on it waits, twice as long each time, with
 * jitter. Who is restarted with it is stopped at once and waits too. The waits are never so long that a child which
 * always dies would stay within the intensity.
 *
 * **Gotchas**
 *
 * A child that does not stop within `shutdown` is abandoned: its fiber may run on until its uninterruptible region ends
 * and overlap its successor, so whatever it writes has to be fenced.
 */
import * as Backoff from "@coppice/task/Backoff"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { monotonic } from "./internal/monotonic.ts"

export type Restart = "permanent" | "transient" | "temporary"
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one"

/** What a supervisor has to know of a child. */
export interface ChildSpec {
  readonly id: string
  readonly restart: Restart
  /** How long it may take to stop. */
  readonly shutdown: Duration.Input
  /** Its beginning, which the start waits for; succeeds with what it does from then on. Its scope closes at its end. */
  readonly start: Effect.Effect<Effect.Effect<unknown, unknown>, unknown, Scope.Scope>
}

export interface SupervisorOptions {
  readonly strategy: Strategy
  /** Restarts allowed within `period`. */
  readonly intensity: number
  readonly period: Duration.Input
  /** What a child that dies again waits before its next restart. [100 ms, doubling to 5 seconds] */
  readonly backoff?: Backoff.Backoff | undefined
}

/** Restarting did not help. */
export class TooManyRestarts extends Data.TaggedError("TooManyRestarts")<{
  readonly child: string
  readonly intensity: number
  readonly period: Duration.Duration
  readonly cause: Cause.Cause<unknown>
}> {
  override get message(): string {
    return `"${this.child}" was restarted more than ${this.intensity} times in ${Duration.format(this.period)}`
  }
}

export type ChildState = "running" | "restarting" | "stopped" | "abandoned"

/** One child as people see it. */
export interface ChildStatus {
  readonly id: string
  readonly restart: Restart
  readonly state: ChildState
  readonly restarts: number
  /** Why it died last, one line. */
  readonly reason: string | undefined
  readonly since: number
  /** When it will be started again, while it waits for that. */
  readonly until: number | undefined
}

export interface Supervisor {
  readonly options: SupervisorOptions
  /** Starts a child after the ones there are; succeeds when it has begun. A start that fails is not restarted. */
  readonly add: (spec: ChildSpec) => Effect.Effect<void, unknown>
  /**
   * From now on these are the children, in this order. Whose spec stays goes on, unless it waits for a restart: then it is
   * started. The others stop, last started first, before the new ones start; one that does not begin has died.
   */
  readonly replace: (specs: ReadonlyArray<ChildSpec>) => Effect.Effect<void, TooManyRestarts>
  readonly status: () => ReadonlyArray<ChildStatus>
  /** Never succeeds; fails when the supervisor gives up. */
  readonly escalation: Effect.Effect<never, TooManyRestarts>
}

interface Child {
  readonly spec: ChildSpec
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Grows with every start and stop, so that the death of one we stopped ourselves is told apart. */
  generation: number
  state: ChildState
  restarts: number
  reason: string | undefined
  since: number
  until: number | undefined
}

/** A child has died, or has waited long enough for its restart. Of another generation: it does not matter any more. */
interface News {
  readonly child: Child
  readonly generation: number
  readonly exit: Exit.Exit<unknown, unknown> | undefined
}

const reasonOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? "it ended" : Cause.pretty(exit.cause).split("\n")[0] ?? "unknown"

const isAbnormal = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)

const isRestarted = ({ restart }: ChildSpec, exit: Exit.Exit<unknown, unknown>): boolean =>
  restart === "permanent" || (restart === "transient" && isAbnormal(exit))

const born = (spec: ChildSpec): Child => ({
  spec,
  fiber: undefined,
  generation: 0,
  state: "stopped",
  restarts: 0,
  reason: undefined,
  since: 0,
  until: undefined
})

const statusOf = ({ reason, restarts, since, spec: { id, restart }, state, until }: Child): ChildStatus => ({
  id,
  restart,
  state,
  restarts,
  reason,
  since,
  until
})

/** Succeeds when the child has begun. */
const start = Effect.fnUntraced(function*(child: Child, news: Queue.Queue<News>) {
  const generation = ++child.generation
  const begun = yield* Deferred.make<void, unknown>()
  const life = Effect.scoped(Effect.flatMap(child.spec.start, (run) => {
    Deferred.doneUnsafe(begun, Effect.void)
    return run
  })).pipe(
    Effect.onExit((exit) => {
      Deferred.doneUnsafe(begun, Exit.isFailure(exit) ? Effect.failCause(exit.cause) : Effect.void)
      return Queue.offer(news, { child, generation, exit })
    })
  )
  child.fiber = yield* Effect.forkDetach(life)
  child.state = "running"
  child.until = undefined
  child.since = yield* Clock.currentTimeMillis
  // a beginning may hang: whoever waits for it can be told to stop, and stops the child then
  return yield* Effect.interruptible(Deferred.await(begun))
}, Effect.uninterruptible)

/** Waits no longer than the child's own limit. */
const stop = Effect.fnUntraced(function*(child: Child) {
  const { fiber } = child
  child.generation++
  child.until = undefined
  if (fiber === undefined) return
  fiber.interruptUnsafe()
  const ended = yield* Fiber.await(fiber).pipe(Effect.interruptible, Effect.timeoutOption(child.spec.shutdown))
  // not earlier: a stop that is itself interrupted is done again by the supervisor's own
  child.fiber = undefined
  child.state = ended._tag === "Some" ? "stopped" : "abandoned"
})

/** Counts restarts. How long the next one of the child waits, milliseconds; `undefined`: it is one too many. */
const judge = ({ backoff = Backoff.ofRestarts, intensity, period }: SupervisorOptions) => {
  const span = Duration.toMillis(period)
  const longest = span / (2 * (intensity + 1))
  let recent: ReadonlyArray<{ readonly at: number; readonly child: Child }> = []
  return Effect.fnUntraced(function*(child: Child) {
    const at = monotonic(yield* Clock.Clock)
    recent = [...recent.filter((other) => other.at >= at - span), { at, child }]
    if (recent.length > intensity) return undefined
    const before = recent.filter((other) => other.child === child).length - 1
    return before === 0 ? 0 : Math.floor(Math.min(Backoff.delay(backoff, before, yield* Random.next), longest))
  })
}

const stopEach = (some: ReadonlyArray<Child>) => Effect.forEach(some.toReversed(), stop, { discard: true })

interface Family {
  readonly strategy: Strategy
  readonly children: ReadonlyArray<Child>
  readonly news: Queue.Queue<News>
}

/** Who is restarted with the child, in the order they start in. */
const affectedBy = ({ children, strategy }: Family, child: Child): ReadonlyArray<Child> => {
  if (strategy === "one_for_one") return [child]
  return strategy === "one_for_all" ? [...children] : children.slice(children.indexOf(child))
}

const restart = Effect.fnUntraced(function*(family: Family, child: Child) {
  const affected = affectedBy(family, child)
  yield* stopEach(affected)
  for (const other of affected) {
    if (other.spec.restart === "temporary") continue
    other.restarts++
    const begun = yield* Effect.exit(start(other, family.news))
    // a death of its own, which comes back through the queue and brings along those after it
    if (Exit.isFailure(begun) && isRestarted(other.spec, begun)) return
  }
})

/** Stops who is restarted with the child; they are started when news of it come, in `wait` milliseconds. */
const restartLater = Effect.fnUntraced(function*(family: Family, child: Child, wait: number) {
  const affected = affectedBy(family, child)
  yield* stopEach(affected)
  const until = (yield* Clock.currentTimeMillis) + wait
  for (const other of affected) {
    if (other.spec.restart !== "temporary") Object.assign(other, { state: "restarting", until })
  }
  const due = { child, generation: child.generation, exit: undefined }
  yield* Effect.forkScoped(Effect.andThen(Effect.sleep(wait), Queue.offer(family.news, due)))
})

const tooMany = (options: SupervisorOptions, { spec }: Child, exit: Exit.Exit<unknown, unknown>) =>
  new TooManyRestarts({
    child: spec.id,
    intensity: options.intensity,
    period: Duration.fromInputUnsafe(options.period),
    cause: Exit.isFailure(exit) ? exit.cause : Cause.empty
  })

/** A supervisor that runs until its scope closes; then it stops its children, last started first. */
export const make = Effect.fnUntraced(function*(
  options: SupervisorOptions
): Effect.fn.Return<Supervisor, never, Scope.Scope> {
  const children: Array<Child> = []
  const news = yield* Queue.unbounded<News>()
  const family: Family = { strategy: options.strategy, children, news }
  const failed = yield* Deferred.make<never, TooManyRestarts>()
  const patience = judge(options)
  /** One thing at a time: a child that is added waits until a restart is over. */
  const turn = yield* Semaphore.make(1)
  /** What becomes of a child added when nothing is started any more. */
  let over: Effect.Effect<never, TooManyRestarts> | undefined

  const escalate = Effect.fnUntraced(function*(child: Child, exit: Exit.Exit<unknown, unknown>) {
    yield* stopEach(children)
    for (const other of children) if (other.state === "restarting") other.state = "stopped"
    over = Deferred.await(failed)
    yield* Deferred.fail(failed, tooMany(options, child, exit))
  })

  const hear = Effect.fnUntraced(function*({ child, exit, generation }: News) {
    if (child.generation !== generation) return
    if (exit === undefined) return yield* restart(family, child)
    child.fiber = undefined
    child.reason = reasonOf(exit)
    if (!isRestarted(child.spec, exit)) {
      child.state = "stopped"
      return
    }
    child.state = "restarting"
    const wait = yield* patience(child)
    if (wait === undefined) return yield* escalate(child, exit)
    yield* wait === 0 ? restart(family, child) : restartLater(family, child, wait)
  }, turn.withPermits(1))

  const add = Effect.fnUntraced(function*(spec: ChildSpec) {
    if (over !== undefined) return yield* over
    const child = born(spec)
    children.push(child)
    const forget = Effect.sync(() => children.splice(children.indexOf(child), 1))
    yield* Effect.onError(start(child, news), () => Effect.andThen(stop(child), forget))
  }, turn.withPermits(1))

  const replace = Effect.fnUntraced(function*(specs: ReadonlyArray<ChildSpec>) {
    if (over !== undefined) return yield* over
    const before = new Map(children.map((child) => [child.spec, child]))
    yield* stopEach(children.filter(({ spec }) => !specs.includes(spec)))
    children.splice(0, children.length, ...specs.map((spec) => before.get(spec) ?? born(spec)))
    // whose restart one waits for may be gone
    const starting = children.filter(({ spec, state }) => !before.has(spec) || state === "restarting")
    for (const child of starting) yield* Effect.exit(start(child, news))
  }, turn.withPermits(1))

  yield* Effect.addFinalizer(() => {
    over ??= Effect.interrupt
    return stopEach(children)
  })
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(news), hear)))
  return { options, add, replace, escalation: Deferred.await(failed), status: () => children.map(statusOf) }
})

/** A supervisor as the child of another: it dies when it gives up, which is how escalation travels. */
export const childSpec = (
  id: string,
  options: SupervisorOptions & { readonly restart: Restart; readonly shutdown: Duration.Input },
  begin: (supervisor: Supervisor) => Effect.Effect<void, unknown>
): ChildSpec => ({
  id,
  restart: options.restart,
  shutdown: options.shutdown,
  start: Effect.gen(function*() {
    const supervisor = yield* make(options)
    yield* begin(supervisor)
    return supervisor.escalation
  })
})
