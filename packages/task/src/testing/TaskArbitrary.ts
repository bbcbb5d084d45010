/**
 * Arbitrary commands, histories and trees, small enough that their keys and attempts collide often.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { Budget } from "../Budget.ts"
import { Offer } from "../Policy.ts"
import { AttemptClass, Progress, type TaskId } from "../Task.ts"
import { InputRequest, InputResponse } from "../TaskEvent.ts"
import type { Command } from "../TaskMachine.ts"

const Key = Schema.Literals(["a", "b", "c"])
const Attempt = Schema.Literals([0, 1, 2])
const Value = Schema.Union([Schema.Null, Schema.Boolean, Schema.Int, Schema.String, Schema.Array(Schema.String)])
const Time = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))
const Amounts = Schema.Struct({
  calls: Schema.optionalKey(Small),
  tokens: Schema.optionalKey(Small),
  money: Schema.optionalKey(Small)
})

/** Around the times of the first facts of a `Ledger`. */
const Moment = Schema.Int.check(Schema.isBetween({ minimum: 1_799_999_999_990, maximum: 1_800_000_000_060 }))
const Who = Schema.Literals(["ann", "bob", "cy", "dan"])
const Few = Schema.Array(Moment).check(Schema.isMaxLength(3))

const QuestionPolicy = Schema.Struct({
  to: Schema.optionalKey(Schema.Array(Who)),
  quorum: Schema.optionalKey(Schema.Literals([1, 2, 3])),
  remind: Schema.optionalKey(Few),
  escalate: Schema.optionalKey(
    Schema.Array(Schema.Struct({ at: Moment, to: Schema.Array(Who) })).check(Schema.isMaxLength(2))
  ),
  silence: Schema.optionalKey(Schema.Union([
    Schema.Struct({ action: Schema.Literal("accept"), content: Value }),
    Schema.Struct({ action: Schema.Literal("decline") })
  ]))
})

const Commands = Schema.TaggedUnion({
  Start: { attempt: Attempt },
  FailAttempt: {
    attempt: Attempt,
    message: Schema.String,
    delivered: Schema.Int,
    class: Schema.optionalKey(AttemptClass),
    retryAt: Schema.optionalKey(Time)
  },
  Progress: { attempt: Attempt, progress: Progress },
  IntendStep: { attempt: Attempt, key: Key, name: Schema.String },
  RecordStep: {
    attempt: Attempt,
    key: Key,
    name: Schema.String,
    exit: Schema.Union([
      Schema.TaggedStruct("Success", { value: Value }),
      Schema.TaggedStruct("Failure", { error: Value })
    ]),
    startedAt: Time,
    compensable: Schema.optionalKey(Schema.Literal(true)),
    compensates: Schema.optionalKey(Key)
  },
  ReuseStep: { key: Key, name: Schema.String, result: Value, from: Schema.Literal("00000000000000000001" as TaskId) },
  SetTimer: { attempt: Attempt, key: Key, due: Time },
  FireTimer: { key: Key },
  RequestInput: {
    attempt: Attempt,
    request: Schema.Struct({
      ...InputRequest.fields,
      key: Key,
      schema: Schema.Null,
      url: Schema.NullOr(Schema.String),
      deadline: Schema.NullOr(Moment),
      policy: Schema.optionalKey(QuestionPolicy)
    })
  },
  Respond: {
    key: Key,
    response: Schema.Struct({
      action: InputResponse.fields.action,
      content: Schema.NullOr(Schema.Literals([1, 2])),
      by: Who
    })
  },
  WithdrawInput: { attempt: Attempt, key: Key },
  TendInput: { key: Key, now: Moment },
  Delegate: { key: Key, by: Who, to: Who },
  OfferInput: {
    key: Key,
    offer: Schema.Struct({ door: Key, to: Schema.optionalKey(Who), how: Offer.fields.how })
  },
  Complete: { attempt: Attempt, result: Value },
  Fail: {
    attempt: Schema.NullOr(Attempt),
    reason: Schema.Literals(["agent_error", "defect", "deadline", "budget", "quarantined", "replay_mismatch"]),
    message: Schema.String,
    error: Value
  },
  Cancel: { by: Schema.String, reason: Schema.NullOr(Schema.String) },
  Settle: {
    how: Schema.Literals(["stopped", "refused", "unreachable", "unknown"]),
    took: Time,
    unwound: Schema.optionalKey(Schema.Boolean),
    server: Schema.optionalKey(Schema.String),
    tries: Schema.optionalKey(Schema.Int),
    retryAt: Schema.optionalKey(Time)
  },
  Release: { rule: Schema.Literals(["continue", "adopt"]) },
  Adopt: { child: Schema.Literal("00000000000000000001" as TaskId) },
  Steer: {
    steering: Schema.Struct({
      by: Schema.String,
      message: Schema.optionalKey(Schema.String),
      priority: Schema.optionalKey(Schema.Int),
      deadline: Schema.optionalKey(Time),
      nth: Schema.optionalKey(Small)
    })
  },
  Reserve: {
    id: Key,
    amounts: Amounts,
    kept: Schema.optionalKey(Schema.Literal(true)),
    unasked: Schema.optionalKey(Schema.Literal(true)),
    place: Schema.optionalKey(Schema.Struct({ depth: Small, fanOut: Small }))
  },
  Refund: { id: Key, unused: Amounts },
  AskForMore: { measure: Schema.Literals(["calls", "tokens", "money"]) },
  PutPartial: { attempt: Attempt, value: Value },
  Upgrade: {
    attempt: Attempt,
    upgrade: Schema.Struct({
      choice: Schema.Literals(["migrate", "restart"]),
      version: Schema.String,
      moves: Schema.Array(Schema.Struct({ from: Key, to: Key })),
      children: Schema.Tuple([])
    })
  }
})

/** What is left of a value on its way through the log: no `-0`, no object without a prototype. */
const asJson = <A>(value: A): A => JSON.parse(JSON.stringify(value))

/** Any wish about a task, sensible or not. */
export const command: Arbitrary.Arbitrary<Command> = Arbitrary.map(Arbitrary.schema(Commands), asJson)

/** Wishes that leave the task active: without them most histories would be short. */
export const living: Arbitrary.Arbitrary<Command> = Arbitrary.filter(
  command,
  ({ _tag }) => _tag !== "Complete" && _tag !== "Fail" && _tag !== "Cancel" && _tag !== "Settle"
)

/** A life of a task: much that may happen while it is active, then anything. */
export const life: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.map(
  Arbitrary.all([Arbitrary.array(living, { maxLength: 20 }), Arbitrary.array(command, { maxLength: 12 })] as const),
  ([active, any]) => [...active, ...any]
)

/** A budget so small that it is soon used up. */
export const budget: Arbitrary.Arbitrary<Budget> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({
    wallClock: Schema.Null,
    calls: Schema.NullOr(Small),
    tokens: Schema.NullOr(Small),
    money: Schema.NullOr(Small),
    depth: Schema.optionalKey(Small),
    fanOut: Schema.optionalKey(Small),
    soft: Schema.optionalKey(Schema.Literals([0.25, 0.5, 1]))
  })),
  asJson
)

/** A tree: the parent of each node but the first, as a number of an earlier node. */
export const tree: Arbitrary.Arbitrary<ReadonlyArray<number>> = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))), {
    maxLength: 24
  }),
  (picks) => picks.map((pick, i) => pick % (i + 1))
)

/** What a store goes through: tasks are named by number, modulo how many there are. */
export type Act =
  | { readonly _tag: "Root" }
  | { readonly _tag: "Child"; readonly of: number }
  | { readonly _tag: "Command"; readonly to: number; readonly command: Command }
  | { readonly _tag: "Park"; readonly task: number; readonly parked: boolean }
  | { readonly _tag: "Commit" }
  | { readonly _tag: "Reopen" }

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))

const plain = Arbitrary.schema(Schema.Union([
  Schema.TaggedStruct("Root", {}),
  Schema.TaggedStruct("Child", { of: Index }),
  Schema.TaggedStruct("Park", { task: Index, parked: Schema.Boolean }),
  Schema.TaggedStruct("Commit", {}),
  Schema.TaggedStruct("Reopen", {})
]))

const commanded: Arbitrary.Arbitrary<Act> = Arbitrary.map(
  Arbitrary.all([Arbitrary.schema(Index), command] as const),
  ([to, command]) => ({ _tag: "Command", to, command })
)

/** Any course of events of a store. */
export const acts: Arbitrary.Arbitrary<ReadonlyArray<Act>> = Arbitrary.map(
  Arbitrary.array(Arbitrary.all([plain, commanded, commanded] as const), { maxLength: 25 }),
  (triples) => triples.flat()
)

/** Values that get lost or bent where somebody was careless. */
export const awkward = {
  text: "é ☃ 😀 \u0000 \ud800 \u2028 \"quoted\" 'single' \\ % _ -- ;",
  empty: "",
  numbers: [0, -1, 1.5, 1e-7, 1e21, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE],
  nothing: null,
  nested: JSON.parse(`${"[".repeat(190)}1${"]".repeat(190)}`),
  proto: JSON.parse(`{"__proto__": {"polluted": true}, "constructor": 1}`),
  long: "x".repeat(300_000)
}
