import { assert, describe, it } from "@effect/vitest"
import type { Webhook } from "coppice/Webhooks"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import type { Message } from "../src/WebhookMessage.ts"
import { Patience, sign, WebhookSender } from "../src/WebhookSender.ts"
import { hook, isSigned } from "./support/Hook.ts"

const key = new Uint8Array(32).fill(7)

const webhook = (url: string): Webhook => ({
  name: "ops",
  url: Redacted.make(url),
  key: Redacted.make(key),
  events: new Set(["asked"]),
  to: undefined,
  service: undefined
})

const message: Message = { id: "t.1.0", event: "asked", asks: undefined, to: [], body: "{\"type\":\"question.asked\"}" }

const now = 1_700_000_000_500

const send = (url: string) => Effect.flatMap(WebhookSender, (sender) => sender.send(webhook(url), message, now))

const sender = Layer.provide(WebhookSender.layer, Layer.succeed(Patience, "200 millis"))

describe("a message", () => {
  // The example of the specification, so that others' libraries verify what we sign.
  it("is signed as Standard Webhooks has it", () => {
    const secret = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64")
    const body = "{\"test\": 2432232314}"
    assert.strictEqual(
      sign(secret, { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body }, 1_614_265_330),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
  })

  it.live("arrives signed, once, as it is", () =>
    Effect.gen(function*() {
      const to = yield* hook
      const reply = yield* send(to.url)
      assert.deepStrictEqual(reply, { status: 204, said: "HTTP 204", retryAfter: undefined })
      const [received] = to.received
      assert.deepStrictEqual([received!.headers["webhook-id"], received!.headers["webhook-timestamp"]], [
        "t.1.0",
        "1700000000"
      ])
      assert.deepStrictEqual([received!.headers["content-type"], received!.body], ["application/json", message.body])
      assert.isTrue(yield* Effect.promise(() => isSigned(key, received!)))
      assert.isFalse(yield* Effect.promise(() => isSigned(key, { ...received!, body: `${received!.body} ` })))
      assert.isFalse(yield* Effect.promise(() => isSigned(new Uint8Array(32), received!)))
    }).pipe(Effect.provide(sender)))

  it.live("does not follow a redirect, waits no longer than its patience, and says what came back", () =>
    Effect.gen(function*() {
      const to = yield* hook
      to.answer = (_received, response) => response.writeHead(307, { location: `${to.url}/other` }).end()
      assert.deepInclude(yield* send(to.url), { status: 307, said: "HTTP 307: redirects are not followed" })
      to.answer = (_received, response) => response.writeHead(429, { "retry-after": "7" }).end()
      assert.deepInclude(yield* send(to.url), { status: 429, retryAfter: 7_000 })
      to.answer = () => {}
      assert.deepInclude(yield* send(to.url), { status: 0, said: "no answer in time" })
      to.answer = (_received, response) => response.destroy()
      assert.deepInclude(yield* send(to.url), { status: 0, said: "cannot be reached" })
      assert.deepInclude(yield* send("http://127.0.0.1:1/hook"), { status: 0, said: "cannot be reached" })
      assert.deepStrictEqual([...new Set(to.received.map(({ path }) => path))], ["/hook"])
    }).pipe(Effect.provide(sender)))

  it.live("cuts off an answer that does not end", () =>
    Effect.gen(function*() {
      const to = yield* hook
      const closed = Promise.withResolvers<void>()
      to.answer = (_received, response) => {
        response.once("close", () => closed.resolve())
        response.writeHead(200).write("a".repeat(100_000))
      }
      assert.strictEqual((yield* send(to.url)).status, 200)
      yield* Effect.promise(() => closed.promise)
    }).pipe(Effect.provide(sender)))

  it.live("leaves no span with the address behind", () => {
    const spans: Array<string> = []
    const tracer = Tracer.make({
      span: (options) => {
        spans.push(options.name)
        return new Tracer.NativeSpan(options)
      }
    })
    return Effect.gen(function*() {
      yield* send((yield* hook).url)
      assert.deepStrictEqual(spans, [])
    }).pipe(Effect.withTracer(tracer), Effect.provide(sender))
  })
})
