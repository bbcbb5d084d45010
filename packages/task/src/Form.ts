/**
 * Checks a person's answer against the form it was asked with.
 *
 * The form is a JSON Schema, as MCP elicitation has it, so an answer is checked alike whichever door it came through
 * and without the asker's code.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as SchemaRepresentation from "effect/SchemaRepresentation"
import { canonical } from "./Payload.ts"

/** An answer the form does not allow. `message` names the field and what it should be. */
export class InvalidAnswer extends Data.TaggedError("InvalidAnswer")<{ readonly message: string }> {}

type Check = (content: Schema.Json) => Result.Result<Schema.Json, string>

const compiled = new Map<string, Check>()

const compile = (form: Schema.JsonObject): Check => {
  const { $defs, ...schema } = form as { readonly $defs?: Schema.JsonObject }
  const document = { dialect: "draft-2020-12", schema, definitions: $defs ?? {} } as const
  const codec = SchemaRepresentation.fromJsonSchemaDocument(document as never)
  const decode = SchemaParser.decodeUnknownResult(codec as Schema.Codec<Schema.Json>, { errors: "all" })
  return (content) => Result.mapError(decode(content), (issue) => String(issue))
}

/** The answer, or why it does not fit. A form that cannot be read accepts any object. */
export const checkAnswer = (
  form: Schema.JsonObject | null,
  content: Schema.Json
): Result.Result<Schema.Json, InvalidAnswer> => {
  if (form === null) return Result.succeed(content)
  const key = canonical(form)
  let check = compiled.get(key)
  if (check === undefined) {
    if (compiled.size >= 1_000) compiled.clear()
    check = compile(form)
    compiled.set(key, check)
  }
  return Result.mapError(check(content), (message) => new InvalidAnswer({ message }))
}
