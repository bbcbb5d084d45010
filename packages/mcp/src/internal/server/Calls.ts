/**
 * What every door of MCP does with a task, in words of no revision: call, look, wait, answer, cancel.
 *
 * ```text
 *  tools/call ──► submit ──► settle ──► Ended    the result, here and now
 *                               │
 *                               ├─────► Asked    a question only the caller can be asked in time
 *                               └─────► Under    it takes longer than the caller is willing to wait
 * ```
 *
 * All of it ends in the verbs of `Tasks`; nothing is kept here. Another principal's task is not there.
 */
import { shortened } from "@coppice/task/CancelReport"
import type { Contract } from "@coppice/task/Contract"
import { readAncestry } from "@coppice/task/Lineage"
import { nodeOf } from "@coppice/task/LiveTree"
import { expiresAt, isTerminal, type Task, type TaskId } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import type { TaskLog } from "@coppice/task/TaskLog"
import type { Refused } from "@coppice/task/TaskMachine"
import { type Outcome, type Steer, type TaskNotFound, type Tasks } from "@coppice/task/Tasks"
import type { OpenInput, StoreError } from "@coppice/task/TaskStore"
import type { InvalidInput, Workers } from "@coppice/task/Worker"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import * as Meta from "../../Meta.ts"
import { canAnswer, type Peer } from "../../Peer.ts"
import type { Seal } from "../../Seal.ts"
import { isObject } from "../client/rpc.ts"
import { readSaid, writeReply } from "../steering.ts"
import { writeTree } from "../tree.ts"
import type { Facts } from "./facts.ts"
import { toResponse, wireKey } from "./inputs.ts"
import type { Showings } from "./Showings.ts"
import { toInput, usageOf } from "./tool.ts"
import { invalid, noTask, ofSubmit, type WireError } from "./wireError.ts"

/** What a call asks for. `ttl` in milliseconds. */
export interface Request {
  readonly name: string
  readonly arguments: JsonObject
  readonly meta: JsonObject | null
  readonly ttl?: number | undefined
}

/** What became of a task within the time its caller gives it. */
export type Settled =
  | { readonly _tag: "Ended"; readonly task: Task; readonly ending: TaskEvent }
  | { readonly _tag: "Asked"; readonly inputs: ReadonlyArray<OpenInput> }
  | { readonly _tag: "Under" }

/** A task as its caller sees it: its own state, or the questions of its tree. */
export interface View {
  readonly task: Task
  readonly status: Task["status"]
  readonly inputs: ReadonlyArray<OpenInput>
  readonly ending: TaskEvent | undefined
  /** Milliseconds from its creation until it may be forgotten. */
  readonly ttl: number | null
  readonly pollInterval: number
}

/** Reserved keys say who the caller is and how it traces: they are used, and not kept with the task. */
const kept = (meta: JsonObject | null, { isTrusted }: Peer): JsonObject | undefined => {
  const entries = Object.entries(meta ?? {}).filter(([key]) =>
    key !== Meta.progressToken && !key.startsWith("io.modelcontextprotocol/") &&
    (isTrusted || key !== Meta.ancestors)
  )
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** How many tasks one report lists for another Coppice: some 200 characters each. */
const mostReported = 5_000

/** A young task is likely to end soon. */
const pollIntervalOf = (age: number): number => Math.min(5_000, Math.max(250, Math.floor(age / 10)))

/** What of the time for an answer the next service has for its own. */
const shareOfWait = 0.6

export class Calls {
  private readonly tasks: Tasks["Service"]
  private readonly log: TaskLog["Service"]
  private readonly workers: Workers["Service"]
  readonly seal: Seal["Service"]
  readonly facts: Facts
  readonly showings: Showings
  private isStopping = false

  constructor(services: {
    readonly tasks: Tasks["Service"]
    readonly log: TaskLog["Service"]
    readonly workers: Workers["Service"]
    readonly seal: Seal["Service"]
    readonly facts: Facts
    readonly showings: Showings
  }) {
    this.tasks = services.tasks
    this.log = services.log
    this.workers = services.workers
    this.seal = services.seal
    this.facts = services.facts
    this.showings = services.showings
  }

  /** The agents offered to hosts, by name. */
  listed(): ReadonlyArray<Contract> {
    return this.workers.contracts().filter(({ listed }) => listed).sort((a, b) => a.name < b.name ? -1 : 1)
  }

  contract(name: string): Contract | undefined {
    return this.workers.contract(name)
  }

  /** The contract of a tool that may be called from outside. */
  tool(name: string): Effect.Effect<Contract, WireError> {
    const contract = this.contract(name)
    return contract === undefined || !contract.listed
      ? Effect.fail(invalid(`Unknown tool: ${name}`))
      : Effect.succeed(contract)
  }

  /** Makes the task; it is durable when this succeeds. `givenUp`: only finds it, or makes sure that there is none to come. */
  submit(
    peer: Peer,
    contract: Contract,
    request: Request,
    givenUp = false
  ): Effect.Effect<Task, WireError | InvalidInput> {
    const { meta } = request
    return Effect.suspend(() =>
      this.tasks.submit({
        agent: contract.name,
        input: toInput(contract, request.arguments),
        principal: peer.principal,
        idempotencyKey: Meta.readKey(meta),
        deadline: peer.isTrusted ? Meta.readDeadline(meta) : undefined,
        budget: peer.isTrusted ? Meta.readBudget(meta) : undefined,
        ttl: request.ttl,
        trace: Meta.readTrace(meta),
        meta: kept(meta, peer),
        givenUpBy: givenUp ? peer.by : undefined,
        ancestry: peer.isTrusted ? readAncestry(meta) : undefined
      })
    ).pipe(Effect.mapError((error) => error._tag === "InvalidInput" ? error : ofSubmit(error)))
  }

  /** The task of a handle, if it is the peer's. */
  find(peer: Peer, handle: unknown): Effect.Effect<Task, WireError | StoreError> {
    const id = typeof handle === "string" ? this.seal.task(handle) : undefined
    return id === undefined ? Effect.fail(noTask()) : this.own(peer, id)
  }

  /** The task, if it is the peer's. */
  own(peer: Peer, id: TaskId): Effect.Effect<Task, WireError | StoreError> {
    return this.tasks.get(id).pipe(
      Effect.catchTag("TaskNotFound", () => Effect.fail(noTask())),
      Effect.flatMap((task) => task.spec.principal === peer.principal ? Effect.succeed(task) : Effect.fail(noTask()))
    )
  }

  /** Every open question of the task's tree. */
  open(task: Task): Effect.Effect<ReadonlyArray<OpenInput>, StoreError> {
    if (isTerminal(task.status) || this.asksNothing(task.id)) return Effect.succeed([])
    return this.tasks.inbox({ run: task.run, limit: 200 })
  }

  /** True when memory knows that nobody in the tree asks, so that the store need not be read. */
  private asksNothing(id: TaskId): boolean {
    const entry = this.log.resident(id)
    return entry !== undefined && this.log.isUnderWay(id) && entry.state.inputs.length === 0 &&
      this.log.knowsChildren(entry) && this.log.liveChildCount(id) === 0
  }

  view(task: Task): Effect.Effect<View, StoreError> {
    type Read = Pick<View, "inputs" | "ending">
    const read: Effect.Effect<Read, StoreError> = isTerminal(task.status)
      ? Effect.map(Effect.orDie(this.ending(task.id)), (ending) => ({ inputs: [], ending }))
      : Effect.map(this.open(task), (inputs) => ({ inputs, ending: undefined }))
    return Effect.map(read, ({ ending, inputs }): View => ({
      task,
      status: inputs.length > 0 ? "input_required" : isTerminal(task.status) ? task.status : "working",
      inputs,
      ending,
      ttl: task.endedAt === null ? task.spec.ttl : expiresAt(task)! - task.createdAt,
      pollInterval: pollIntervalOf(this.log.now() - task.createdAt)
    }))
  }

  /**
   * The view for a host that asks a person what is in it: it has been shown that from now on. What it has declined unread
   * again and again is left out; that waits for another door.
   */
  shownTo(peer: Peer, task: Task): Effect.Effect<View, StoreError> {
    return Effect.map(this.view(task), (view) => {
      if (view.inputs.length === 0) return view
      for (const input of view.inputs) this.showings.shown(peer, input)
      const inputs = view.inputs.filter((input) => !this.isGivenUp(peer, input))
      return { ...view, inputs, status: inputs.length === 0 ? "working" : view.status }
    })
  }

  private isGivenUp(peer: Peer, input: OpenInput): boolean {
    return canAnswer(peer, input.request) && this.showings.isShut(peer, input)
  }

  private ending(id: TaskId): Effect.Effect<TaskEvent | undefined, TaskNotFound | StoreError> {
    return Effect.map(this.tasks.result(id), ({ ending }) => ending)
  }

  /** Waits for the end, woken by its commit. */
  result(id: TaskId): Effect.Effect<Outcome, WireError | StoreError> {
    return Effect.catchTag(this.tasks.result(id), "TaskNotFound", () => Effect.fail(noTask()))
  }

  /** Waits until the tree asks something that is wanted. */
  private asked(
    task: Task,
    wanted: (input: OpenInput) => boolean
  ): Effect.Effect<ReadonlyArray<OpenInput>, StoreError> {
    const look = Effect.map(this.open(task), (inputs) => inputs.filter(wanted))
    // the bell hangs before anybody looks, so no question falls between
    const round = Effect.suspend(() => {
      const bell = Deferred.makeUnsafe<void>()
      const stop = this.facts.follow(task.run, ({ event }) => {
        if (event._tag === "InputRequested") Deferred.doneUnsafe(bell, Effect.void)
      })
      return look.pipe(
        Effect.tap((found) => found.length > 0 ? Effect.void : Deferred.await(bell)),
        Effect.ensuring(Effect.sync(stop))
      )
    })
    return Effect.repeat(round, { until: (found) => found.length > 0 })
  }

  /** Waits until the task ends, asks the peer something, or the patience (milliseconds) is over. */
  settle(
    task: Task,
    options: { readonly patience: number | undefined; readonly wanted?: ((input: OpenInput) => boolean) | undefined }
  ): Effect.Effect<Settled, WireError | StoreError> {
    const ended = Effect.map(this.result(task.id), (outcome): Settled => ({ _tag: "Ended", ...outcome }))
    const { patience, wanted } = options
    const waits: Array<Effect.Effect<Settled, WireError | StoreError>> = [ended]
    if (wanted !== undefined) {
      waits.push(Effect.map(this.asked(task, wanted), (inputs): Settled => ({ _tag: "Asked", inputs })))
    }
    if (patience !== undefined) waits.push(Effect.as(Effect.sleep(patience), { _tag: "Under" }))
    return waits.length === 1 ? ended : Effect.raceAllFirst(waits)
  }

  /** Whether the peer may be asked this. */
  wantedBy(peer: Peer): (input: OpenInput) => boolean {
    return (input) => canAnswer(peer, input.request) && !this.showings.isShut(peer, input)
  }

  /**
   * Answers those of the task's open questions that have an answer; the first valid one wins. Answers to questions that
   * are not open, and answers that are none, are passed over: the question stays open.
   */
  answer(peer: Peer, task: Task, answers: Readonly<Record<string, unknown>>): Effect.Effect<void, StoreError> {
    const keys = Object.keys(answers).slice(0, 1_000)
    if (keys.length === 0) return Effect.void
    return Effect.flatMap(this.open(task), (inputs) => {
      const open = new Map(inputs.map((input) => [wireKey(task.id, input.task, input.request.key), input]))
      return Effect.forEach(keys, (key) => {
        const input = open.get(key)
        return input === undefined ? Effect.void : this.respond(peer, input, answers[key])
      }, { discard: true })
    })
  }

  private respond(peer: Peer, input: OpenInput, answer: unknown): Effect.Effect<void, StoreError> {
    const { request, task } = input
    const response = toResponse(request, answer, peer.by)
    if (response === undefined) return Effect.void
    const unread = this.showings.unread(peer, input, response)
    if (unread !== undefined) return unread
    return this.tasks.respond({ id: task, key: request.key, response, isOwner: peer.isOwner }).pipe(
      Effect.catchTags({
        AlreadyAnswered: () => Effect.void,
        InvalidAnswer: () => Effect.void,
        NotEntitled: () => Effect.void,
        Refused: () => Effect.void,
        TaskNotFound: () => Effect.void
      }),
      Effect.asVoid
    )
  }

  /** A task whose time is over ends by that, also when its caller notices first. */
  cancel(peer: Peer, id: TaskId, reason?: string): Effect.Effect<void, WireError | Refused | StoreError> {
    return Effect.andThen(this.tasks.expire(id), this.tasks.cancel({ id, by: peer.by, reason })).pipe(
      Effect.catchTag("TaskNotFound", () => Effect.fail(noTask())),
      Effect.asVoid
    )
  }

  /** Stops the task of a call that was given up, without ever starting one; the reply to it. */
  withdraw(
    peer: Peer,
    contract: Contract,
    request: Request
  ): Effect.Effect<JsonObject, WireError | StoreError> {
    return Effect.gen({ self: this }, function*() {
      const { id } = yield* this.submit(peer, contract, request, true)
      yield* Effect.catchTag(this.cancel(peer, id, "The caller has given the call up"), "Refused", () => Effect.void)
      const { _meta } = yield* this.report(peer, id, request.meta)
      const { status } = yield* Effect.catchTag(this.tasks.get(id), "TaskNotFound", () => Effect.fail(noTask()))
      return { content: [], _meta: { ...isObject(_meta) ? _meta : {}, [Meta.withdrawn]: status } }
    }).pipe(
      // what is no input made no task either
      Effect.catchTag("InvalidInput", () => Effect.succeed({ content: [], _meta: { [Meta.withdrawn]: "cancelled" } }))
    )
  }

  /** What a request about a task asks and tells beside it, as `_meta` of the reply. */
  beside(peer: Peer, id: TaskId, meta: JsonObject | null): Effect.Effect<JsonObject, StoreError> {
    const said = peer.isTrusted ? readSaid(meta) : undefined
    const wait = peer.isTrusted ? Meta.readTreeWait(meta) : undefined
    if (said === undefined && wait === undefined) return this.report(peer, id, meta)
    return Effect.gen({ self: this }, function*() {
      const steered = said === undefined ? {} : { [Meta.steer]: yield* this.steer(id, said) }
      const tree = wait === undefined ? {} : { [Meta.tree]: yield* this.tree(id, wait) }
      const { _meta } = yield* this.report(peer, id, meta)
      return { _meta: { ..._meta as JsonObject | undefined, ...steered, ...tree } }
    })
  }

  /** Others are asked for less time than there is, so that the answer is in time. */
  private tree(id: TaskId, wait: number): Effect.Effect<JsonObject, StoreError> {
    const { elsewhere, tree } = this.tasks
    const own = Effect.catchTag(tree(id), "TaskNotFound", () => Effect.succeed([]))
    return Effect.zipWith(
      own,
      elsewhere(id, Math.floor(wait * shareOfWait)),
      (tasks, elsewhere) => writeTree({ ...elsewhere, nodes: [...tasks.map(nodeOf), ...elsewhere.nodes] })
    )
  }

  private steer(id: TaskId, said: Omit<Steer, "id">): Effect.Effect<JsonObject, StoreError> {
    const refused = ({ message }: { readonly message: string }) => Effect.succeed({ refused: message })
    return Effect.map(this.tasks.steer({ ...said, id }), ({ told }) => writeReply(told)).pipe(
      Effect.catchTags({
        InvalidSteering: refused,
        Refused: refused,
        TaskNotFound: () => Effect.succeed({ refused: "the task is gone" })
      })
    )
  }

  /** How all of the task came to rest, and what it used, as `_meta` of a reply to a trusted peer that asks for it. */
  report(peer: Peer, id: TaskId, meta: JsonObject | null): Effect.Effect<JsonObject, StoreError> {
    const wait = peer.isTrusted ? Meta.readReportWait(meta) : undefined
    if (wait === undefined) return Effect.succeed({})
    const { cancelReport, cancelSettled, get } = this.tasks
    return Effect.timeoutOption(cancelSettled(id), wait).pipe(
      Effect.andThen(Effect.all([cancelReport(id), get(id)])),
      Effect.map(([report, task]) => ({
        _meta: { [Meta.cancelReport]: { ...shortened(report, mostReported) }, ...usageOf(task) }
      })),
      Effect.catchTag("TaskNotFound", () => Effect.succeed({}))
    )
  }

  /** From now on connections break because this service stops: whose caller is cut off goes on, and is found again. */
  stop(): void {
    this.isStopping = true
  }

  /**
   * The caller that waited for the task has gone away: nobody is there to take its result. A Coppice we trust was cut off: it
   * calls again by its key, or gives the call up by it.
   */
  left(peer: Peer, { id, spec: { idempotencyKey, meta } }: Task): Effect.Effect<void> {
    const comesBack = peer.isTrusted && idempotencyKey !== null && meta?.[Meta.taskParent] !== undefined
    return Effect.suspend(() =>
      this.isStopping || comesBack ? Effect.void : Effect.ignore(this.cancel(peer, id, "The caller went away"))
    )
  }

  /** The peer's own root tasks, newest first. */
  list(peer: Peer, cursor: TaskId | undefined, limit: number): Effect.Effect<ReadonlyArray<Task>, StoreError> {
    return this.tasks.list({ principal: peer.principal, rootsOnly: true, cursor, limit })
  }

  /** What can be done with tasks besides. */
  get verbs(): Tasks["Service"] {
    return this.tasks
  }
}
