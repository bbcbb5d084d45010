/**
 * The worker of one remote agent: takes its tasks from the log, and brings each to rest.
 *
 * A task that ends from outside (cancelled, past its deadline) is stopped at the server first, and settles as the server
 * said: `stopped`, `finished_before`, `refused`, `unreachable`, or `unknown` where nobody can tell. One that is
 * `unreachable` is told again when its time comes. A server that is a Coppice tells of its own tree, too.
 */
import { type CancelReport, isAtRest } from "@coppice/task/CancelReport"
import type { Contract } from "@coppice/task/Contract"
import type { Rested, Settler } from "@coppice/task/Settler"
import { isFinal, isTerminal, type Settlement, type TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import type { Entry } from "@coppice/task/TaskLog"
import type { TaskStore } from "@coppice/task/TaskStore"
import type { Breaker, InvalidInput, Looked, Worker } from "@coppice/task/Worker"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Json } from "effect/Schema"
import type { CancelReply, McpError, Stopped } from "../../McpClient.ts"
import { code } from "./meta.ts"
import { Places } from "./Places.ts"
import type { Ask } from "./questions.ts"
import { recorded } from "./recorded.ts"
import { type Remote, RemoteRun } from "./RemoteRun.ts"
import { isSame } from "./report.ts"
import type { TaskReference } from "./task.ts"
import type { Steered } from "./Tellings.ts"
import { isTrouble } from "./verdict.ts"

export interface RemoteWorkerOptions {
  readonly contract: Contract
  readonly remote: Remote
  readonly store: TaskStore["Service"]
  readonly settler: Settler["Service"]
  readonly breaker: Effect.Effect<Breaker>
  readonly accept: (input: Json) => Effect.Effect<Json, InvalidInput>
  readonly fork: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
}

interface Held {
  readonly run: RemoteRun
  /** Gives the place, or the turn in the queue, back. */
  leave: () => void
  fiber: Fiber.Fiber<void> | undefined
  isStopping: boolean
  /** Tells the server what the task is told, from the first time on. */
  teller: Fiber.Fiber<never> | undefined
}

const nothing = {
  steps: new Map<string, Json>(),
  answers: new Map(),
  hasAsked: false,
  hasBegun: false,
  failures: 0,
  retryAt: 0,
  said: new Map()
}

/** How long a server may take to hear that a task is to stop, and then to obey. */
const hearing = "10 seconds"
const obedience = "5 seconds"

/** How long a Coppice may take to tell that its tree is at rest, milliseconds; and how often that is waited for. */
const reportWait = 10_000
const mostWaits = 3

/** How long a call that is on its way may take to become a task that can be stopped. */
const birth = "1 second"

const howOf = (error: McpError): Settlement => {
  const isForgotten = error.reason._tag === "Rpc" && error.reason.code === code.invalidParams
  return isForgotten ? "unknown" : error.isTransient ? "unreachable" : "refused"
}

/** The task here rests as the one there does; what that one still waits for is asked again. */
const restOf = (run: RemoteRun, report: CancelReport): Rested => ({
  how: report.nodes[0]?.settlement ?? "refused",
  isOpen: !report.converged,
  ...isSame(run.below, report) ? {} : { below: report }
})

/** What a task asks that is to stop is not answered, nor turned down, for anybody. */
const unanswered: Ask = () => Effect.never

/** What the call is made with. */
const inputIn = (events: ReadonlyArray<Envelope>): Json => {
  const first = events[0]?.event
  return first?._tag === "Created" ? first.input : null
}

export class RemoteWorker implements Worker {
  readonly contract: Contract
  readonly server: string
  readonly breaker: Effect.Effect<Breaker>
  readonly tells: boolean
  private readonly options: RemoteWorkerOptions
  private readonly places: Places
  private readonly held = new Map<TaskId, Held>()
  /** What was said to a task while its journal was being read. */
  private readonly missed = new Map<TaskId, Map<number, Steered>>()
  private isClosed = false

  constructor(options: RemoteWorkerOptions) {
    this.options = options
    this.contract = options.contract
    this.server = options.remote.server
    this.breaker = options.breaker
    this.tells = options.remote.client.isCoppice
    this.places = new Places(options.contract.concurrency, options.contract.queue)
  }

  readonly accept = (input: Json) => this.options.accept(input)
  readonly waiting = () => this.places.waiting
  readonly hasPlace = () => this.places.isFree
  readonly whenRoom = (callback: () => void) => this.places.whenRoom(callback)

  readonly start = (entry: Entry, input: Json): void =>
    this.begin(new RemoteRun(this.options.remote, entry, input, nothing))

  readonly resume = (entry: Entry): void => {
    const { fork, remote, store } = this.options
    if (entry.held) return remote.log.release(entry)
    entry.held = true
    this.missed.set(entry.state.id, new Map())
    fork(Effect.exit(store.journal(entry.state.id))).addObserver((exit) => {
      const journal = Exit.isSuccess(exit) && Exit.isSuccess(exit.value) ? exit.value.value : undefined
      if (journal === undefined || this.isClosed || isTerminal(entry.state.status)) {
        this.missed.delete(entry.state.id)
        return this.letGo(entry, { how: "stopped" })
      }
      const { attempt } = entry.state
      // an earlier process had it: this is another attempt
      if (attempt > 0) remote.log.dispatch(entry, { _tag: "Start", attempt: attempt + 1 })
      this.begin(new RemoteRun(remote, entry, inputIn(journal.events), recorded(journal.events)))
    })
  }

  /** The task ended while nobody here ran it: its server may still work on it. */
  readonly rest = (entry: Entry): void => {
    const { fork, remote, store } = this.options
    entry.held = true
    const asked = Effect.flatMap(store.journal(entry.state.id), (journal) => {
      if (journal === undefined) return Effect.succeed<Rested>({ how: "unknown" })
      return this.stopRemote(new RemoteRun(remote, entry, inputIn(journal.events), recorded(journal.events)))
    })
    fork(Effect.exit(asked)).addObserver((exit) => {
      this.rested(entry, Exit.isSuccess(exit) ? exit.value : Exit.failCause(exit.cause))
    })
  }

  readonly look = (id: TaskId, wait: number): Effect.Effect<Looked | undefined> =>
    Effect.suspend(() => {
      const run = this.held.get(id)?.run
      const { client, log } = this.options.remote
      if (!client.isCoppice || run?.reference === undefined) return Effect.undefined
      const { server } = this
      const away = (message: string): Looked => ({
        _tag: "Away",
        server,
        since: run.awaySince ??= log.now(),
        message
      })
      return Effect.timeoutOption(client.tree(run.reference, wait), wait).pipe(
        Effect.match({
          onFailure: (error) => error.isTransient ? away(error.message) : undefined,
          onSuccess: (told): Looked | undefined => {
            if (Option.isNone(told)) return away(`server "${server}" did not answer within ${wait} ms`)
            run.awaySince = undefined
            return told.value === undefined ? undefined : { _tag: "Tree", server, tree: told.value }
          }
        })
      )
    })

  private begin(run: RemoteRun): void {
    const { entry } = run
    const { log } = this.options.remote
    if (this.isClosed) return log.release(entry)
    entry.held = true
    const held: Held = { run, leave: () => {}, fiber: undefined, isStopping: false, teller: undefined }
    this.held.set(entry.state.id, held)
    for (const [nth, event] of this.missed.get(entry.state.id) ?? []) run.tellings.add(nth, event)
    this.missed.delete(entry.state.id)
    this.tell(held)
    const leave = this.places.enter(() => {
      if (entry.state.attempt === 0) log.dispatch(entry, { _tag: "Start", attempt: 1 })
      const fiber = this.options.fork(run.run)
      held.fiber = fiber
      fiber.addObserver((exit) => this.ended(held, exit))
    })
    held.leave = leave
    // it may have ended already
    if (this.held.get(entry.state.id) !== held) leave()
    // a task that waits for a person leaves its place to others
    run.onIdle = leave
  }

  private ended(held: Held, exit: Exit.Exit<void>): void {
    if (held.isStopping) return
    const { entry } = held.run
    const { log } = this.options.remote
    if (Exit.isFailure(exit) && !this.isClosed && !isTerminal(entry.state.status)) {
      const { attempt } = entry.state
      const message = `The worker of "${this.contract.name}" broke`
      log.dispatch(entry, { _tag: "Fail", attempt, reason: "defect", message, error: null })
    }
    // ended from outside a moment before: what the server has of it is stopped, unless it told an end
    if (held.run.isOvertaken && entry.state.settlement === null) return this.stop(held)
    this.remove(held)
    this.letGo(entry, { how: held.run.rest })
  }

  private remove(held: Held): void {
    this.held.delete(held.run.entry.state.id)
    held.teller?.interruptUnsafe()
    held.leave()
  }

  private tell(held: Held): void {
    const { tellings } = held.run
    if (tellings.isNeeded) held.teller ??= this.options.fork(tellings.run)
  }

  /** Nobody here runs the task any more. */
  private letGo(entry: Entry, rested: Rested): void {
    entry.held = false
    const { server } = this
    if (isTerminal(entry.state.status) && !isFinal(entry.state)) {
      this.options.settler.settle(entry, { ...rested, server })
    } else this.options.remote.log.release(entry)
  }

  // ---------------------------------------------------------------- facts

  readonly committed = (events: ReadonlyArray<Envelope>): void => {
    for (const { event, seq, task } of events) {
      const held = this.held.get(task)
      if (event._tag === "Steered") {
        held?.run.tellings.add(seq, event)
        this.missed.get(task)?.set(seq, event)
        if (held !== undefined) this.tell(held)
      }
      if (held === undefined) continue
      if (event._tag === "InputReceived") held.run.inbox.received(event.key, event.response)
      else if (event._tag === "Cancelled" || event._tag === "Failed") this.stop(held)
    }
  }

  /** The task ended from outside. */
  private stop(held: Held): void {
    // its own end is told by its fiber
    if (held.isStopping || held.run.entry.state.settlement !== null) return
    held.isStopping = true
    const { fiber, run } = held
    held.leave()
    const halted = fiber === undefined ? Effect.void : Effect.andThen(this.born(run, fiber), Fiber.interrupt(fiber))
    const stopped = Effect.andThen(halted, Effect.suspend(() => this.stopRemote(run)))
    this.options.fork(stopped).addObserver((exit) => {
      this.remove(held)
      this.rested(run.entry, exit)
    })
  }

  private rested(entry: Entry, exit: Exit.Exit<Rested, unknown>): void {
    if (Exit.isSuccess(exit)) return this.letGo(entry, exit.value)
    if (!this.isClosed) return this.letGo(entry, { how: "unknown" })
    // whoever serves the agent next asks again
    entry.held = false
    this.options.remote.log.release(entry)
  }

  /** A Coppice makes a task of a call in a moment, and only the task can be stopped for sure. */
  private born(run: RemoteRun, fiber: Fiber.Fiber<void>): Effect.Effect<void> {
    const isKnown = () => !run.isSent || run.reference !== undefined || fiber.pollUnsafe() !== undefined
    if (!this.options.remote.client.isCoppice || isKnown()) return Effect.void
    return Effect.sleep("5 millis").pipe(Effect.repeat({ until: isKnown }), Effect.timeoutOption(birth), Effect.asVoid)
  }

  private stopRemote(run: RemoteRun): Effect.Effect<Rested> {
    const { rest, reference, wasSent } = run
    if (rest === "finished_before") return Effect.succeed({ how: rest })
    const { client } = this.options.remote
    if (reference === undefined) {
      if (!wasSent) return Effect.succeed({ how: "stopped" })
      // a foreign server is told that the call is given up, and no answer to that is ever heard
      return client.isCoppice ? this.withdraw(run) : Effect.succeed({ how: "unknown" })
    }
    return client.isCoppice ? this.stopCoppice(run, reference) : this.stopForeign(reference)
  }

  private stopForeign(reference: TaskReference): Effect.Effect<Rested> {
    const told = Effect.timeoutOption(this.options.remote.client.cancel(reference), hearing)
    return Effect.matchEffect(told, {
      onFailure: (error) => Effect.succeed({ how: howOf(error) }),
      onSuccess: (reply): Effect.Effect<Rested> => {
        if (Option.isNone(reply)) return Effect.succeed({ how: "unreachable" })
        return this.obeyed(reference, reply.value)
      }
    })
  }

  /** Whether a server that promised to stop a task did: it may still finish it, or go on. */
  private obeyed(reference: TaskReference, reply: CancelReply): Effect.Effect<Rested> {
    if (reply !== "accepted") return Effect.succeed({ how: reply === "over" ? "finished_before" : "refused" })
    const { client } = this.options.remote
    return Effect.timeoutOption(client.follow(reference, { patience: 1_000, ask: unanswered }), obedience).pipe(
      Effect.match({
        onFailure: (error): Settlement => error.isTransient ? "unreachable" : "stopped",
        onSuccess: (end): Settlement => {
          if (Option.isNone(end)) return "refused"
          return end.value._tag === "Cancelled" ? "stopped" : "finished_before"
        }
      }),
      Effect.map((how) => ({ how }))
    )
  }

  /** A Coppice answers once its own tree is at rest, and tells how each task of it came to that. */
  private stopCoppice(run: RemoteRun, reference: TaskReference): Effect.Effect<Rested> {
    return this.reported(
      run,
      this.options.remote.client.stop(reference, reportWait),
      // it does not trust us
      ({ reply }) => this.obeyed(reference, reply)
    )
  }

  /** A call that got no name here: a Coppice finds its task by its key, and makes none. */
  private withdraw(run: RemoteRun): Effect.Effect<Rested> {
    return this.reported(run, run.withdraw(reportWait), ({ reference, status }) => {
      if (reference !== undefined) return this.stopCoppice(run, reference)
      return Effect.succeed({ how: status === "cancelled" ? "stopped" : "finished_before" })
    })
  }

  /** Asks a Coppice until what is below the task is at rest there, some times; `untold` where it tells nothing of that. */
  private reported<Told extends Pick<Stopped, "report" | "used">>(
    run: RemoteRun,
    ask: Effect.Effect<Told, McpError>,
    untold: (told: Told) => Effect.Effect<Rested>
  ): Effect.Effect<Rested> {
    const stopped = Effect.gen(function*() {
      for (let waits = 1;; waits++) {
        const told = yield* ask
        const { report, used } = told
        if (report === undefined) return yield* untold(told)
        if (isAtRest(report) && used !== undefined) run.settle(used)
        if (isAtRest(report) || waits === mostWaits) return restOf(run, report)
      }
    })
    // its own trouble passes
    const how = (error: McpError) => isTrouble(error) ? "unreachable" : howOf(error)
    return Effect.catch(stopped, (error) => Effect.succeed<Rested>({ how: how(error) }))
  }

  /** Lets go of everything, to be found again by whoever serves the agent next. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    this.places.close()
    const all = [...this.held.values()].filter(({ isStopping }) => !isStopping)
    const fibers = all.flatMap(({ fiber }) => fiber === undefined ? [] : [fiber])
    return Effect.andThen(
      Fiber.interruptAll(fibers),
      Effect.sync(() => {
        for (const held of all) {
          if (this.held.get(held.run.entry.state.id) !== held) continue
          this.remove(held)
          this.letGo(held.run.entry, { how: "stopped" })
        }
      })
    )
  })
}
