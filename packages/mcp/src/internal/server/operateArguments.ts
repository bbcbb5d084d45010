/**
 * What the tools that operate the service take, where it is more than a task's id.
 */
import { type Budget, noLimits } from "@coppice/task/Budget"
import { describe } from "@coppice/task/Form"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import { invalid, type WireError } from "./wireError.ts"

const id = Schema.String.annotate({ description: "A task's id, as coppice_list and coppice_inspect tell it" })

const limit = Schema.optionalKey(Schema.NullOr(Schema.Finite))

const limits = Schema.Struct({
  wallClock: limit,
  calls: limit,
  tokens: limit,
  money: limit,
  depth: limit,
  fanOut: limit,
  soft: limit
}).annotate({ description: "The limits of a whole run; what is left out has none. Milliseconds, money in micro-units" })

export const SteerArguments = Schema.Struct({
  id,
  message: Schema.optionalKey(Schema.String.annotate({ description: "Read by the task's code, if it listens" })),
  priority: Schema.optionalKey(Schema.Int.annotate({ description: "Higher is given a place first; 0 is usual" })),
  deadline: Schema.optionalKey(
    Schema.Int.annotate({ description: "Unix milliseconds; never later than that of the task above" })
  ),
  budget: Schema.optionalKey(limits),
  subtree: Schema.optionalKey(Schema.Boolean.annotate({ description: "Everything below it is told the same" }))
})

export const ForkArguments = Schema.Struct({
  id,
  at: Schema.optionalKey(Schema.String.annotate({
    description: "Key or name of the step, call or question from where all is done anew [the question answered]"
  })),
  input: Schema.optionalKey(Schema.Json.annotate({ description: "Instead of the recorded one" })),
  answer: Schema.optionalKey(
    Schema.Struct({ key: Schema.String, content: Schema.Json }).annotate({
      description: "Another answer to a question of the recorded run"
    })
  )
})

/** The arguments, or what is wrong with them, field by field. */
export const read = <A>(schema: Schema.Codec<A, unknown>, args: Schema.JsonObject): Effect.Effect<A, WireError> =>
  Effect.fromResult(
    Result.mapError(
      SchemaParser.decodeUnknownResult(schema, { errors: "all" })(args),
      (issue) => invalid(describe(issue))
    )
  )

/** A budget as the runtime has it. */
export const toBudget = (given: typeof limits.Type): Budget => {
  const said = Object.entries(given).filter(([, value]) => value !== null)
  return { ...noLimits, ...Object.fromEntries(said) }
}
