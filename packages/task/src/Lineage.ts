/**
 * Who called whom to get here, and when a call goes round in a circle.
 *
 * A call of an agent that is under way above, with the same input, can only ask for what is being asked for already. The
 * chain goes on across services: what a peer says of it comes with the call, and a task of ours in it is found by its id.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import { digest } from "./internal/digest.ts"
import { canonical } from "./Payload.ts"
import { isTerminal, TaskId } from "./Task.ts"
import type { StoreError, TaskStore } from "./TaskStore.ts"

/** A task on the way from the first root to a call. `digest` stands for agent and input. */
export const Ancestor = Schema.Struct({
  task: Schema.String.check(Schema.isMaxLength(64)),
  agent: Schema.String.check(Schema.isMaxLength(128)),
  digest: Schema.String.check(Schema.isMaxLength(64))
})
export type Ancestor = typeof Ancestor.Type

/** How many of the last ancestors a peer is told, and how many it listens to. */
export const mostAncestors = 32

/** What one service tells another: how deep the call stands, and the last of those above it, the caller last. */
export const Ancestry = Schema.Struct({
  depth: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })),
  chain: Schema.Array(Ancestor).check(Schema.isMaxLength(mostAncestors))
})
export type Ancestry = typeof Ancestry.Type

/** Why a call was not made. `detail` is for people. */
export const Refusal = Schema.TaggedUnion({
  /** The called agent is under way above, with the same input; `chain` names everybody from it to the caller. */
  Cycle: { detail: Schema.String, chain: Schema.Array(Schema.String) },
  TooDeep: { detail: Schema.String, limit: Schema.Int },
  TooManyCalls: { detail: Schema.String, limit: Schema.Int }
})
export type Refusal = typeof Refusal.Type

/** Limits of one tree; a tree that outgrows them is a bug, and is told so. */
export interface CallLimits {
  /** Tasks from the first root to the last child, those of other services included. [32] */
  readonly depth: number
  /** Calls one task may make. [20,000] */
  readonly calls: number
}

export const CallLimits = Context.Reference<CallLimits>("@coppice/task/CallLimits", {
  defaultValue: () => ({ depth: 32, calls: 20_000 })
})

/** What stands for an agent and its input. */
export const digestOf = (agent: string, input: Schema.Json): string => digest(canonical([agent, input])).slice(0, 22)

export const tooDeep = (limit: number): Refusal => ({
  _tag: "TooDeep",
  limit,
  detail: `the tree is ${limit} calls deep already; raise \`limits.depth\` if that is meant`
})

export const tooManyCalls = (limit: number): Refusal => ({
  _tag: "TooManyCalls",
  limit,
  detail: `the task has made ${limit} calls already; raise \`limits.calls\` if that is meant`
})

/** The circle a call from below these would close. */
export const cycle = (chain: ReadonlyArray<Ancestor>, from: number, agent: string): Refusal => {
  const names = [...chain.slice(from).map(({ agent }) => agent), agent]
  return {
    _tag: "Cycle",
    chain: names,
    detail: `${names.join(" → ")} would wait for itself: "${agent}" is under way above with the same input ` +
      `(task ${chain[from]!.task})`
  }
}

/**
 * The circle a call would close: the same call, by a task of ours that is under way. An equal call of another service is
 * no circle, since agents of one name may stand before each other.
 */
export const findCycle = Effect.fnUntraced(function*(
  store: TaskStore["Service"],
  chain: ReadonlyArray<Ancestor>,
  agent: string,
  input: Schema.Json
): Effect.fn.Return<Refusal | undefined, StoreError> {
  const digest = digestOf(agent, input)
  for (const [from, ancestor] of chain.entries()) {
    if (ancestor.digest !== digest) continue
    const row = yield* store.load(TaskId.make(ancestor.task))
    if (row !== undefined && !isTerminal(row.state.status)) return cycle(chain, from, agent)
  }
  return undefined
})

/** What finds the ancestors of tasks in a store: everybody from the local root down to the task, itself last. */
export const makeLineage = (
  store: TaskStore["Service"]
): (id: TaskId) => Effect.Effect<ReadonlyArray<Ancestor>, StoreError> => {
  /** A task's ancestors never change. */
  const known = new Map<TaskId, ReadonlyArray<Ancestor>>()
  const of: (id: TaskId) => Effect.Effect<ReadonlyArray<Ancestor>, StoreError> = Effect.fnUntraced(function*(id) {
    const before = known.get(id)
    if (before !== undefined) return before
    const row = yield* store.load(id)
    const input = yield* store.input(id)
    if (row === undefined || input === undefined) return []
    const { agent, parent, spec } = row.state
    const above = parent === null ? readAncestry(spec.meta)?.chain ?? [] : yield* of(parent)
    const chain = [...above, { task: id, agent, digest: digestOf(agent, input) }]
    if (known.size >= 1_000) known.clear()
    known.set(id, chain)
    return chain
  })
  return of
}

/** The key of `_meta` a chain travels under. Nothing is kept under it that did not come from a trusted Coppice. */
export const ancestryKey = "dev.coppice/ancestors"

const decode = SchemaParser.decodeUnknownResult(Ancestry)

export const readAncestry = (meta: Schema.JsonObject | null): Ancestry | undefined =>
  Result.getOrUndefined(decode(meta?.[ancestryKey]))

/** Why a call that comes from another service is not taken: a task of ours in its chain waits for just this. */
export const refusalFrom = (
  store: TaskStore["Service"],
  limits: CallLimits,
  { agent, chain, depth, input }: Ancestry & { readonly agent: string; readonly input: Schema.Json }
): Effect.Effect<Refusal | undefined, StoreError> =>
  depth >= limits.depth ? Effect.succeed(tooDeep(limits.depth)) : findCycle(store, chain, agent, input)
