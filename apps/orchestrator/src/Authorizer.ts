/**
 * Lets whoever has a token through, as far as their rights go.
 */
import * as ApiError from "@coppice/api/ApiError"
import { Authorization, Caller, rightFor } from "@coppice/api/Authorization"
import type { Right } from "@coppice/task/People"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Callers, type Known } from "./Callers.ts"
import { Refusals } from "./Refusals.ts"
import { unauthorized } from "./Security.ts"

const notAllowed = ({ by, may }: Known, right: Right): ApiError.Forbidden =>
  ApiError.make("not_allowed", {
    message: `"${by}" may ${may.length === 0 ? "nothing" : may.join(" and ")}, and this needs "${right}"`,
    fix: `add "${right}" to people.${by}.may in coppice.config.ts, or ask somebody who has it`
  })

const bearerOf = ({ headers }: HttpServerRequest): string =>
  /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? ""

/** The owner is recorded as the door they came through; a person is one person through every door. */
export const layer: Layer.Layer<Authorization, never, Callers | Refusals> = Layer.effect(
  Authorization,
  Effect.gen(function*() {
    const callers = yield* Callers
    const refusals = yield* Refusals
    const check = (door: string) =>
      Effect.fnUntraced(function*<A, E, R>(
        handler: Effect.Effect<A, E, R | Caller>,
        { credential, endpoint }: {
          readonly credential: Redacted.Redacted
          readonly endpoint: { readonly method: string; readonly path: string }
        }
      ) {
        const given = Redacted.value(credential)
        // the contract looks for a cookie after a bearer token was refused; without one, that refusal stands
        const known = callers.of(given === "" ? bearerOf(yield* HttpServerRequest) : given)
        if (known === undefined) {
          if (given !== "") refusals.wrongToken("http")
          return yield* unauthorized
        }
        const right = rightFor(endpoint)
        if (right !== undefined && !known.may.includes(right)) {
          if (given !== "") refusals.noRight(known.by, right)
          return yield* notAllowed(known, right)
        }
        const by = known.isOwner ? door : known.by
        return yield* Effect.provideService(handler, Caller, { ...known, principal: "local", by })
      })
    return Authorization.of({ bearer: check("local"), cookie: check("console") })
  })
)
