/**
 * Checks a person's answer against the form it was asked with.
 *
 * The form is a JSON Schema, as MCP elicitation has it, so an answer is checked alike whichever door it came through
 * and without the asker's code.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as SchemaRepresentation from "effect/SchemaRepresentation"
import { canonical } from "./Payload.ts"

/** An answer the form does not allow. `message` names the field and what it should be. */
export class InvalidAnswer extends Data.TaggedError("InvalidAnswer")<{ readonly message: string }> {}

type Check = (content: Schema.Json) => Result.Result<Schema.Json, string>

const decoded = (codec: Schema.Top): Check => {
  const decode = SchemaParser.decodeUnknownResult(codec as Schema.Codec<Schema.Json>, {
    errors: "all",
    onExcessProperty: "error"
  })
  return (content) => Result.mapError(decode(content), describe)
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/** One line: each field that does not fit, and what it should be. */
export const describe = (issue: SchemaIssue.Issue): string =>
  formatIssue(issue).issues.map(({ message, path = [] }) => {
    const field = path.map((part) => typeof part === "object" ? part.key : part).map(String).join(".")
    return field === "" ? message : `${field}: ${message}`
  }).join("; ")

const compiled = new Map<string, Check>()

const anyObject = decoded(Schema.JsonObject)

/** A form from elsewhere may use what this reader does not know: it is read as far as it can be. */
const compile = (form: Schema.JsonObject): Check => {
  const { $defs, ...schema } = form as { readonly $defs?: Schema.JsonObject }
  const document = { dialect: "draft-2020-12", schema, definitions: $defs ?? {} } as never
  const read = (patterns: "apply" | "ignore") =>
    Result.try(() => decoded(SchemaRepresentation.fromJsonSchemaDocument(document, { patterns })))
  return Result.getOrElse(Result.orElse(read("apply"), () => read("ignore")), () => anyObject)
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
