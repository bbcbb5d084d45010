/**
 * The console's session: a token for a cookie that scripts cannot read and other sites cannot send.
 */
import { Api } from "@coppice/api/Api"
import { Caller, cookieName } from "@coppice/api/Authorization"
import type { Session } from "@coppice/api/SessionApi"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import { Callers, type Known } from "./Callers.ts"
import { Refusals } from "./Refusals.ts"
import { unauthorized } from "./Security.ts"

/** Not `secure`: the service speaks plain HTTP on loopback, and some browsers would not send it there. */
const options = { path: "/", httpOnly: true, sameSite: "strict", maxAge: "30 days" } as const

const setCookie = (token: string) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.orDie(HttpServerResponse.setCookie(response, cookieName, token, options))
  )

const { maxAge: _, ...place } = options

const forget = HttpEffect.appendPreResponseHandler((_request, response) =>
  Effect.orDie(HttpServerResponse.expireCookie(response, cookieName, place))
)

/** The owner's session is recorded as the console's. */
const sessionOf = ({ by, isOwner, may }: Known): Session => ({ by: isOwner ? "console" : by, may })

export const layer = HttpApiBuilder.group(
  Api,
  "session",
  Effect.fn(function*(handlers) {
    const callers = yield* Callers
    const refusals = yield* Refusals
    return handlers.handleAll({
      open: Effect.fnUntraced(function*({ payload }) {
        const token = Redacted.value(payload.token)
        const known = callers.of(token)
        if (known === undefined) {
          if (token !== "") refusals.wrongToken("http")
          return yield* unauthorized
        }
        yield* setCookie(token)
        return sessionOf(known)
      }),
      show: () => Effect.map(Caller, ({ by, may }) => ({ by, may })),
      close: () => forget
    })
  })
)
