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
import { Refusals } from "./Refusals.ts"
import { isSame, Token, unauthorized } from "./Security.ts"

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

const owner = (by: string): Session => ({ by, may: ["view", "operate", "approve"] })

export const layer = HttpApiBuilder.group(
  Api,
  "session",
  Effect.fn(function*(handlers) {
    const secret = Redacted.value(yield* Token)
    const refusals = yield* Refusals
    return handlers.handleAll({
      open: Effect.fnUntraced(function*({ payload }) {
        const token = Redacted.value(payload.token)
        if (!isSame(token, secret)) {
          if (token !== "") refusals.wrongToken("http")
          return yield* unauthorized
        }
        yield* setCookie(token)
        return owner("console")
      }),
      show: () => Effect.map(Caller, ({ by }) => owner(by)),
      close: () => forget
    })
  })
)
