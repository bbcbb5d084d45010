/**
 * Reads request bodies within limits and gives every failure the shape of the API.
 *
 * The body is checked when it is first asked for, which is after the token was: bytes are counted before they are kept,
 * must be UTF-8, and must be JSON that is not nested beyond reason. What fails in a way nobody foresaw is a 500 with a
 * reference; the rest of it goes to the service's own log.
 */
import * as ApiError from "@coppice/api/ApiError"
import { Guard } from "@coppice/api/Guard"
import { nearest } from "@coppice/task/Nearest"
import { payloadLimit } from "@coppice/task/Payload"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import { HttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type { IncomingMessage } from "node:http"

/** The largest body, bytes: a payload of the greatest size and the rest of a request. */
const bodyLimit: number = payloadLimit + 64 * 1024

/** How deep JSON may be nested. */
export const depthLimit = 128

/** How many values a body may have. */
export const valueLimit = 100_000

const tooLarge = ApiError.make("body_too_large", {
  message: `The body is larger than ${bodyLimit} bytes`,
  fix: "keep large values as artifacts and pass their references"
})

const invalid = (message: string): ApiError.BadRequest => ApiError.make("invalid_json", { message, field: "body" })

/** What is wrong with a JSON text's extent, counted without parsing it. */
export const measure = (text: string): string | undefined => {
  let depth = 0
  let values = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 92) i++
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 44) values++
    else if (code === 91 || code === 123) {
      values++
      if (++depth > depthLimit) return `The body is nested deeper than ${depthLimit} levels`
    } else if (code === 93 || code === 125) depth--
    if (values > valueLimit) return `The body has more than ${valueLimit} values`
  }
  return undefined
}

/** A key that could reach an object's prototype, were it ever copied carelessly. */
const hasPrototypeKey = (text: string): boolean => {
  if (!text.includes("__proto__") && !/\\u005f/i.test(text)) return false
  let found = false
  JSON.parse(text, (key, value) => {
    if (key === "__proto__") found = true
    return value
  })
  return found
}

/** A body, checked: its text and what it says. */
interface Checked {
  readonly text: string
  readonly value: unknown
}

/** Checks a body. An empty one stands for an empty object. */
const check = (bytes: ArrayBuffer | Uint8Array): Effect.Effect<Checked, ApiError.BadRequest> =>
  Effect.suspend(() => {
    let text: string
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    } catch {
      return Effect.fail(invalid("The body is not valid UTF-8"))
    }
    if (text.trim() === "") return Effect.succeed({ text: "{}", value: {} })
    const problem = measure(text)
    if (problem !== undefined) return Effect.fail(invalid(problem))
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      return Effect.fail(invalid(`The body is not valid JSON: ${(cause as Error).message.split("\n")[0]}`))
    }
    return hasPrototypeKey(text)
      ? Effect.fail(invalid("The key \"__proto__\" is not allowed"))
      : Effect.succeed({ text, value })
  })

/** Checks a body; succeeds with its text, which is JSON. */
export const readJson = (bytes: ArrayBuffer): Effect.Effect<string, ApiError.BadRequest> =>
  Effect.map(check(bytes), ({ text }) => text)

const isTooLarge = (error: unknown): boolean =>
  error instanceof HttpServerError && error.reason._tag === "RequestParseError" &&
  error.reason.reason === "BodyTooLarge"

/** The body of a request as checked text. Failures are thrown through the contract's decoder, which knows only defects. */
const checkedText = (request: HttpServerRequest): Effect.Effect<string> =>
  Effect.suspend(() => {
    const length = Number(request.headers["content-length"] ?? 0)
    return length > bodyLimit ? Effect.die(tooLarge) : request.arrayBuffer
  }).pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bodyLimit)),
    Effect.mapError((error) => isTooLarge(error) ? tooLarge : invalid("The body could not be read")),
    Effect.flatMap(readJson),
    Effect.orDie
  )

/** A body in JSON-RPC's words: its value, or why it is refused. */
export type Body =
  | { readonly _tag: "Read"; readonly value: unknown }
  | { readonly _tag: "Refused"; readonly status: number; readonly code: number; readonly message: string }

const refused = (problem: ApiError.BadRequest | ApiError.TooLarge, code: number): Body => ({
  _tag: "Refused",
  status: ApiError.statusOf(problem),
  code,
  message: problem.error.message
})

const parseError = -32700
const invalidRequest = -32600

/** Why a text is no JSON: that is a parse error; what is JSON and has no reasonable extent is an invalid request. */
const codeOf = ({ error }: ApiError.BadRequest): number =>
  /UTF-8|valid JSON/.test(error.message) ? parseError : invalidRequest

/** Reads a JSON-RPC body from the socket within the same limits: bytes are counted before they are kept. */
export const bodyOf = (request: IncomingMessage): Effect.Effect<Body> =>
  Effect.callback<Body | Buffer>((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    request.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= bodyLimit) chunks.push(chunk)
      else resume(Effect.succeed(refused(tooLarge, invalidRequest)))
    })
    request.once("end", () => resume(Effect.succeed(Buffer.concat(chunks))))
    request.once("error", () => resume(Effect.succeed(refused(invalid("The body could not be read"), parseError))))
    if (Number(request.headers["content-length"] ?? 0) > bodyLimit) {
      resume(Effect.succeed(refused(tooLarge, invalidRequest)))
    }
  }).pipe(
    Effect.flatMap((read) =>
      Buffer.isBuffer(read)
        ? check(read).pipe(
          Effect.map(({ value }): Body => ({ _tag: "Read", value })),
          Effect.catch((problem) => Effect.succeed(refused(problem, codeOf(problem))))
        )
        : Effect.succeed(read)
    )
  )

const guarded = (request: HttpServerRequest): HttpServerRequest =>
  Object.create(request, { text: { get: () => checkedText(request) } })

const contentTypeProblem = (request: HttpServerRequest): ApiError.UnsupportedMediaType | undefined => {
  const type = request.headers["content-type"]
  const hasBody = request.method === "POST" || request.method === "PUT" || request.method === "PATCH"
  if (!hasBody || type === undefined || /^application\/json\s*(;|$)/i.test(type)) return undefined
  return ApiError.make("unsupported_media_type", {
    message: "A body is JSON",
    fix: "send Content-Type: application/json"
  })
}

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const segment = (part: PropertyKey | { readonly key: PropertyKey }): string => {
  const key = typeof part === "object" ? part.key : part
  return typeof key === "number" || /^\d+$/.test(String(key)) ? `[${String(key)}]` : `.${String(key)}`
}

/** Fields a request of the endpoint may have, for those who misspelt one. */
const knownFields = (schema: { readonly ast: SchemaAST.AST } | undefined): ReadonlyArray<string> =>
  schema !== undefined && SchemaAST.isObjects(schema.ast)
    ? schema.ast.propertySignatures.map(({ name }) => String(name))
    : []

/** A request the contract does not allow, as an error that names the first field and what it should be. */
const toBadRequest = (error: HttpApiSchemaError, known: ReadonlyArray<string>): ApiError.BadRequest => {
  const { issues } = formatIssues(error.cause.issue)
  const first = issues[0]
  const field = (first?.path ?? []).map(segment).join("").replace(/^\./, "")
  const meant = known.includes(field) || field === "" ? undefined : nearest(field, known)
  const what = error.kind === "Payload" ? "body" : error.kind.toLowerCase()
  return ApiError.make("invalid_request", {
    message: `${field === "" ? `The ${what}` : field}: ${first?.message ?? "is not valid"}`,
    field: field === "" ? what : field,
    fix: meant === undefined ? undefined : `did you mean "${meant}"?`
  })
}

const isRequestError = (error: HttpApiSchemaError): boolean => error.kind !== "Body" && error.kind !== "ResponseHeaders"

const internal = Effect.fnUntraced(function*(cause: Cause.Cause<unknown>) {
  const reference = (yield* Random.nextIntBetween(0, 2 ** 31)).toString(36).padStart(6, "0")
  yield* Effect.logError(`A request failed unexpectedly (${reference})`, cause)
  return yield* ApiError.make("internal", {
    message: `The service failed in an unexpected way (${reference})`,
    fix: "the service's log has the details under this reference"
  })
})

/** The contract's guard. */
export const layer: Layer.Layer<Guard> = Layer.succeed(
  Guard,
  (handler, { endpoint }) =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest
      const problem = contentTypeProblem(request)
      if (problem !== undefined) return yield* problem
      return yield* Effect.provideService(handler, HttpServerRequest, guarded(request))
    }).pipe(
      Effect.catchCause((cause) => {
        const failure = Cause.squash(cause)
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
        if (ApiError.isApiError(failure)) return Effect.fail(failure as never)
        if (!HttpApiSchemaError.is(failure) || !isRequestError(failure)) return internal(cause)
        const known = failure.kind === "Query"
          ? knownFields(endpoint.query)
          : [...endpoint.payload.values()].flatMap(({ schemas }) => schemas.flatMap(knownFields))
        return Effect.fail(toBadRequest(failure, known))
      })
    )
)
