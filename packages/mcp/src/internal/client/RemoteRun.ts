/**
 * One task of a remote agent, from its call to its end, over as many attempts as it takes.
 *
 * ```text
 *  remote:call ─► tools/call ─► remote:task ─► follow ─► Complete | Fail | Cancel
 *   (intent)                    (reference)
 * ```
 *
 * The reference is durable before anything waits on it, so a later process follows the same remote task. The intent is
 * written only where a repeated call might run the tool twice: found without a reference, it says that nobody knows what
 * became of the call. Then the server is asked where there is a way, and else a person: see `RemoteDoubt`.
 */
import * as Backoff from "@coppice/task/Backoff"
import { type Amounts, emptyPool, left, minus } from "@coppice/task/Budget"
import type { CancelReport } from "@coppice/task/CancelReport"
import { type Ancestor, type Ancestry, mostAncestors } from "@coppice/task/Lineage"
import type { RemoteVerify } from "@coppice/task/RemoteVerify"
import type { Settlement, Task, TaskId } from "@coppice/task/Task"
import type { Entry, TaskLog } from "@coppice/task/TaskLog"
import type { StoreError } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import type { McpClient, Withdrawn } from "../../McpClient.ts"
import { writeBudget } from "../../Meta.ts"
import type { CallOutcome } from "./call.ts"
import type { McpError } from "./errors.ts"
import type { CallProgress } from "./follow.ts"
import { type CallContext, code } from "./meta.ts"
import type { Recorded } from "./recorded.ts"
import { RemoteDoubt } from "./RemoteDoubt.ts"
import { RemoteInbox } from "./RemoteInbox.ts"
import { isObject, type JsonObject, textAt } from "./rpc.ts"
import type { TaskEnd, TaskReference, TaskSnapshot } from "./task.ts"
import { Tellings } from "./Tellings.ts"
import { failed, isTrouble, type Judge, onEnd, onError, type Verdict } from "./verdict.ts"

/** What all tasks of one remote agent share. */
export interface Remote extends Judge {
  readonly client: McpClient
  readonly log: TaskLog["Service"]
  readonly attempts: number
  /** How the server can be asked whether a call happened. */
  readonly verify: RemoteVerify | undefined
  /** A call may be sent again when its fate is unknown. */
  readonly mayRepeat: boolean
  readonly task: "prefer" | "forbid"
  /** Milliseconds the first reply may take. */
  readonly timeout: number | undefined
  /** Milliseconds the server may be out of reach within one attempt. */
  readonly patience: number | undefined
  /** Runs a call unless the server has failed too often lately. */
  /** Everybody above a task, and itself. */
  readonly lineage: (id: TaskId) => Effect.Effect<ReadonlyArray<Ancestor>, StoreError>
  readonly guarded: <A>(call: Effect.Effect<A, McpError>) => Effect.Effect<A, McpError | Rejected>
}

/** The circuit is open. */
export interface Rejected {
  readonly _tag: "Rejected"
  readonly message: string
  readonly retryAfter: number
}

const remedy = "Look there, then retry the task; declare the agent `idempotent` if repeating does no harm"

/** How long a Coppice may take to hear that a call is given up because its task fails. */
const leaving = "5 seconds"

const intentKey = "remote:call"
const referenceKey = "remote:task"
const sentMark = "sent"

const toReference = (value: Json | undefined): TaskReference | undefined =>
  isObject(value) && textAt(value, "taskId") !== undefined ? value as unknown as TaskReference : undefined

const traceparentOf = ({ spanId, traceId }: Task["spec"]["trace"]): string => `00-${traceId}-${spanId}-01`

export class RemoteRun {
  readonly entry: Entry
  readonly inbox: RemoteInbox
  readonly tellings: Tellings
  /** Since when the server is known to be out of reach, Unix milliseconds. */
  awaySince: number | undefined
  reference: TaskReference | undefined
  /** How it came to rest when it ended by itself. */
  rest: Settlement = "stopped"
  /** It was ended from outside a moment before its own end could be written. */
  isOvertaken = false
  /** The server has told an end: nothing of the call is under way there. */
  private isTold = false
  /** Called when the task waits for a person: others may have its place. */
  onIdle: () => void = () => {}
  private readonly remote: Remote
  private readonly input: Json
  /** What the server has told of its part of the tree, when the task was cancelled before. */
  readonly below: CancelReport | undefined
  /** The call may be under way at the server. */
  isSent: boolean
  /**
   * The server may hold work of the call that was given no name here: it asked in between, or a connection broke before
   * its reply, in this process or in one before.
   */
  private isLoose: boolean
  private failures: number
  private readonly retryAt: number
  private lastWord: string | undefined
  private pending: CallProgress | undefined
  private progress = 0

  constructor(remote: Remote, entry: Entry, input: Json, before: Recorded) {
    this.remote = remote
    this.entry = entry
    this.input = input
    this.failures = before.failures
    this.below = before.below
    this.retryAt = before.retryAt
    this.reference = toReference(before.steps.get(referenceKey))
    this.isSent = before.steps.get(intentKey) === sentMark
    this.isLoose = before.hasAsked || (before.hasBegun && remote.mayRepeat)
    this.inbox = new RemoteInbox({ entry, log: remote.log, answers: before.answers, steps: before.steps.keys() })
    this.tellings = new Tellings({
      client: remote.client,
      entry,
      reference: () => this.reference,
      record: (key, value) => this.record(key, value),
      reserve: (nth) => this.commit(`/${nth}`)
    }, before.steps)
    for (const [nth, event] of before.said) this.tellings.add(nth, event)
  }

  /**
   * Before the call leaves, all that the task was granted counts as used: whatever the server does with it, the grant is not
   * exceeded. What it says it did not use is free again when it ends; if nobody says so, nothing is.
   */
  private commit(more = ""): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { id, pool = emptyPool, spec: { budget } } = this.entry.state
      if (budget === null) return this.barrier
      const command = {
        _tag: "Reserve",
        id: `${id}/remote${more}`,
        amounts: left(budget, pool),
        unasked: true
      } as const
      this.remote.log.dispatch(this.entry, command)
      return this.barrier
    })
  }

  /** The server has said what it used, and uses no more. */
  settle(used: Amounts): void {
    const { id, pool = emptyPool } = this.entry.state
    // anybody may say that a call cost nothing
    if (!this.remote.client.isCoppice) return
    let rest = used
    for (const [key, held] of Object.entries(pool.open)) {
      if (!key.startsWith(`${id}/remote`)) continue
      this.remote.log.dispatch(this.entry, { _tag: "Refund", id: key, unused: minus(held, rest) })
      rest = minus(rest, held)
    }
  }

  /** The server may have work of this call that was not given a name. */
  get wasSent(): boolean {
    return this.isSent || this.isLoose
  }

  private get attempt(): number {
    return this.entry.state.attempt
  }

  private record(key: string, value: Json): void {
    const { log } = this.remote
    const exit = { _tag: "Success", value } as const
    const { attempt } = this
    log.dispatch(this.entry, { _tag: "RecordStep", attempt, key, name: this.remote.tool, exit, startedAt: log.now() })
  }

  /** Everything decided so far is durable. A log that has stopped ends the process: nothing goes on after it. */
  private get barrier(): Effect.Effect<void> {
    return Effect.catch(this.remote.log.barrier, () => Effect.never)
  }

  /** Runs attempts until one ends the task. */
  readonly run: Effect.Effect<void> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      yield* Effect.sleep(Math.max(0, this.retryAt - this.remote.log.now()))
      for (;;) {
        const verdict = yield* this.once
        // the last word comes before the end
        this.report()
        const { log } = this.remote
        if (verdict._tag === "End") return this.end(verdict)
        this.failures++
        const { attempt } = this
        const wait = Math.ceil(
          Math.max(verdict.delay, Backoff.delay(Backoff.ofAttempts, this.failures, yield* Random.next))
        )
        const retryAt = log.now() + wait
        log.dispatch(this.entry, {
          _tag: "FailAttempt",
          attempt,
          message: verdict.message,
          delivered: log.head,
          retryAt
        })
        if (this.failures >= this.remote.attempts) {
          yield* this.leave
          const message = `${verdict.message} (after ${this.failures} attempts)`
          return this.end({ command: { _tag: "Fail", attempt, reason: "defect", message, error: null } })
        }
        yield* this.barrier
        yield* Effect.sleep(wait)
        log.dispatch(this.entry, { _tag: "Start", attempt: attempt + 1 })
      }
    })
  )

  /** The task is about to fail: what a Coppice may still do for a call without a name here is for nobody. */
  private get leave(): Effect.Effect<void> {
    const isOrphan = this.reference === undefined && this.wasSent && this.remote.client.isCoppice
    return isOrphan ? Effect.ignore(Effect.timeoutOption(this.withdraw(0), leaving)) : Effect.void
  }

  private end({ command, partial, used }: Omit<Verdict & { readonly _tag: "End" }, "_tag">): void {
    const { attempt, entry, remote: { log } } = this
    if (partial !== undefined) log.dispatch(entry, { _tag: "PutPartial", attempt, value: partial })
    if (used !== undefined) this.settle(used)
    if (Result.isSuccess(log.dispatch(entry, command))) return
    this.isOvertaken = true
    if (this.isTold) this.rest = "finished_before"
  }

  private get once(): Effect.Effect<Verdict> {
    return Effect.suspend(() => this.reference === undefined ? this.begin : this.pursue(this.reference, false))
  }

  // ---------------------------------------------------------------- calling

  private get begin(): Effect.Effect<Verdict> {
    return Effect.suspend(() => this.isSent && !this.remote.mayRepeat ? this.doubted("a restart") : this.called)
  }

  private get called(): Effect.Effect<Verdict> {
    return this.sent.pipe(
      Effect.flatMap((outcome) => this.started(outcome)),
      Effect.catch((error) => Effect.suspend(() => this.refused(error)))
    )
  }

  /** Nobody knows what became of the call. */
  private doubted(what: string): Effect.Effect<Verdict> {
    const { server, tool } = this.remote
    const unknown =
      `Server "${server}", tool "${tool}": the call was sent and ${what} came before its outcome was known. ` +
      "The tool may have run"
    const { client, patience, verify } = this.remote
    const { inbox, input } = this
    const whenAsked = () => this.onIdle()
    const { id, spec: { trace } } = this.entry.state
    // with no key: it would be that of the call itself
    const context = { traceparent: traceparentOf(trace), parent: id }
    const doubt = new RemoteDoubt({ client, judge: this.remote, inbox, verify, input, context, patience, whenAsked })
    const words = `Did the call happen? ${unknown}. Its idempotency key is ${id}`
    return Effect.flatMap(doubt.resolve(words), (resolved): Effect.Effect<Verdict> => {
      const { attempt } = this
      switch (resolved._tag) {
        case "Happened":
          return Effect.succeed({ _tag: "End", command: { _tag: "Complete", attempt, result: resolved.value } })
        case "GivenUp":
          return Effect.succeed(failed(attempt, "defect", `${unknown}, and ${resolved.by} gave it up. ${remedy}`))
        case "DidNotHappen":
          // in this order: a used answer must never be found by a later doubt
          inbox.settleDoubt()
          this.unsent()
          return this.called
      }
    })
  }

  /** Whoever is called is outside: what led to the call has to be durable, and that it is made. */
  private get sending(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.remote.mayRepeat) this.record(intentKey, sentMark)
      return Effect.andThen(
        this.commit(),
        Effect.sync(() => {
          this.isSent = true
        })
      )
    })
  }

  /** A tool that asks first has not run: after a restart it is called, and asks, again. */
  private get asking(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.unsent()
      this.isLoose = true
      this.onIdle()
    })
  }

  /** Nothing of the call is under way. */
  private unsent(): void {
    if (this.isSent && !this.remote.mayRepeat) this.record(intentKey, null)
    this.isSent = false
  }

  /** Sends the call; a reference is recorded in the same breath it arrives. */
  private get sent(): Effect.Effect<CallOutcome, McpError | Rejected> {
    const { client, guarded, task, timeout, tool } = this.remote
    const { id } = this.entry.state
    const call = (ancestors: Ancestry) =>
      client.call(tool, this.input as JsonObject, {
        task,
        timeout,
        progressToken: `coppice-${id}`,
        onProgress: this.tell,
        ask: this.inbox.conversation(),
        beforeSend: this.sending,
        whenAsked: this.asking,
        context: { ...this.context, ancestors }
      })
    return Effect.uninterruptibleMask((restore) =>
      Effect.tap(
        restore(Effect.flatMap(this.ancestry, (ancestors) => guarded(call(ancestors)))),
        (outcome) =>
          Effect.sync(() => {
            if (outcome._tag !== "Started") return
            this.reference = outcome.reference
            this.record(referenceKey, { ...outcome.reference })
            this.tellings.begin()
          })
      )
    )
  }

  private get context(): CallContext {
    const { deadline, id, parent, spec: { budget, trace } } = this.entry.state
    return {
      traceparent: traceparentOf(trace),
      idempotencyKey: id,
      taskParent: id,
      ...parent === null ? {} : { parent },
      ...deadline === null ? {} : { deadline },
      ...budget === null || !this.remote.client.isCoppice ? {} : { budget: writeBudget(budget) }
    }
  }

  /** Gives up, at a Coppice, the call whose task has no name here; how it came to rest is waited for, milliseconds at most. */
  withdraw(wait: number): Effect.Effect<Withdrawn, McpError> {
    const { client, tool } = this.remote
    return client.withdraw(tool, this.input as JsonObject, this.context, wait)
  }

  /** Who is above the call, as far as the store knows it. */
  private get ancestry(): Effect.Effect<Ancestry> {
    const { id, spec: { depth } } = this.entry.state
    const known = Effect.andThen(this.barrier, this.remote.lineage(id))
    const chain = Effect.catch(known, () => Effect.succeed<ReadonlyArray<Ancestor>>([]))
    return Effect.map(chain, (all) => ({ depth: depth + 1, chain: all.slice(-mostAncestors) }))
  }

  private told(end: TaskEnd): Verdict {
    this.isTold = true
    return onEnd(this.remote, this.attempt, end)
  }

  private started(outcome: CallOutcome): Effect.Effect<Verdict> {
    if (outcome._tag === "Completed") return Effect.succeed(this.told(outcome))
    this.update(outcome.snapshot)
    return Effect.andThen(this.barrier, this.pursue(outcome.reference, true))
  }

  private refused(error: McpError | Rejected): Effect.Effect<Verdict> {
    if (error._tag !== "Rejected" && error.mayHaveRun && error.isTransient && !this.remote.mayRepeat) {
      return this.doubted(error.reason._tag === "Timeout" ? "the timeout" : "a break")
    }
    return Effect.succeed(this.judged(error))
  }

  private judged(error: McpError | Rejected): Verdict {
    if (error._tag === "Rejected") {
      return { _tag: "Again", message: error.message, delay: error.retryAfter }
    }
    if (!this.isWorthAnother(error)) {
      this.isTold = !error.mayHaveRun && !isTrouble(error)
      return onError(this.remote, this.attempt, error)
    }
    // it did not reach the server, or may be repeated
    if (error.mayHaveRun || isTrouble(error)) this.isLoose = true
    this.unsent()
    return { _tag: "Again", message: error.message, delay: error.retryAfter ?? 0 }
  }

  /** The server may answer otherwise the next time; the rest is its opinion of the call. A Coppice fails no call by trouble. */
  private isWorthAnother(error: McpError): boolean {
    return error.isTransient || (this.remote.client.isCoppice && isTrouble(error))
  }

  // ---------------------------------------------------------------- following

  private pursue(reference: TaskReference, isNew: boolean): Effect.Effect<Verdict> {
    this.inbox.isUnique = reference.generation === "2026-07-28"
    const { client, patience } = this.remote
    return client.follow(reference, {
      isNew,
      patience,
      onReach: (since) => void (this.awaySince = since),
      onUpdate: this.update,
      onProgress: this.tell,
      ask: this.inbox.ask,
      onAnswered: this.inbox.answered
    }).pipe(
      Effect.map((end: TaskEnd) => this.told(end)),
      Effect.catch((error) => Effect.sync(() => this.lost(error)))
    )
  }

  private lost(error: McpError): Verdict {
    const isForgotten = error.reason._tag === "Rpc" && error.reason.code === code.invalidParams
    if (isForgotten && this.remote.mayRepeat) {
      // the server has lost the task, and calling again does no harm
      this.reference = undefined
      this.record(referenceKey, null)
      this.tellings.forget()
      return { _tag: "Again", message: error.message, delay: 0 }
    }
    return error.isTransient
      ? { _tag: "Again", message: error.message, delay: error.retryAfter ?? 0 }
      : onError(this.remote, this.attempt, error)
  }

  // ---------------------------------------------------------------- telling

  private readonly update = (snapshot: TaskSnapshot): void => {
    // only the newer revision lists what it asks
    if (this.reference?.generation === "2026-07-28") this.inbox.keepOnly(snapshot.questions)
    else if (snapshot.status === "working") this.inbox.withdrawIdle()
    if (snapshot.status === "input_required") return this.onIdle()
    const { statusMessage } = snapshot
    if (statusMessage === undefined || statusMessage === this.lastWord) return
    this.lastWord = statusMessage
    this.tell({ progress: this.progress, total: undefined, message: statusMessage })
  }

  /** One report a commit: a tool that reports faster than the log writes is heard at its last word. */
  private readonly tell = (progress: CallProgress): void => {
    const isFirst = this.pending === undefined
    this.pending = progress
    this.progress = progress.progress
    if (isFirst) this.remote.log.afterCommit(() => this.report())
  }

  private report(): void {
    const { pending } = this
    this.pending = undefined
    if (pending === undefined) return
    const { message, progress, total } = pending
    this.remote.log.dispatch(this.entry, {
      _tag: "Progress",
      attempt: this.attempt,
      progress: { progress, total: total ?? null, message: message ?? null }
    })
  }
}
