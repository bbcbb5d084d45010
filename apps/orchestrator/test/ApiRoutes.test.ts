import { statuses } from "@coppice/api/ApiError"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Service, submit, until } from "./support/Service.ts"

const json = (response: Response) => Effect.promise(() => response.json() as Promise<any>)

layer(Service.layerMemory, { excludeTestServices: true })("ApiRoutes", (it) => {
  it.effect("takes a task and answers with its result", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("double", { text: "ab" })
      const result = yield* client.result(id)
      assert.deepStrictEqual(result.completed, { output: "abab" })
      assert.strictEqual(result.task.settlement, "finished_before")
    }))

  it.effect("shows the tree and the facts of a run", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("double", { text: "ab" })
      yield* client.result(id)
      const { tasks } = yield* client.tasks.tree({ params: { id }, query: {} })
      assert.deepStrictEqual(tasks.map(({ agent }) => agent), ["double", "echo", "echo"])
      const own = yield* client.tasks.events({ params: { id }, query: {} })
      assert.deepStrictEqual(own.events.map(({ event }) => event._tag), ["Created", "Progressed", "Completed"])
      const all = yield* client.tasks.events({ params: { id }, query: { of: "tree", limit: 4 } })
      assert.strictEqual(all.events.length, 4)
      assert.isTrue(all.more)
      const rest = yield* client.tasks.events({ params: { id }, query: { of: "tree", since: all.next } })
      assert.isFalse(rest.more)
      const seqs = [...all.events, ...rest.events].map(({ seq }) => seq)
      assert.deepStrictEqual(seqs, seqs.toSorted((a, b) => a - b))
    }))

  it.effect("tells who calls whom", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      yield* client.result(yield* submit("double", { text: "ab" }))
      const { agents, calls } = yield* client.agents.topology()
      assert.includeDeepMembers([...agents], [{ name: "double", server: null }, { name: "nap", server: null }])
      const call = calls.find(({ from, to }) => from === "double" && to === "echo")!
      assert.isAtLeast(call.counts["completed"]!, 2)
      assert.isTrue(calls.some(({ from, to }) => from === null && to === "double"))
    }))

  it.effect("pages through tasks, newest first", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const ids = yield* Effect.forEach(["1", "2", "3"], (text) => submit("refuse", { text }))
      yield* Effect.forEach(ids, client.result)
      const query = { agent: "refuse", roots: true, status: ["failed"], limit: 2 } as const
      const first = yield* client.tasks.list({ query })
      assert.deepStrictEqual(first.tasks.map(({ id }) => id), [ids[2]!, ids[1]!])
      const second = yield* client.tasks.list({ query: { ...query, cursor: first.next! } })
      assert.deepStrictEqual(second.tasks.map(({ id }) => id), [ids[0]!])
      assert.isNull(second.next)
    }))

  it.effect("finds a task by the beginning of its id, if it is the only one", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("echo", { text: "a" })
      const other = yield* submit("echo", { text: "b" })
      assert.strictEqual((yield* client.tasks.get({ params: { id: id.slice(0, 19) } })).id, id)
      const common = Array.from(id).findIndex((character, index) => other[index] !== character)
      const error = yield* Effect.flip(client.tasks.get({ params: { id: id.slice(0, Math.min(common, 4)) } }))
      assert.strictEqual((error as any).error.code, "ambiguous_id")
    }))

  it.effect("tells a declared error from a cancellation", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const refused = yield* client.result(yield* submit("refuse", { text: "no" }))
      assert.deepStrictEqual(refused.failed?.error, { _tag: "Refusal", why: "no" })
      assert.strictEqual(refused.failed?.reason, "agent_error")
      const id = yield* submit("nap", { seconds: 3_600 })
      const report = yield* client.tasks.cancel({ params: { id }, payload: { reason: "enough" } })
      assert.deepStrictEqual(report.nodes.map(({ status }) => status), ["cancelled"])
      const settled = yield* client.tasks.cancelReport({ params: { id }, query: { wait: 10 } })
      assert.isTrue(settled.converged)
      const cancelled = yield* client.result(id)
      assert.deepStrictEqual(cancelled.cancelled, { by: "local", reason: "enough" })
    }))

  it.effect("waits for a result no longer than asked", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("nap", { seconds: 3_600 })
      const result = yield* client.tasks.result({ params: { id }, query: { wait: 1 } })
      assert.deepStrictEqual([result.completed, result.failed, result.cancelled], [null, null, null])
      assert.strictEqual(result.task.status, "working")
    }))

  it.effect("returns the first task for a repeated idempotency key", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const payload = { agent: "echo", input: { text: "once" }, idempotencyKey: "k1" }
      const first = yield* client.tasks.submit({ payload })
      const second = yield* client.tasks.submit({ payload })
      assert.strictEqual(second.id, first.id)
      const error = yield* Effect.flip(client.tasks.submit({ payload: { ...payload, input: { text: "other" } } }))
      assert.strictEqual((error as any).error.code, "key_reused")
    }))

  it.effect("retries as a new task and deletes whole runs", () =>
    Effect.gen(function*() {
      const { client, fetch } = yield* Service
      const id = yield* submit("double", { text: "x" })
      yield* client.result(id)
      const again = yield* client.tasks.retry({ params: { id }, query: {} })
      assert.strictEqual(again.spec.retryOf, id)
      yield* client.result(again.id)
      const { tasks } = yield* client.tasks.tree({ params: { id }, query: {} })
      const child = yield* json(yield* fetch(`/api/v1/tasks/${tasks[1]!.id}`, { method: "DELETE" }))
      assert.strictEqual(child.error.code, "not_a_run")
      assert.deepStrictEqual(yield* client.tasks.delete({ params: { id } }), { run: id, tasks: 3 })
      assert.strictEqual((yield* fetch(`/api/v1/tasks/${id}`)).status, 404)
    }))

  it.effect("retries what had failed, and what had succeeded only when it is to be fresh", () =>
    Effect.gen(function*() {
      const { client, fetch } = yield* Service
      const id = yield* submit("mend", { text: "x" })
      assert.strictEqual((yield* client.result(id)).failed?.reason, "agent_error")
      const retry = (query: string) =>
        Effect.flatMap(fetch(`/api/v1/tasks/${id}/retry${query}`, { method: "POST" }), json)
      const again = yield* retry("")
      assert.deepStrictEqual((yield* client.result(again.id)).completed, { output: { works: 1 } })
      const { events } = yield* client.tasks.events({ params: { id: again.id }, query: {} })
      assert.deepInclude(events[1]!.event, { _tag: "StepReused", name: "work", result: 1, from: id })
      const fresh = yield* retry("?fresh=true")
      assert.strictEqual((yield* client.result(fresh.id)).failed?.reason, "agent_error")
      const last = yield* retry("?fresh=true")
      assert.deepStrictEqual((yield* client.result(last.id)).completed, { output: { works: 3 } })
      assert.strictEqual((yield* retry("?fresh=perhaps")).error.code, "invalid_request")
      assert.deepInclude((yield* retry("?frsh=true")).error, { fix: `did you mean "fresh"?` })
    }))

  it.effect("brings a question to the inbox and its answer back", () =>
    Effect.gen(function*() {
      const { client, fetch } = yield* Service
      const id = yield* submit("survey", { text: "Go on?" })
      const { tasks } = yield* until(id, "Created").pipe(
        Effect.andThen(client.tasks.tree({ params: { id }, query: {} }))
      )
      yield* until(tasks[1]!.id, "InputRequested")
      const { questions } = yield* client.inbox.list({ query: { run: id } })
      assert.deepStrictEqual(questions.map(({ agent, request }) => [agent, request.message]), [["ask", "Go on?"]])
      assert.deepStrictEqual(questions[0]!.path.map(({ task, agent }) => [agent, task]), [
        ["survey", id],
        ["ask", questions[0]!.task]
      ])
      const path = `/api/v1/tasks/${questions[0]!.task}/answer`
      const wrong = yield* fetch(path, { method: "POST", body: `{"action":"accept","content":{"ok":"perhaps"}}` })
      assert.strictEqual((yield* json(wrong)).error.code, "invalid_answer")
      yield* client.inbox.answer({
        params: { id: questions[0]!.task },
        payload: { action: "accept", content: { ok: true } }
      })
      assert.deepStrictEqual((yield* client.result(id)).completed, { output: true })
      const late = yield* fetch(path, { method: "POST", body: `{"action":"decline"}` })
      assert.strictEqual(late.status, 409)
    }))

  it.effect("keeps which door has shown a question, once, and passes over what is not open", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("ask", { text: "Seen?" })
      yield* until(id, "InputRequested")
      const { questions: [asked] } = yield* client.inbox.list({ query: { run: id } })
      const key = asked!.request.key
      const questions = [{ task: asked!.task, key }, { task: asked!.task, key: "none" }, { task: "x" as never, key }]
      for (const door of ["console", "cli", "console"] as const) {
        yield* client.inbox.shown({ payload: { door, questions } })
      }
      const { questions: [after] } = yield* client.inbox.list({ query: { run: id } })
      assert.deepStrictEqual(after!.standing.offers.map(({ door, how }) => [door, how]), [
        ["console", "delivered"],
        ["cli", "delivered"]
      ])
      const { events } = yield* client.tasks.events({ params: { id }, query: {} })
      assert.lengthOf(events.filter(({ event }) => event._tag === "InputOffered"), 2)
      yield* client.inbox.answer({ params: { id }, payload: { action: "decline" } })
    }))

  it.effect("shows agents with their load", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const { agents, servers, supervision } = yield* client.agents.list()
      assert.deepStrictEqual(servers, [])
      assert.strictEqual(supervision.strategy, "one_for_one")
      assert.deepStrictEqual(agents.slice(0, 2).map(({ contract, state }) => [contract.name, contract.kind, state]), [
        ["echo", "agent", "running"],
        ["double", "workflow", "running"]
      ])
    }))

  it.effect("answers about itself without a token", () =>
    Effect.gen(function*() {
      const { fetch, url } = yield* Service
      const anonymous = { headers: { authorization: "" } }
      assert.strictEqual((yield* fetch("/healthz", anonymous)).status, 200)
      assert.strictEqual((yield* fetch("/readyz", anonymous)).status, 200)
      const info = yield* json(yield* fetch("/api/v1/info", anonymous))
      assert.deepStrictEqual([info.name, info.store, info.pid], ["coppice", "memory", process.pid])
      assert.strictEqual(info.links.api, `${url}/api/v1`)
      assert.strictEqual(info.links.mcp, `${url}/mcp`)
      const openapi = yield* json(yield* fetch("/api/v1/openapi.json", anonymous))
      assert.include(Object.keys(openapi.paths), "/api/v1/tasks/{id}/why")
      assert.match((yield* fetch("/", anonymous)).headers.get("content-type") ?? "", /^text\/html/)
    }))

  const submitting = (what: string, code: keyof typeof statuses, body: string) =>
    [what, code, "POST", "/api/v1/tasks", body] as const
  const getting = (what: string, code: keyof typeof statuses, path: string) =>
    [what, code, "GET", path, undefined] as const

  it.effect.each([
    getting("a path that is not there", "route_not_found", "/nothing/here"),
    ["a method that is not there", "route_not_found", "PATCH", "/api/v1/tasks", "{}"] as const,
    getting("a task that is not there", "task_not_found", "/api/v1/tasks/00000000000000000000"),
    getting("a path as an id", "task_not_found", "/api/v1/tasks/%2e%2e%2fetc"),
    getting("a NUL as an id", "task_not_found", "/api/v1/tasks/%00/result"),
    getting("a wildcard as an id", "task_not_found", "/api/v1/tasks/%25"),
    ["a cancellation of nothing", "task_not_found", "POST", "/api/v1/tasks/zzz/cancel", undefined] as const,
    getting("the inbox of nothing", "task_not_found", "/api/v1/inbox?run=zzz"),
    getting("the events of nothing", "task_not_found", "/api/v1/events?task=zzz"),
    submitting("an agent that is not there", "unknown_agent", `{"agent":"ehco","input":{}}`),
    submitting("a prototype as an agent", "unknown_agent", `{"agent":"__proto__","input":{}}`),
    submitting("a constructor as an agent", "unknown_agent", `{"agent":"constructor","input":{}}`),
    submitting("an input that does not fit", "invalid_input", `{"agent":"echo","input":{"txt":"a"}}`),
    submitting("no body", "invalid_request", ""),
    submitting("an array as a body", "invalid_request", "[]"),
    submitting("null as a body", "invalid_request", "null"),
    submitting("no input", "invalid_request", `{"agent":"echo"}`),
    submitting("a number as an agent", "invalid_request", `{"agent":1,"input":{}}`),
    submitting(
      "a duration as a deadline",
      "invalid_request",
      `{"agent":"echo","input":{"text":"a"},"deadline":600000}`
    ),
    submitting("a huge priority", "invalid_request", `{"agent":"echo","input":{"text":"a"},"priority":1e99}`),
    submitting("an empty key", "invalid_request", `{"agent":"echo","input":{"text":"a"},"idempotencyKey":""}`),
    submitting(
      "a control character in a key",
      "invalid_request",
      `{"agent":"echo","input":{},"idempotencyKey":"a\\nb"}`
    ),
    getting("a word as a limit", "invalid_request", "/api/v1/tasks?limit=abc"),
    getting("a limit beyond the limit", "invalid_request", "/api/v1/tasks?limit=1001"),
    getting("a status nobody knows", "invalid_request", "/api/v1/tasks?status=done"),
    getting("a wait that is too long", "invalid_request", "/api/v1/tasks/0/result?wait=61"),
    submitting("half an object", "invalid_json", "{"),
    submitting("NaN", "invalid_json", `{"agent":"echo","input":NaN}`),
    submitting("a prototype as a key", "invalid_json", `{"agent":"echo","input":{"__proto__":{"admin":true}}}`),
    submitting("the same, escaped", "invalid_json", `{"agent":"echo","input":{"\\u005f_proto__":{"admin":true}}}`),
    submitting("deep nesting", "invalid_json", "[".repeat(100_000)),
    submitting("a million values", "invalid_json", `[${"0,".repeat(500_000)}0]`),
    submitting("a large body", "body_too_large", `"${"a".repeat(1_200_000)}"`),
    submitting("a large input", "payload_too_large", `{"agent":"echo","input":{"text":"${"a".repeat(1_048_576)}"}}`)
  ])("answers %s with its code", ([, code, method, path, body]) =>
    Effect.gen(function*() {
      const { fetch } = yield* Service
      const response = yield* fetch(path, body === undefined ? { method } : { method, body })
      const { error } = yield* json(response)
      assert.strictEqual(error.code, code, error.message)
      assert.strictEqual(response.status, statuses[code])
      assert.notMatch(JSON.stringify(error), /\n\s+at |node_modules|\[object Object\]/)
      assert.notProperty(Object.prototype, "admin")
    }))

  it.effect("says which key was misspelt", () =>
    Effect.gen(function*() {
      const { fetch } = yield* Service
      const payload = yield* fetch("/api/v1/tasks", { method: "POST", body: `{"agent":"echo","inptu":{}}` })
      assert.deepInclude((yield* json(payload)).error, { field: "inptu", fix: `did you mean "input"?` })
      const query = yield* fetch("/api/v1/tasks?limt=3")
      assert.deepInclude((yield* json(query)).error, { field: "limt", fix: `did you mean "limit"?` })
    }))

  it.effect("keeps strings as they are", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const text = "\u0000 \r\n \u2028 \ud83c\udf33 \"' <script> constructor"
      const id = yield* submit("echo", { text })
      assert.deepStrictEqual((yield* client.result(id)).completed, { output: text })
    }))

  it.effect("refuses more than an agent's queue holds, and says when to come back", () =>
    Effect.gen(function*() {
      const { client, fetch } = yield* Service
      const ids = [yield* submit("narrow", { text: "1" }), yield* submit("narrow", { text: "2" })]
      const full = yield* fetch("/api/v1/tasks", { method: "POST", body: `{"agent":"narrow","input":{"text":"3"}}` })
      assert.strictEqual(full.status, 429)
      assert.strictEqual(full.headers.get("retry-after"), "1")
      assert.deepInclude((yield* json(full)).error, { code: "queue_full", retryAfter: 1 })
      yield* Effect.forEach(ids, (id) => client.tasks.cancel({ params: { id }, payload: {} }))
    }))
})
