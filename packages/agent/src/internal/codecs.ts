/**
 * The border between typed handlers and the JSON of the log.
 */
import * as Content from "@coppice/task/Content"
import { type Contract, jsonSchemaOf, versionOf } from "@coppice/task/Contract"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type { Pure } from "../Agent.ts"
import { BudgetExceeded, CallError, NotAccepted, OutcomeUnknown, OutgrownInput } from "../AgentError.ts"
import type { Definition } from "./AgentServer.ts"
import { toJson } from "./json.ts"

/** A handler's output or error that does not fit its own schema: a bug of the handler. */
export class DoesNotFit extends Data.TaggedError("DoesNotFit")<{ readonly message: string }> {}

type Encode = (value: unknown) => Exit.Exit<Schema.Json, unknown>
type Decode = (json: unknown) => Exit.Exit<any, unknown>

export interface Codecs {
  readonly encodeInput: Encode
  readonly decodeOutput: Decode
  readonly decodeError: Decode
  readonly implement: (
    handler: (input: unknown) => Effect.Effect<unknown, unknown>
  ) => Pick<Definition, "handle" | "accept">
}

const parse = { errors: "first" } as const

const copied = (value: unknown): Exit.Exit<Schema.Json, unknown> => {
  try {
    return Exit.succeed(toJson(value))
  } catch (error) {
    return Exit.fail(error)
  }
}

/** What leaves is a copy of its own, and JSON even where the schema would let anything pass. */
const encoder = (schema: Pure): Encode => {
  const encode = SchemaParser.encodeUnknownExit(Schema.toCodecJson(schema), parse)
  return (value) => {
    const encoded = encode(value)
    return Exit.isSuccess(encoded) ? copied(encoded.value) : encoded
  }
}

/** What comes in is a copy, too: a schema that lets anything pass would hand the record itself to the code. */
const decoder = (schema: Pure): Decode => {
  const decode = SchemaParser.decodeUnknownExit(Schema.toCodecJson(schema), parse) as unknown as Decode
  return (json) => {
    const copy = copied(json)
    return Exit.isSuccess(copy) ? decode(copy.value) : copy
  }
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const segment = (part: PropertyKey | { readonly key: PropertyKey }): string => {
  const key = typeof part === "object" ? part.key : part
  return typeof key === "number" ? `[${key}]` : `.${String(key)}`
}

/** What a schema says about a value that does not fit: one line, and where. */
export const problemOf = (cause: Cause.Cause<unknown>): { readonly path: string; readonly message: string } => {
  const problem = Cause.squash(cause)
  const issue = Predicate.hasProperty(problem, "issue") ? problem.issue : problem
  if (!SchemaIssue.isIssue(issue)) {
    return {
      path: "",
      message: String(problem instanceof Error ? problem.message : problem).replaceAll(/\s*\n\s*/g, " ")
    }
  }
  const [first] = formatIssue(issue).issues
  const path = (first?.path ?? []).map(segment).join("").replace(/^\./, "")
  const message = (first?.message ?? "it does not fit").replaceAll(/\s*\n\s*/g, " ")
  return { path, message: path === "" ? message : `${path}: ${message}` }
}

/** An error of the runtime that the handler let through: no contract declares it, and a replay would read it again. */
export const isUndeclared = (error: unknown): error is CallError | NotAccepted | OutcomeUnknown | BudgetExceeded =>
  error instanceof CallError || error instanceof BudgetExceeded || error instanceof NotAccepted ||
  error instanceof OutcomeUnknown

const orDefect = (what: string, exit: Exit.Exit<Schema.Json, unknown>): Effect.Effect<Schema.Json> =>
  Exit.isSuccess(exit)
    ? Effect.succeed(exit.value)
    : Effect.die(new DoesNotFit({ message: `${what} does not fit its schema: ${problemOf(exit.cause).message}` }))

export const codecs = (name: string, input: Pure, output: Pure, error: Pure): Codecs => {
  const decodeInput = decoder(input)
  const encodeInput = encoder(input)
  const encodeOutput = encoder(output)
  const encodeError = encoder(error)
  return {
    encodeInput,
    decodeOutput: decoder(output),
    decodeError: decoder(error),
    implement: (handler) => ({
      accept: (json) => {
        const decoded = decodeInput(json)
        if (Exit.isFailure(decoded)) return Exit.fail(problemOf(decoded.cause))
        const encoded = encodeInput(decoded.value)
        return Exit.isSuccess(encoded) ? Exit.succeed(encoded.value) : Exit.fail(problemOf(encoded.cause))
      },
      handle: (json) => {
        const decoded = decodeInput(json)
        if (Exit.isFailure(decoded)) {
          return Effect.die(new OutgrownInput({ agent: name, detail: problemOf(decoded.cause).message }))
        }
        return Effect.matchCauseEffect(Effect.suspend(() => handler(decoded.value)), {
          onSuccess: (value) => orDefect(`The output of "${name}"`, encodeOutput(value)),
          onFailure: (cause) => {
            const failed = cause.reasons.find(Cause.isFailReason)
            if (failed === undefined || Cause.hasDies(cause)) return Effect.failCause(cause as Cause.Cause<never>)
            if (isUndeclared(failed.error)) return Effect.die(failed.error)
            return Effect.flatMap(orDefect(`An error of "${name}"`, encodeError(failed.error)), Effect.fail)
          }
        })
      }
    })
  }
}

interface ContractOptions extends Omit<Contract, "version" | "input" | "output" | "error" | "content"> {
  readonly version: string | undefined
  readonly input: Pure
  readonly output: Pure
  readonly error: Pure | undefined
}

export const contractOf = (options: ContractOptions): Contract => {
  const input = jsonSchemaOf(options.input)
  const output = jsonSchemaOf(options.output)
  const error = options.error === undefined ? null : jsonSchemaOf(options.error)
  const version = options.version ?? versionOf(input, output, error)
  return { ...options, version, input, output, error, content: options.output === Content.Result }
}
