/**
 * Who may talk to the service, decided before anything of a request is read.
 *
 * Loopback is no wall: any web page the user opens can send requests to it. So the name the request was sent to (`Host`)
 * and the page it comes from (`Origin`) must be this service's own, which stops DNS rebinding and foreign pages alike;
 * and whoever reads or changes task data holds the token, which only this user can read.
 */
import * as ApiError from "@coppice/api/ApiError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import * as ServiceFile from "./ServiceFile.ts"
import type { StartError } from "./StartError.ts"

/** The secret of this data folder: 256 random bits. It outlives a restart, so that hosts need not be told again. */
export class Token extends Context.Service<Token, Redacted.Redacted>()("@coppice/orchestrator/Security/Token") {
  static readonly layer = (data: string): Layer.Layer<Token, StartError> =>
    Layer.effect(
      Token,
      Effect.map(
        ServiceFile.secret(data, () => randomBytes(32).toString("base64url")),
        (token) => Redacted.make(token, { label: "service token" })
      )
    )
}

const hash = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Compares in a time that tells nothing about the secret, its length included. */
export const isSame = (given: string, secret: string): boolean => timingSafeEqual(hash(given), hash(secret))

/** The names this service answers to: loopback's own, the address it is bound to, and what the settings add. */
export const authorities = (host: string, port: number, allowedHosts: ReadonlyArray<string>): ReadonlySet<string> => {
  const bound = host.includes(":") ? `[${host}]` : host.toLowerCase()
  const names = new Set(["127.0.0.1", "localhost", "[::1]", bound])
  const all = [...names].map((name) => `${name}:${port}`)
  return new Set([...all, ...port === 80 ? names : [], ...allowedHosts])
}

/** Why a request is refused on its headers alone; `undefined` when it is not. */
export const refusal = (
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  allowed: ReadonlySet<string>
): ApiError.Forbidden | undefined => {
  const { host, origin } = headers
  if (host === undefined || !allowed.has(host.toLowerCase())) {
    return ApiError.make("forbidden_host", {
      message: "This service is not known by the name the request was sent to",
      field: "host",
      fix: `use one of ${[...allowed].join(", ")}, or start the service with --allow-hosts`
    })
  }
  if (origin === undefined) return undefined
  const from = /^https?:\/\/([^/?#@\s]+)$/.exec(origin.toLowerCase())?.[1]
  if (from !== undefined && allowed.has(from)) return undefined
  return ApiError.make("forbidden_origin", {
    message: "Pages of another origin may not use this service",
    field: "origin",
    fix: "open the console of this service itself"
  })
}

/** Headers every answer carries. */
export const responseHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY"
}

/** An error as an answer, for what fails before or outside the contract. */
export const toResponse = (error: ApiError.ApiError): HttpServerResponse.HttpServerResponse => {
  const { retryAfter } = error.error
  return HttpServerResponse.jsonUnsafe({ error: error.error }, {
    status: ApiError.statusOf(error),
    headers: {
      ...responseHeaders,
      ...retryAfter === undefined ? {} : { "retry-after": String(retryAfter) },
      ...ApiError.statusOf(error) === 401 ? { "www-authenticate": "Bearer" } : {}
    }
  })
}

/** The refusal of a request, if it is refused. */
export const inspect = (
  request: HttpServerRequest,
  allowed: ReadonlySet<string>
): HttpServerResponse.HttpServerResponse | undefined => {
  const error = refusal({ host: request.headers["host"], origin: request.headers["origin"] }, allowed)
  return error === undefined ? undefined : toResponse(error)
}

/** What whoever does not hold the token is told. */
export const unauthorized = ApiError.make("unauthorized", {
  message: "This needs the service's token",
  fix: "send Authorization: Bearer with the token of service.json, or use the coppice CLI"
})
