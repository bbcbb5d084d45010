import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { IncomingMessage } from "node:http"
import { Service, until } from "./support/Service.ts"
import {
  type Answer,
  call,
  head,
  headersOf,
  modern,
  open,
  rest,
  send,
  session,
  socket,
  stands,
  tool,
  write
} from "./support/Wire.ts"

const key = (value: string) => ({ _meta: { "dev.coppice/idempotency-key": value } })

const idOf = (taskId: string): TaskId => taskId.slice(0, 20) as TaskId

/** A task that runs until somebody ends it: `nap` is a task once it has taken a while. */
const started = (more: object = {}) =>
  Effect.map(tool("nap", { seconds: 60 }, more), ({ message }) => {
    assert.strictEqual(message.result?.resultType, "task", JSON.stringify(message))
    return message.result.taskId as string
  })

/** A task of a session, by a call with `task`. */
const startedIn = Effect.fnUntraced(
  function*(
    headers: Record<string, string>,
    options: { readonly name: string; readonly args: object; readonly more?: object }
  ) {
    const { args, more, name } = options
    const params = { name, arguments: args, task: {}, ...more }
    const { message } = yield* send({
      headers,
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params })
    })
    assert.isDefined(message.result, JSON.stringify(message))
    return message.result.task.taskId as string
  }
)

const asked = Effect.flatMap(session(), (headers) => startedIn(headers, { name: "ask", args: { text: "Sure?" } }))

const statusOf = (taskId: string) => Effect.map(call("tasks/get", { taskId }), ({ message }) => message.result.status)

const accept = (ok: unknown) => ({ action: "accept", content: { ok } })

/** Answers the only question. */
const answer = Effect.fnUntraced(function*(taskId: string, response: unknown) {
  const { message } = yield* call("tasks/get", { taskId })
  const [name = "none"] = Object.keys(message.result.inputRequests ?? {})
  return yield* call("tasks/update", { taskId, inputResponses: { [name]: response } })
})

const total = Effect.map(Effect.flatMap(Tasks, (tasks) => tasks.list({ limit: 1_000 })), ({ length }) => length)

const frames = (incoming: IncomingMessage) => {
  const heard: Array<any> = []
  let wake = () => {}
  let text = ""
  incoming.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
    const whole = text.split("\n\n")
    text = whole.pop() ?? ""
    for (const frame of whole) {
      const data = /^data: (\{.*\})$/m.exec(frame)?.[1]
      if (data !== undefined) heard.push(JSON.parse(data))
    }
    wake()
  })
  const next = (wants: (message: any) => boolean): Effect.Effect<any> =>
    Effect.callback((resume) => {
      const look = () => {
        const found = heard.find(wants)
        if (found !== undefined) resume(Effect.succeed(found))
      }
      wake = look
      look()
    })
  return { next }
}

const listen = (taskIds: ReadonlyArray<string>, headers: Record<string, string> = {}) => {
  const message = modern("subscriptions/listen", { notifications: { taskIds } })
  return open({ headers: { ...headersOf(message), ...headers }, body: JSON.stringify(message) })
}

const codeOf = ({ message, status }: Answer) => [status, message?.error?.code]

layer(Service.layerMemory, { excludeTestServices: true })("repeated, late and broken requests", (it) => {
  it.effect("case 12: a repeated call is another task; with the same key it is the same task, in both revisions", () =>
    Effect.gen(function*() {
      const [one, two] = yield* Effect.all([started(), started()], { concurrency: 2 })
      assert.notStrictEqual(one, two)
      const same = yield* Effect.all(Array.from({ length: 20 }, () => started(key("k-1"))), { concurrency: 20 })
      assert.strictEqual(new Set(same).size, 1)
      const headers = yield* session()
      const again = yield* startedIn(headers, { name: "nap", args: { seconds: 60 }, more: key("k-1") })
      assert.strictEqual(again, same[0])
      const other = yield* tool("nap", { seconds: 61 }, key("k-1"))
      assert.strictEqual(other.message.error.code, -32602)
      assert.isTrue(yield* stands)
    }))

  it.effect("case 12: a repeated call finds what has ended, too", () =>
    Effect.gen(function*() {
      const before = yield* total
      const answers = []
      for (let i = 0; i < 3; i++) answers.push(yield* tool("echo", { text: "once" }, key("k-2")))
      for (const { message } of answers) assert.strictEqual(message.result.content[0].text, "once")
      assert.strictEqual(yield* total, before + 1)
    }))

  it.effect("case 13: of many answers at once the first is applied, and all are acknowledged", () =>
    Effect.gen(function*() {
      const taskId = yield* asked
      const { message } = yield* call("tasks/get", { taskId })
      const [name = ""] = Object.keys(message.result.inputRequests)
      const updates = Array.from(
        { length: 20 },
        (_, index) => call("tasks/update", { taskId, inputResponses: { [name]: accept(index % 2 === 0) } })
      )
      for (const { message } of yield* Effect.all(updates, { concurrency: 20 })) {
        assert.strictEqual(message.result.resultType, "complete")
      }
      const tasks = yield* Tasks
      const events = yield* tasks.events({ run: idOf(taskId), since: 0, limit: 100 })
      assert.lengthOf(events.filter(({ event }) => event._tag === "InputReceived"), 1)
      assert.isTrue(yield* stands)
    }))

  it.effect("case 14: late, unknown and ill-fitting answers change nothing", () =>
    Effect.gen(function*() {
      const taskId = yield* asked
      const wrong = [accept("yes"), accept(null), {}, null, "accept", { action: "ACCEPT" }, [accept(true)]]
      for (const response of wrong) {
        assert.strictEqual((yield* answer(taskId, response)).message.result?.resultType, "complete", String(response))
        assert.strictEqual(yield* statusOf(taskId), "input_required")
      }
      for (const inputResponses of [{}, { other: accept(true) }, { "": accept(true) }]) {
        yield* call("tasks/update", { taskId, inputResponses })
        assert.strictEqual(yield* statusOf(taskId), "input_required")
      }
      for (const inputResponses of [undefined, null, 7, [], "x"]) {
        const { message } = yield* call("tasks/update", { taskId, inputResponses })
        assert.isTrue(message.result !== undefined || message.error.code === -32602, JSON.stringify(message))
        assert.strictEqual(yield* statusOf(taskId), "input_required")
      }
      yield* answer(taskId, accept(true))
      yield* until(idOf(taskId), "Completed")
      yield* answer(taskId, accept(false))
      const { message } = yield* call("tasks/get", { taskId })
      assert.deepStrictEqual([message.result.status, message.result.result.structuredContent], ["completed", true])
      assert.isTrue(yield* stands)
    }))

  it.effect("case 15: of a cancellation and an end one comes first, and stays", () =>
    Effect.gen(function*() {
      const ends = new Set<string>()
      for (let i = 0; i < 20; i++) {
        const taskId = yield* asked
        const verbs = [call("tasks/cancel", { taskId }), answer(taskId, accept(true))]
        yield* Effect.all(i % 2 === 0 ? verbs : verbs.toReversed(), { concurrency: 2 })
        const tasks = yield* Tasks
        yield* tasks.result(idOf(taskId))
        const status = yield* statusOf(taskId)
        ends.add(status)
        yield* call("tasks/cancel", { taskId })
        assert.strictEqual(yield* statusOf(taskId), status)
      }
      for (const status of ends) assert.include(["completed", "cancelled"], status)
      assert.deepStrictEqual(codeOf(yield* call("tasks/cancel", { taskId: "nothing" })), [200, -32602])
      assert.isTrue(yield* stands)
    }))

  it.effect("case 16: a request that is cut off makes no task; a call that is, is cancelled", () =>
    Effect.gen(function*() {
      const message = modern("tools/call", { name: "nap", arguments: { seconds: 60 } })
      const body = JSON.stringify(message)
      const bytes = (yield* head(body.length, headersOf(message))) + body
      const before = yield* total
      for (let cut = 1; cut < bytes.length; cut += 7) {
        const one = yield* socket
        yield* write(one, bytes.slice(0, cut))
        one.destroy()
      }
      assert.isTrue(yield* stands)
      assert.strictEqual(yield* total, before + 1)
      // a peer without tasks waits, and its disconnect cancels
      const plain = modern("tools/call", { name: "nap", arguments: { seconds: 61 } }, {})
      const text = JSON.stringify(plain)
      const tasks = yield* Tasks
      const one = yield* socket
      one.write((yield* head(text.length, headersOf(plain))) + text)
      const created = yield* Effect.repeat(tasks.list({ limit: 1 }), {
        until: ([task]) => task?.agent === "nap" && task.status === "working"
      })
      one.destroy()
      const { ending } = yield* tasks.result(created[0]!.id)
      assert.strictEqual(ending._tag, "Cancelled")
      assert.isTrue(yield* stands)
    }))

  it.effect("case 16: a task whose answer was lost goes on, and its key finds it again", () =>
    Effect.gen(function*() {
      const headers = yield* session()
      const params = { name: "ask", arguments: { text: "lost" }, task: {}, ...key("k-3") }
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params })
      const one = yield* socket
      one.write((yield* head(body.length, headers)) + body)
      const tasks = yield* Tasks
      const [made] = yield* Effect.repeat(tasks.list({ limit: 1 }), {
        until: ([task]) => task?.spec.idempotencyKey === "k-3"
      })
      one.destroy()
      const taskId = yield* startedIn(yield* session(), { name: "ask", args: { text: "lost" }, more: key("k-3") })
      assert.strictEqual(idOf(taskId), made!.id)
      assert.strictEqual(yield* statusOf(taskId), "input_required")
      assert.isTrue(yield* stands)
    }))

  it.effect("case 17: whoever listens again after a break learns where the task stands; no event id is believed", () =>
    Effect.gen(function*() {
      const taskId = yield* asked
      const first = yield* listen([taskId])
      const { params } = yield* frames(first).next(({ method }) => method === "notifications/tasks")
      assert.strictEqual(params.status, "input_required")
      first.destroy()
      yield* answer(taskId, accept(true))
      yield* until(idOf(taskId), "Completed")
      for (const id of ["0", "999999999", "-1", "x", "1; DROP TABLE", "\u00ff"]) {
        const again = yield* listen([taskId], { "last-event-id": id })
        const told = yield* frames(again).next(({ method }) => method === "notifications/tasks")
        assert.deepStrictEqual([told.params.status, told.params.result.structuredContent], ["completed", true])
        again.destroy()
      }
      assert.isTrue(yield* stands)
    }))

  it.effect("case 23: an unknown method is 404 and -32601; a known one without its capability is -32021", () =>
    Effect.gen(function*() {
      for (const method of ["tasks/list", "tasks/result", "initialize", "ping", "nothing", "tools/Call", "toString"]) {
        assert.deepStrictEqual(codeOf(yield* call(method, {})), [404, -32601], method)
      }
      for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
        const answer = yield* call(method, { taskId: "x" }, {})
        assert.deepStrictEqual(codeOf(answer), [400, -32021], method)
        assert.isDefined(answer.message.error.data.requiredCapabilities.extensions["io.modelcontextprotocol/tasks"])
      }
      assert.isTrue(yield* stands)
    }))

  it.effect("case 24: headers that are missing, or say something else than the body, are 400 and -32020", () =>
    Effect.gen(function*() {
      const message = modern("tools/call", { name: "echo", arguments: { text: "hi" } })
      const good = headersOf(message)
      const rows: ReadonlyArray<readonly [string, Record<string, string | ReadonlyArray<string> | undefined>]> = [
        ["other method", { "mcp-method": "tools/list" }],
        ["method in another case", { "mcp-method": "Tools/Call" }],
        ["no method", { "mcp-method": undefined }],
        ["empty method", { "mcp-method": "" }],
        ["other name", { "mcp-name": "nap" }],
        ["no name", { "mcp-name": undefined }],
        ["empty name", { "mcp-name": "" }],
        ["two names", { "mcp-name": ["echo", "echo"] }],
        ["bad base64", { "mcp-name": "=?base64?!!?=" }],
        ["base64 of another", { "mcp-name": `=?base64?${Buffer.from("nap").toString("base64")}?=` }],
        ["not ASCII", { "mcp-name": "ech\u00f6" }],
        ["older version", { "mcp-protocol-version": "2025-11-25" }],
        ["no version", { "mcp-protocol-version": undefined }]
      ]
      for (const [name, headers] of rows) {
        const answer = yield* send({ headers: { ...good, ...headers }, body: JSON.stringify(message) })
        assert.deepStrictEqual(codeOf(answer), [400, -32020], name)
      }
      const encoded = { ...good, "mcp-name": `=?base64?${Buffer.from("echo").toString("base64")}?=` }
      assert.strictEqual((yield* send({ headers: encoded, body: JSON.stringify(message) })).status, 200)
      const future = JSON.stringify(message).replace("2026-07-28", "1999-01-01")
      const old = yield* send({ headers: { ...good, "mcp-protocol-version": "1999-01-01" }, body: future })
      assert.deepStrictEqual(codeOf(old), [400, -32022])
      assert.include(old.message.error.data.supported, "2026-07-28")
      assert.isTrue(yield* stands)
    }))

  it.effect("case 24: 2026-07-28 has nothing but POST, and what is no JSON is not read", () =>
    Effect.gen(function*() {
      for (const method of ["GET", "DELETE", "PUT", "PATCH"]) {
        const { status } = yield* send({ method, headers: { "mcp-protocol-version": "2026-07-28" } })
        assert.strictEqual(status, 405, method)
      }
      const message = modern("tools/list")
      const body = JSON.stringify(message)
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]) {
        const { status } = yield* send({ headers: { ...headersOf(message), "content-type": type }, body })
        assert.strictEqual(status, 415, type)
      }
      const one = yield* socket
      one.write((yield* head(body.length, headersOf(message))).replace("HTTP/1.1", "HTTP/9.9") + body)
      assert.match(yield* rest(one), /^HTTP\/1.1 (400|505) /)
      assert.isTrue(yield* stands)
    }))
})
