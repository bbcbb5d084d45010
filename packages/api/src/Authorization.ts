/**
 * Who may ask: the holder of the service's token, or a person of the configuration with their own, as a bearer token or as
 * the console's cookie.
 *
 * The token stands in `<data>/service.json`, which only the user who started the service can read. Everything that
 * changes something and everything that shows task data needs it; health and `info` do not.
 */
import type { Right } from "@coppice/task/People"
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import { Forbidden, Unauthorized } from "./ApiError.ts"

/** The name of the console's cookie. */
export const cookieName = "coppice-token"

/** Who makes the request. `principal` owns the tasks it submits; `by` is what an answer or a cancellation records. */
export class Caller extends Context.Service<Caller, {
  readonly principal: string
  readonly by: string
  /** It is the service's owner, who may everything. */
  readonly isOwner: boolean
  readonly may: ReadonlyArray<Right>
}>()("@coppice/api/Authorization/Caller") {}

/**
 * What whoever uses an endpoint has to be allowed: to answer questions, to look, or to start and stop work. `undefined`:
 * everyone may ask who they are.
 */
export const rightFor = (
  { method, path }: { readonly method: string; readonly path: string }
): Right | undefined => {
  if (path.endsWith("/session")) return undefined
  if (/\/(answer|delegate)$/.test(path)) return "approve"
  return method === "GET" ? "view" : "operate"
}

/** Refuses whoever does not hold the token. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Caller }>()(
  "@coppice/api/Authorization",
  {
    error: [Unauthorized, Forbidden],
    security: {
      bearer: HttpApiSecurity.bearer,
      cookie: HttpApiSecurity.apiKey({ key: cookieName, in: "cookie" })
    }
  }
) {}
