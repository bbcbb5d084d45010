/** Questions told to a chat: the webhook of a service, and the relay that verifies it and speaks the chat's own words. */
import { Agent, Human, Orchestrator } from "coppice"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"
import { createHmac, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"

const Publish = Agent.make("publish", { description: "Publishes", input: Schema.Null, output: Schema.Boolean })

const PublishLive = Publish.toLayer(() =>
  Effect.orDie(
    Effect.map(Human.ask({ message: "Publish it?", form: Schema.Struct({ ok: Schema.Boolean }) }), ({ ok }) => ok)
  )
)

const secret = Redacted.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

// #region config
export const orchestrator = Orchestrator.make({
  agents: [PublishLive],
  people: { ann: { roles: ["lead"] }, bob: { roles: ["lead"] } },
  webhooks: {
    leads: {
      url: "http://127.0.0.1:8080/coppice",
      // or the name of an environment variable, such as "COPPICE_HOOK"
      secret,
      to: ["@lead"],
      service: "https://coppice.example.test"
    }
  }
})
// #endregion config

// #region verify
/** Whether this service sent it, and not long ago: what any Standard Webhooks library does for you. */
const isGenuine = (headers: IncomingHttpHeaders, body: string, now = Date.now()): boolean => {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((one) => String(headers[`webhook-${one}`]))
  if (Math.abs(now / 1_000 - Number(timestamp)) > 5 * 60) return false
  const key = Buffer.from(Redacted.value(secret).slice("whsec_".length), "base64")
  const good = Buffer.from(`v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`)
  return signatures!.split(" ").map((one) => Buffer.from(one))
    .some((one) => one.length === good.length && timingSafeEqual(one, good))
}
// #endregion verify

// #region relay
interface Message {
  readonly type: string
  readonly data: {
    readonly text: string
    readonly links?: ReadonlyArray<{ readonly person: string | null; readonly url: string }>
  }
}

/** What the chat shows; Slack, Teams and Mattermost take `text`, Discord takes `content`. */
const toChat = ({ data: { links = [], text } }: Message) => {
  const answers = links.map(({ person, url }) => `${person ?? "Answer"}: ${url}`)
  const shown = [text, ...answers].join("\n")
  return { text: shown, content: shown }
}

/** Ids that have been passed on: the same message may come twice. */
const seen = new Set<string>()

/** Takes the service's messages and posts them to the chat's incoming webhook. */
const relayTo = (chat: string) =>
  createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const id = String(request.headers["webhook-id"])
    if (!isGenuine(request.headers, body)) return void response.writeHead(401).end()
    if (!seen.has(id)) {
      const headers = { "content-type": "application/json" }
      const posted = await fetch(chat, { method: "POST", headers, body: JSON.stringify(toChat(JSON.parse(body))) })
      // not taken: the service tries again
      if (!posted.ok) return void response.writeHead(502).end()
      seen.add(id)
    }
    response.writeHead(204).end()
  })
// #endregion relay

const listen = (server: ReturnType<typeof createServer>): Promise<string> =>
  new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  )

const shown: Array<string> = []
const chat = createServer(async (request, response) => {
  shown.push(JSON.parse(Buffer.concat(await request.toArray()).toString()).text)
  response.end("ok")
})
const relay = relayTo(await listen(chat))
const url = await listen(relay)

const body = JSON.stringify({
  type: "question.asked",
  data: {
    text: "publish asks ann: Publish it?",
    links: [{ person: "ann", url: "https://coppice.example.test/answer#…" }]
  }
})
const timestamp = String(Math.floor(Date.now() / 1_000))
const key = Buffer.from(Redacted.value(secret).slice("whsec_".length), "base64")
const signature = `v1,${createHmac("sha256", key).update(`m1.${timestamp}.${body}`).digest("base64")}`
const post = async (text: string) => {
  const headers = { "webhook-id": "m1", "webhook-timestamp": timestamp, "webhook-signature": signature }
  return (await fetch(url, { method: "POST", headers, body: text })).status
}

assert.deepEqual([await post(body), await post(body), await post(`${body} `)], [204, 204, 401])
assert.deepEqual(shown, ["publish asks ann: Publish it?\nann: https://coppice.example.test/answer#…"])
relay.close()
chat.close()
console.log(shown[0])
