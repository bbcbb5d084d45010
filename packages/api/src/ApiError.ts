/**
 * What the API answers when it cannot do what was asked: one JSON shape, one class per HTTP status.
 *
 * ```json
 * { "error": { "code": "unknown_agent", "message": "…", "field": "agent", "fix": "…" } }
 * ```
 *
 * `code` is for programs and never changes its meaning; `message` and `fix` are for people. The table `statuses` is the
 * whole list. No answer carries a stack, a cause or a secret.
 */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"

/** Every code of this release and the HTTP status it comes with. */
export const statuses = {
  invalid_request: 400,
  invalid_json: 400,
  invalid_input: 400,
  invalid_answer: 400,
  not_a_run: 400,
  unauthorized: 401,
  forbidden_host: 403,
  forbidden_origin: 403,
  link_expired: 403,
  link_invalid: 403,
  not_allowed: 403,
  not_entitled: 403,
  fault_not_found: 404,
  not_in_dev: 404,
  task_not_found: 404,
  unknown_agent: 404,
  route_not_found: 404,
  already_answered: 409,
  already_ended: 409,
  ambiguous_id: 409,
  conflict: 409,
  key_reused: 409,
  link_used: 409,
  no_open_question: 409,
  still_running: 409,
  body_too_large: 413,
  payload_too_large: 413,
  unsupported_media_type: 415,
  queue_full: 429,
  internal: 500,
  agent_unavailable: 503,
  stopping: 503,
  store_stopped: 503,
  store_unavailable: 503,
  too_many_streams: 503
} as const

export type ErrorCode = keyof typeof statuses
export type ErrorStatus = typeof statuses[ErrorCode]

/** The body of every error. `code` is open: a newer service may know more of them. */
export const ErrorBody = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  /** Which part of the request is meant, as a path such as `input.files[2]`. */
  field: Schema.optionalKey(Schema.String),
  /** What to do about it. */
  fix: Schema.optionalKey(Schema.String),
  /** Seconds after which the same request may succeed; also in the header `Retry-After`. */
  retryAfter: Schema.optionalKey(Schema.Int)
}).annotate({ identifier: "ErrorBody" })
export type ErrorBody = typeof ErrorBody.Type

const fields = { error: ErrorBody }

/** 400 */
export class BadRequest extends Schema.Error<BadRequest>("@coppice/api/BadRequest")(fields, { httpApiStatus: 400 }) {
  override get message(): string {
    return this.error.message
  }
}

/** 401 */
export class Unauthorized
  extends Schema.Error<Unauthorized>("@coppice/api/Unauthorized")(fields, { httpApiStatus: 401 })
{
  override get message(): string {
    return this.error.message
  }
}

/** 403 */
export class Forbidden extends Schema.Error<Forbidden>("@coppice/api/Forbidden")(fields, { httpApiStatus: 403 }) {
  override get message(): string {
    return this.error.message
  }
}

/** 404 */
export class NotFound extends Schema.Error<NotFound>("@coppice/api/NotFound")(fields, { httpApiStatus: 404 }) {
  override get message(): string {
    return this.error.message
  }
}

/** 409 */
export class Conflict extends Schema.Error<Conflict>("@coppice/api/Conflict")(fields, { httpApiStatus: 409 }) {
  override get message(): string {
    return this.error.message
  }
}

/** 413 */
export class TooLarge extends Schema.Error<TooLarge>("@coppice/api/TooLarge")(fields, { httpApiStatus: 413 }) {
  override get message(): string {
    return this.error.message
  }
}

/** 415 */
export class UnsupportedMediaType
  extends Schema.Error<UnsupportedMediaType>("@coppice/api/UnsupportedMediaType")(fields, { httpApiStatus: 415 })
{
  override get message(): string {
    return this.error.message
  }
}

/** 429, with `Retry-After`. */
export class TooManyRequests extends Schema.Error<TooManyRequests>("@coppice/api/TooManyRequests")(fields) {
  override get message(): string {
    return this.error.message
  }
}

/** 500: a defect. The log of the service has the rest, under the reference in the message. */
export class Internal extends Schema.Error<Internal>("@coppice/api/Internal")(fields, { httpApiStatus: 500 }) {
  override get message(): string {
    return this.error.message
  }
}

/** 503, with `Retry-After`. */
export class Unavailable extends Schema.Error<Unavailable>("@coppice/api/Unavailable")(fields) {
  override get message(): string {
    return this.error.message
  }
}

const headers = { "retry-after": Schema.optionalKey(Schema.Int) }

const pair = ({ error }: { readonly error: ErrorBody }) => ({
  body: { error },
  headers: error.retryAfter === undefined ? {} : { "retry-after": error.retryAfter }
})

/** `TooManyRequests` as it goes over the wire. */
export const TooManyRequestsResponse = TooManyRequests.pipe(
  HttpApiSchema.encodeToWithHeaders({ body: Schema.Struct(fields).pipe(HttpApiSchema.status(429)), headers }, {
    decode: ({ body }) => new TooManyRequests(body),
    encode: pair
  })
)

/** `Unavailable` as it goes over the wire. */
export const UnavailableResponse = Unavailable.pipe(
  HttpApiSchema.encodeToWithHeaders({ body: Schema.Struct(fields).pipe(HttpApiSchema.status(503)), headers }, {
    decode: ({ body }) => new Unavailable(body),
    encode: pair
  })
)

const classes = {
  400: BadRequest,
  401: Unauthorized,
  403: Forbidden,
  404: NotFound,
  409: Conflict,
  413: TooLarge,
  415: UnsupportedMediaType,
  429: TooManyRequests,
  500: Internal,
  503: Unavailable
} satisfies Record<ErrorStatus, unknown>

/** Any error of this API. */
export type ApiError = InstanceType<typeof classes[ErrorStatus]>

/** The class a code belongs to. */
export type ErrorOf<Code extends ErrorCode> = InstanceType<typeof classes[typeof statuses[Code]]>

/** What an error may say beside its code. */
export interface Detail {
  readonly message: string
  readonly field?: string | undefined
  readonly fix?: string | undefined
  readonly retryAfter?: number | undefined
}

const body = (code: ErrorCode, detail: Detail): ErrorBody => ({
  code,
  message: detail.message,
  ...detail.field === undefined ? {} : { field: detail.field },
  ...detail.fix === undefined ? {} : { fix: detail.fix },
  ...detail.retryAfter === undefined ? {} : { retryAfter: Math.max(1, Math.ceil(detail.retryAfter)) }
})

/** The error of a code, in the class of its status. */
export const make = <Code extends ErrorCode>(code: Code, detail: Detail): ErrorOf<Code> =>
  new classes[statuses[code]]({ error: body(code, detail) }) as ErrorOf<Code>

/** Whether a value is an error of this API. */
export const isApiError = (value: unknown): value is ApiError =>
  Object.values(classes).some((constructor) => value instanceof constructor)

/** The HTTP status of an error. */
export const statusOf = (error: ApiError): ErrorStatus => {
  for (const [status, constructor] of Object.entries(classes)) {
    if (error instanceof constructor) return Number(status) as ErrorStatus
  }
  return 500
}
