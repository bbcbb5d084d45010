/**
 * How a Coppice tells the one that does a task's work that the task was steered: in `_meta` of a request about the task,
 * and in its reply what became of that. Told again, with the same `nth`, it is nothing new.
 */
import type { Budget } from "@coppice/task/Budget"
import type { Steer } from "@coppice/task/Tasks"
import { Told } from "@coppice/task/Told"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Meta from "../Meta.ts"

/** What is said. `nth` is its place in the log of who says it; the budget is as `dev.coppice/budget` has it. */
const Said = Schema.Struct({
  nth: Schema.Int,
  by: Schema.String.check(Schema.isMaxLength(256)),
  message: Schema.optionalKey(Schema.String),
  priority: Schema.optionalKey(Schema.Int),
  deadline: Schema.optionalKey(Schema.Int),
  budget: Schema.optionalKey(Schema.JsonObject),
  subtree: Schema.optionalKey(Schema.Boolean)
})
export type Said = typeof Said.Type

/** What became of it: which tasks were told, or why none was. */
const Reply = Schema.Struct({
  told: Schema.optionalKey(Schema.Array(Told)),
  /** How many were told and are not listed. */
  omitted: Schema.optionalKey(Schema.Int),
  refused: Schema.optionalKey(Schema.String)
})
export type Reply = typeof Reply.Type

/** The most tasks one reply lists. */
const mostListed = 100

const decodeSaid = Schema.decodeUnknownOption(Said)
const decodeReply = Schema.decodeUnknownOption(Reply)

/** What a request tells its task, if it is anything. A budget that makes no sense makes no sense of the rest. */
export const readSaid = (meta: Schema.JsonObject | null): Omit<Steer, "id"> | undefined => {
  const said = Option.getOrUndefined(decodeSaid(meta?.[Meta.steer]))
  if (said === undefined) return undefined
  const { budget: given, ...rest } = said
  if (given === undefined) return rest
  const budget = Meta.readBudget({ [Meta.budget]: given })
  return budget === undefined ? undefined : { ...rest, budget }
}

export const writeSaid = (
  { budget, ...said }: Omit<Said, "budget"> & { readonly budget?: Budget }
): Schema.JsonObject => ({
  ...said,
  ...budget === undefined ? {} : { budget: Meta.writeBudget(budget) }
})

export const readReply = (meta: Schema.JsonObject | undefined): Reply | undefined =>
  Option.getOrUndefined(decodeReply(meta?.[Meta.steer]))

export const writeReply = (told: ReadonlyArray<Told>): Schema.JsonObject => ({
  told: told.slice(0, mostListed).map((one) => ({ ...one })),
  ...told.length > mostListed ? { omitted: told.length - mostListed } : {}
})
