/**
 * One attempt to deliver a message, signed as Standard Webhooks has it (https://www.standardwebhooks.com): HMAC-SHA256 over
 * `id.timestamp.body`, in the headers `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>`.
 *
 * A redirect is an answer like others, and never followed: the signed body, with its answer links, goes where the
 * configuration says and nowhere else. What the receiver says in its body is not read.
 */
import type { Webhook } from "coppice/Webhooks"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHmac } from "node:crypto"
import { version } from "./ServiceRoutes.ts"
import type { Message } from "./WebhookMessage.ts"

/** What came back; `status` is 0 when nothing did. `retryAfter` in milliseconds. */
export interface Reply {
  readonly status: number
  /** In words, without address or secret. */
  readonly said: string
  readonly retryAfter: number | undefined
}

/** How long a receiver may take. */
export const Patience = Context.Reference<Duration.Input>("@coppice/orchestrator/WebhookSender/Patience", {
  defaultValue: () => "10 seconds"
})

/** `v1,` and the signature, over the time of this attempt in Unix seconds. */
export const sign = (key: Uint8Array, { body, id }: Pick<Message, "id" | "body">, seconds: number): string =>
  `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`

const secondsOf = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : undefined

const words = (status: number): string =>
  status >= 300 && status < 400 ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`

export class WebhookSender extends Context.Service<WebhookSender, {
  /** `now` in Unix milliseconds. Never fails: what cannot be reached has said nothing. */
  readonly send: (webhook: Webhook, message: Message, now: number) => Effect.Effect<Reply>
}>()("@coppice/orchestrator/WebhookSender") {
  static readonly layer: Layer.Layer<WebhookSender> = Layer.effect(
    WebhookSender,
    Effect.gen(function*() {
      // the scope of a request ends with its status: the rest of the answer is cut off
      const client = HttpClient.withScope(yield* HttpClient.HttpClient)
      const patience = yield* Patience
      return {
        send: (webhook, message, now) => {
          const seconds = Math.floor(now / 1_000)
          const request = HttpClientRequest.post(Redacted.value(webhook.url)).pipe(
            HttpClientRequest.bodyText(message.body, "application/json"),
            HttpClientRequest.setHeaders({
              "user-agent": `coppice/${version}`,
              "webhook-id": message.id,
              "webhook-timestamp": String(seconds),
              "webhook-signature": sign(Redacted.value(webhook.key), message, seconds)
            })
          )
          return Effect.scoped(client.execute(request)).pipe(
            Effect.map(({ headers, status }): Reply => ({
              status,
              said: words(status),
              retryAfter: secondsOf(headers["retry-after"])
            })),
            Effect.timeoutOrElse({
              duration: patience,
              orElse: () => Effect.succeed({ status: 0, said: "no answer in time", retryAfter: undefined })
            }),
            Effect.catch(() => Effect.succeed({ status: 0, said: "cannot be reached", retryAfter: undefined })),
            // a span would carry the address, which may be a secret
            Effect.withTracerEnabled(false),
            Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
          )
        }
      }
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))
}
