import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { toWebhooks, type WebhookOptions } from "../src/Webhooks.ts"

const secret = Redacted.make("not a secret of anybody, but long")
const people = new Map([["ann", { name: "ann", roles: ["lead"], may: ["approve"] as const }]])

const check = (hook: Partial<WebhookOptions>, environment: Record<string, string> = {}, name = "ops") =>
  toWebhooks({ [name]: { url: "https://hook.test/in", secret, ...hook } }, people, environment)[0]!

describe("a webhook of the configuration", () => {
  it.each<[string, Partial<WebhookOptions>, string]>([
    ["no URL", { url: "hook" }, "webhooks.ops.url: is no URL"],
    ["another scheme", { url: "file:///etc/passwd" }, "webhooks.ops.url: has to begin with https:// or http://"],
    ["a password in it", { url: "https://me:pw@hook.test/" }, "webhooks.ops.url: carries a name or a password"],
    ["http to elsewhere", { url: "http://hook.example.test/" }, "webhooks.ops.url: has to be https"],
    ["http to a public address", { url: "http://93.184.216.34/" }, "webhooks.ops.url: has to be https"],
    ["a short secret", { secret: Redacted.make("short") }, "webhooks.ops.secret: has fewer than 24 characters"],
    ["a cut secret", { secret: Redacted.make("whsec_AAAA") }, "webhooks.ops.secret: has to be whsec_ and the base64"],
    ["a secret in plain sight", { secret: "whsec_AAAA" }, "webhooks.ops.secret: has to be the name of an environment"],
    ["no such variable", { secret: "NOT_SET" }, "webhooks.ops.secret: the environment has no NOT_SET"],
    ["an unknown event", { events: ["asked", "told" as never] }, "webhooks.ops.events: there is no \"told\""],
    ["an unknown person", { to: ["ann", "@boss"] }, "webhooks.ops.to: nobody of the configuration's people is @boss"],
    ["no origin", { service: "https://a.test/path" }, "webhooks.ops.service: has to be an origin"]
  ])("is refused with %s", (_, hook, problem) => {
    assert.throws(() => check(hook), TypeError, problem)
  })

  it("is refused with a name that is none", () => assert.throws(() => check({}, {}, "a b"), TypeError, "webhooks.a b"))

  it.each([
    "http://127.0.0.1:9/x",
    "http://localhost:9/x",
    "http://[::1]:9/x",
    "http://10.1.2.3/x",
    "http://relay:8080/x",
    "http://relay.internal/x",
    "https://hooks.example.test/T000"
  ])("may be at %s", (url) => assert.strictEqual(Redacted.value(check({ url }).url), url))

  it("takes its secret redacted or from the environment, and shows it to nobody", () => {
    const key = Buffer.alloc(24, 1)
    const named = check({ secret: "HOOK_SECRET" }, { HOOK_SECRET: `whsec_${key.toString("base64")}` })
    assert.deepStrictEqual([...Redacted.value(named.key)], [...key])
    const own = check({ url: Redacted.make("https://hook.test/T0/secret") })
    assert.strictEqual(Buffer.from(Redacted.value(own.key)).toString(), Redacted.value(secret))
    assert.notMatch(`${JSON.stringify(own)} ${String(own.url)} ${String(own.key)}`, /T0|not a secret/)
  })

  it("hears everything but the ends of runs unless it says otherwise", () => {
    assert.deepStrictEqual([...check({}).events], [
      "asked",
      "reminded",
      "escalated",
      "delegated",
      "answered",
      "withdrawn",
      "expired"
    ])
    assert.strictEqual(check({ service: "https://coppice.example.test/" }).service, "https://coppice.example.test")
  })
})
