import { TaskLog } from "@coppice/task/TaskLog"
import { assert, layer } from "@effect/vitest"
import { Orchestrator } from "coppice"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { AnswerLinks } from "../src/AnswerLinks.ts"
import * as Logging from "../src/Logging.ts"
import * as Service_ from "../src/Orchestrator.ts"
import { merge } from "../src/Settings.ts"
import config from "./support/coppice.config.ts"
import { hook, isSigned } from "./support/Hook.ts"
import { ask, folder, Service, submit, until } from "./support/Service.ts"

const key = "a key of the test, long enough to be one"

/** The receiver. */
class Told extends Context.Service<Told, Effect.Success<typeof hook>>()("@coppice/orchestrator/test/Told") {}

/** A service that tells a receiver on loopback, where ann may answer and eve may not. */
const withHook = Layer.unwrap(Effect.gen(function*() {
  const to = yield* hook
  const data = yield* folder
  const orchestrator = Orchestrator.make({
    ...config.options,
    people: { ann: { roles: ["lead"] }, bob: { roles: ["lead"] }, eve: { may: ["view"] } },
    webhooks: { leads: { url: to.url, secret: Redacted.make(key), to: ["@lead"], events: ["asked", "answered"] } }
  })
  const service = Service_.layer({ orchestrator }, merge({ port: 0, data, store: "memory:" })).pipe(
    Layer.provide(Logging.layer("none"))
  )
  return Layer.provideMerge(Service.layer, service).pipe(Layer.provideMerge(Layer.succeed(Told, to)))
}))

const tokenOf = (url: string): string => url.slice(url.indexOf("#") + 1)

/** Asks; succeeds with the links the receiver got, by person. */
const asked = Effect.fnUntraced(function*(text: string) {
  const id = yield* submit("ask", { text })
  const to = yield* Told
  const find = () =>
    to.received.map(({ body }) => JSON.parse(body)).find(({ data, type }) =>
      type === "question.asked" && data.task === id
    )
  for (let count = 1; find() === undefined; count++) yield* to.some(count)
  const { data } = find()
  const links = new Map<string, string>(
    data.links.map(({ person, url }: { readonly person: string; readonly url: string }) => [person, url])
  )
  return { id, data, url: links.get("ann")!, ann: tokenOf(links.get("ann")!), bob: tokenOf(links.get("bob")!) }
})

const post = Effect.fnUntraced(function*(path: string, body: object, headers: Record<string, string> = {}) {
  const { fetch } = yield* Service
  const response = yield* fetch(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { authorization: "", ...headers }
  })
  return { status: response.status, body: (yield* Effect.promise(() => response.json())) as any }
})

const open = (token: string) => post("/api/v1/link/open", { token })
const answer = (token: string, ok = true) => post("/api/v1/link/answer", { token, action: "accept", content: { ok } })
const codeOf = ({ body, status }: { readonly status: number; readonly body: any }) => [status, body.error?.code]

layer(withHook, { excludeTestServices: true })("an answer link", (it) => {
  it.effect("comes in a signed message, shows its question without a token, and answers it as its person", () =>
    Effect.gen(function*() {
      const { id, ann, data, url } = yield* asked("Ship it?")
      const to = yield* Told
      const message = to.received.find(({ body }) => body.includes(id))!
      assert.isTrue(yield* Effect.promise(() => isSigned(Buffer.from(key), message)))
      assert.deepStrictEqual([data.to, data.text], [["ann", "bob"], "ask asks ann, bob: Ship it?"])
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/answer#/)
      const shown = yield* open(ann)
      assert.deepStrictEqual([shown.status, shown.body.person, shown.body.request.message], [200, "ann", "Ship it?"])
      assert.deepStrictEqual(Object.keys(shown.body.request.schema.properties), ["ok"])
      const { client } = yield* Service
      const { questions: [question] } = yield* client.inbox.list({ query: { run: id } })
      assert.includeDeepMembers(question!.standing.offers.map(({ door, how, to }) => [door, how, to]), [
        ["webhook:leads", "delivered", "ann"],
        ["webhook:leads", "delivered", "bob"],
        ["link", "delivered", "ann"]
      ])
      assert.deepStrictEqual((yield* answer(ann)).body, { action: "accept", by: "ann" })
      assert.deepStrictEqual((yield* client.result(id)).completed, { output: true })
      yield* to.some(2)
      const last = JSON.parse(to.received.at(-1)!.body)
      assert.deepStrictEqual([last.type, last.data.answer], ["question.answered", { action: "accept", by: "ann" }])
    }))

  it.effect("answers once; what another answered is told", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* asked("Once?")
      const both = yield* Effect.all([answer(ann), answer(ann, false)], { concurrency: 2 })
      assert.deepStrictEqual(both.map(({ status }) => status).toSorted((a, b) => a - b), [200, 409])
      assert.deepStrictEqual(codeOf(yield* answer(ann)), [409, "link_used"])
      assert.deepStrictEqual(codeOf(yield* open(ann)), [409, "link_used"])
      const late = yield* answer(bob)
      assert.deepStrictEqual(codeOf(late), [409, "already_answered"])
      assert.match(late.body.error.message, /"?ann"?/)
      assert.deepStrictEqual(codeOf(yield* open(bob)), [409, "already_answered"])
    }))

  it.effect("that is changed, cut, another's or expired opens nothing", () =>
    Effect.gen(function*() {
      const { id, ann, bob } = yield* asked("Whose?")
      const [body = "", seal = ""] = ann.split(".")
      const forged = Buffer.from(Buffer.from(bob.split(".")[0]!, "base64url").toString().replace("bob", "ann"))
      const bad = [
        `${body}.${seal.slice(0, -1)}${seal.endsWith("A") ? "B" : "A"}`,
        `${forged.toString("base64url")}.${bob.split(".")[1]}`,
        body,
        `${ann}.x`,
        "",
        "x".repeat(4_000)
      ]
      for (const token of bad) {
        if (token === ann) continue
        assert.deepStrictEqual(codeOf(yield* answer(token)), [403, "link_invalid"], token)
      }
      const links = yield* AnswerLinks
      const log = yield* TaskLog
      const { client } = yield* Service
      const { questions: [question] } = yield* client.inbox.list({ query: { run: id } })
      const grant = { task: question!.task, key: question!.request.key, person: "ann", expires: log.now() - 1 }
      assert.deepStrictEqual(codeOf(yield* answer(tokenOf(links.url("", grant)))), [403, "link_expired"])
      const eves = tokenOf(links.url("", { ...grant, person: "eve", expires: log.now() + 60_000 }))
      assert.deepStrictEqual(codeOf(yield* answer(eves)), [403, "not_entitled"])
      assert.deepStrictEqual(codeOf(yield* open(eves)), [403, "not_entitled"])
      assert.deepStrictEqual(codeOf(yield* answer(ann)), [200, undefined])
    }))

  it.effect("is not spent by an answer that does not fit, by a look, or by whoever fetches its page", () =>
    Effect.gen(function*() {
      const { fetch, url: here } = yield* Service
      const { id, ann, url } = yield* asked("Fits?")
      const preview = yield* Effect.promise(() => ask(url))
      assert.strictEqual(preview.status, 200)
      assert.match(preview.headers.get("content-security-policy") ?? "", /default-src 'self'/)
      assert.strictEqual(preview.headers.get("referrer-policy"), "no-referrer")
      for (const path of ["/api/v1/link/answer", "/api/v1/link/open"]) {
        assert.strictEqual((yield* fetch(`${path}?token=${ann}`)).status, 404)
      }
      yield* open(ann)
      const wrong = yield* post("/api/v1/link/answer", { token: ann, action: "accept", content: { ok: "perhaps" } })
      assert.deepStrictEqual(codeOf(wrong), [400, "invalid_answer"])
      const foreign = yield* post("/api/v1/link/answer", { token: ann, action: "decline" }, {
        origin: "https://evil.test"
      })
      assert.deepStrictEqual(codeOf(foreign), [403, "forbidden_origin"])
      assert.deepStrictEqual(codeOf(yield* answer(ann)), [200, undefined])
      yield* until(id, "Completed")
      assert.isTrue(here.startsWith("http://127.0.0.1"))
    }))

  it.effect("is no right to anything else", () =>
    Effect.gen(function*() {
      const { fetch } = yield* Service
      const { ann } = yield* asked("Else?")
      for (const path of ["/api/v1/inbox", "/api/v1/tasks", "/api/v1/session"]) {
        const answer = yield* fetch(path, { headers: { authorization: `Bearer ${ann}` } })
        assert.strictEqual(answer.status, 401, path)
      }
    }))

  it.effect("needs no other list of people: the inbox names who may answer", () =>
    Effect.gen(function*() {
      const { id } = yield* asked("Who?")
      const { client } = yield* Service
      const { questions: [question] } = yield* client.inbox.list({ query: { run: id } })
      assert.deepStrictEqual(question!.may, ["ann", "bob"])
    }))
})
