/**
 * Where what a task uses is taken from: the budgets above it.
 *
 * A task draws from the nearest task above that limits the measure in question, itself included. Everything here happens
 * at once and in memory; owners are resident because whoever runs a task below them pins them.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Amounts, emptyPool, isNothing, limited, minus, type Place, unused } from "./Budget.ts"
import { isSettled, type TaskId } from "./Task.ts"
import type { Entry, TaskLog } from "./TaskLog.ts"
import { decide, InvariantViolation, type RefusalReason, type TaskState } from "./TaskMachine.ts"
import type { StoreError, TaskStore } from "./TaskStore.ts"

type Log = Pick<TaskLog["Service"], "resident" | "dispatch">

/** The task that owns the nearest budget: what the tasks it makes get as their `spec.pool`. */
export const poolOf = ({ id, spec }: TaskState): TaskId | undefined => spec.budget === null ? spec.pool : id

/** The owners from this one up that are in memory, nearest first. */
const upFrom = (log: Log, first: TaskId | undefined): ReadonlyArray<Entry> => {
  const found: Array<Entry> = []
  for (let id = first; id !== undefined;) {
    const entry = log.resident(id)
    if (entry === undefined) return found
    found.push(entry)
    id = entry.state.spec.pool
  }
  return found
}

/**
 * The owners of the budgets a task draws from, nearest first; none for a tree without budgets. Throws when one of them is
 * not in memory: it would not limit anything.
 */
export const owners = (log: Log, state: TaskState): ReadonlyArray<Entry> => {
  const found = upFrom(log, poolOf(state))
  const last = found.at(-1)
  const next = last === undefined ? poolOf(state) : last.state.spec.pool
  if (next === undefined) return found
  throw new InvariantViolation({ message: `task ${state.id} draws from task ${next}, which is not in memory` })
}

/** What is to be taken, and for whom. `level` is how deep in the whole tree, `fanOut` the how-manieth call of its task. */
export interface Wish {
  readonly id: string
  readonly amounts: Amounts
  readonly kept?: true
  /** It has happened already. */
  readonly unasked?: true
  readonly place?: { readonly level: number; readonly fanOut: number } | undefined
}

/** Whose budget does not allow it, and why. */
export interface NotGranted {
  readonly owner: TaskId
  readonly reason: RefusalReason
}

/** What of the amounts the budgets limit: each measure by the nearest budget that does. */
const shares = (pools: ReadonlyArray<Entry>, amounts: Amounts): ReadonlyArray<readonly [Entry, Amounts]> => {
  let rest = amounts
  return pools.map((owner) => {
    const share = limited(rest, owner.state.spec.budget!)
    rest = minus(rest, share)
    return [owner, share] as const
  })
}

const placeBelow = ({ state }: Entry, place: Wish["place"]): Place | undefined =>
  place === undefined ? undefined : { depth: place.level - state.spec.depth, fanOut: place.fanOut }

/** Takes all of it, or nothing. */
export const reserve = (log: Log, pools: ReadonlyArray<Entry>, wish: Wish): Result.Result<void, NotGranted> => {
  const { id, kept, unasked } = wish
  const commands = shares(pools, wish.amounts).map(([owner, amounts]) => {
    const place = placeBelow(owner, wish.place)
    const command = {
      _tag: "Reserve",
      id,
      amounts,
      ...kept === undefined ? {} : { kept },
      ...unasked === undefined ? {} : { unasked }
    } as const
    return [owner, place === undefined ? command : { ...command, place }] as const
  })
  for (const [owner, command] of commands) {
    const decided = decide(owner.state, command)
    if (Result.isFailure(decided)) return Result.fail({ owner: owner.state.id, reason: decided.failure.reason })
  }
  for (const [owner, command] of commands) if (!isNothing(command.amounts)) log.dispatch(owner, command)
  return Result.succeed(undefined)
}

/** Ends a reservation wherever it is open. */
export const refund = (log: Log, pools: ReadonlyArray<Entry>, id: string, unused: Amounts): void => {
  for (const owner of pools) {
    if (owner.state.pool?.open[id] !== undefined) log.dispatch(owner, { _tag: "Refund", id, unused })
  }
}

/** A task with a budget of its own has come to rest: what it has not used returns to where it came from. */
export const giveBack = (log: Log, state: TaskState): void => {
  const { id, pool, spec: { budget, pool: from } } = state
  if (budget === null || from === undefined) return
  refund(log, upFrom(log, from), id, unused(budget, pool ?? emptyPool))
}

/**
 * Brings the owners into memory, pinned, nearest first. What a child gave back while its owner was not in memory is found
 * here: its reservation is still open.
 */
export const acquire = (
  log: TaskLog["Service"],
  store: TaskStore["Service"],
  state: TaskState
): Effect.Effect<ReadonlyArray<Entry>, StoreError> =>
  Effect.gen(function*() {
    const found: Array<Entry> = []
    for (let id = poolOf(state); id !== undefined;) {
      const entry = yield* log.acquire(id)
      if (entry === undefined) break
      found.push(entry)
      yield* reclaim(log, store, entry)
      id = entry.state.spec.pool
    }
    return found
  })

/** Owners whose open reservations have been looked at since they are in memory: from then on they hear of what comes back. */
const reclaimed = new WeakSet<Entry>()

const reclaim = Effect.fnUntraced(function*(log: TaskLog["Service"], store: TaskStore["Service"], owner: Entry) {
  if (reclaimed.has(owner)) return
  for (const id of Object.keys(owner.state.pool?.open ?? {})) {
    // that of a task's code is for its code to settle
    if (id.includes("/")) continue
    const child = log.resident(id as TaskId) ?? (yield* store.load(id as TaskId))
    if (child === undefined || !isSettled(child.state)) continue
    const { pool = emptyPool, spec: { budget } } = child.state
    if (budget !== null) refund(log, [owner], id, unused(budget, pool))
  }
  reclaimed.add(owner)
})
