/**
 * The state of `coppice dev` and faults on demand: nothing of it exists in a service that was not started so.
 */
import { Api } from "@coppice/api/Api"
import * as ApiError from "@coppice/api/ApiError"
import { Caller } from "@coppice/api/Authorization"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { DevMode } from "./DevMode.ts"

const elsewhere = ApiError.make("not_in_dev", {
  message: "This service was not started for development",
  fix: "start it with coppice dev"
})

export const layer = HttpApiBuilder.group(
  Api,
  "dev",
  Effect.fn(function*(handlers) {
    const mode = yield* DevMode
    const dev = mode === undefined ? Effect.fail(elsewhere) : Effect.succeed(mode)
    /** People who may look or answer cannot break anything. */
    const owners = Effect.flatMap(Caller, ({ isOwner }) => isOwner ? dev : Effect.fail(elsewhere))

    return handlers.handleAll({
      status: () => Effect.flatMap(dev, ({ status }) => status),
      fault: ({ payload }) => Effect.flatMap(owners, ({ fault }) => fault(payload)),
      clear: ({ params }) => Effect.flatMap(owners, ({ clear }) => clear(params.id)),
      clearAll: () => Effect.flatMap(owners, ({ clearAll }) => clearAll)
    })
  })
)
