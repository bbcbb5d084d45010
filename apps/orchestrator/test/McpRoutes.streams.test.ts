import { McpHttp } from "@coppice/mcp/McpHttp"
import type { TaskId } from "@coppice/task/Task"
import { TaskLog } from "@coppice/task/TaskLog"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Socket } from "node:net"
import { Service } from "./support/Service.ts"
import {
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

const opened = Effect.map(Effect.serviceOption(McpHttp), (mcp) => Option.getOrThrow(mcp).open())

/** Waits until the service has let go of every stream. */
const allClosed = Effect.repeat(Effect.andThen(Effect.yieldNow, opened), {
  until: ({ subscriptions }) => subscriptions === 0
})

const closed = (one: Socket): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (one.closed) resume(Effect.void)
    else one.once("close", () => resume(Effect.void))
  })

/** Writes a request and reads none of the answer. */
const asks = Effect.fnUntraced(function*(message: object, headers: Record<string, string>) {
  const body = JSON.stringify(message)
  const one = yield* socket
  one.pause()
  one.write((yield* head(body.length, headers)) + body)
  return one
})

const talkative = Effect.fnUntraced(function*() {
  const params = { name: "ask", arguments: { text: "?" }, task: {}, _meta: { progressToken: "p" } }
  const headers = yield* session({ elicitation: {} })
  const { message } = yield* send({
    headers,
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params })
  })
  const taskId: string = message.result.task.taskId
  const log = yield* TaskLog
  const entry = (yield* log.acquire(taskId.slice(0, 20) as TaskId))!
  let count = 0
  /** Makes the task say a lot: so many reports of 100 kB, a turn of the loop after each. */
  const chat = (times: number) =>
    Effect.repeat(
      Effect.andThen(
        Effect.sync(() => {
          const progress = { progress: ++count, total: null, message: "x".repeat(100_000) }
          log.dispatch(entry, { _tag: "Progress", attempt: entry.state.attempt, progress })
        }),
        log.barrier
      ),
      { times }
    )
  return { headers, taskId, chat }
})

layer(Service.layerMemory, { excludeTestServices: true })("slow and silent peers", (it) => {
  it.effect("case 19: a subscriber that reads nothing is cut off, within a bound of memory", () =>
    Effect.gen(function*() {
      const { chat, taskId } = yield* talkative()
      const message = modern("subscriptions/listen", { notifications: { taskIds: [taskId] } })
      const deaf = yield* asks(message, { ...headersOf(message), connection: "close" })
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, opened), {
        until: ({ subscriptions }) => subscriptions === 1
      })
      const before = process.memoryUsage().rss
      yield* Effect.repeat(Effect.andThen(chat(2), opened), { until: ({ subscriptions }) => subscriptions === 0 })
      assert.isBelow(process.memoryUsage().rss - before, 150_000_000)
      deaf.resume()
      yield* closed(deaf)
      assert.isTrue(yield* stands)
    }))

  it.effect("case 19: a session whose standing stream nobody reads loses that stream, not its tasks", () =>
    Effect.gen(function*() {
      const { chat, headers, taskId } = yield* talkative()
      const { token, url } = yield* Service
      const deaf = yield* socket
      deaf.pause()
      const lines = [
        "GET /mcp HTTP/1.1",
        `Host: ${new URL(url).host}`,
        `Authorization: Bearer ${token}`,
        "Accept: text/event-stream",
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      ]
      deaf.write(`${lines.join("\r\n")}\r\n\r\n`)
      const get = { jsonrpc: "2.0", id: 2, method: "tasks/get", params: { taskId } }
      const look = Effect.map(send({ headers, body: JSON.stringify(get) }), ({ message }) => message.result.status)
      assert.strictEqual(yield* look, "input_required")
      const before = process.memoryUsage().rss
      // what a socket takes without being read, and the service's own bound
      yield* chat(300)
      assert.isBelow(process.memoryUsage().rss - before, 150_000_000)
      deaf.resume()
      yield* closed(deaf)
      assert.strictEqual(yield* look, "input_required")
      assert.isTrue(yield* stands)
    }))

  it.effect("case 19: idle streams and half-sent requests hold up nobody, and are let go", () =>
    Effect.gen(function*() {
      const { message } = yield* tool("nap", { seconds: 60 })
      const listen = modern("subscriptions/listen", { notifications: { taskIds: [message.result.taskId] } })
      const body = JSON.stringify(listen)
      const streams = yield* Effect.all(
        Array.from({ length: 200 }, () => open({ headers: headersOf(listen), body })),
        { concurrency: 20 }
      )
      const good = modern("tools/list")
      const bytes = (yield* head(JSON.stringify(good).length, headersOf(good))) + JSON.stringify(good)
      const drips = yield* Effect.all(Array.from({ length: 200 }, () => socket), { concurrency: 20 })
      for (const [index, drip] of drips.entries()) drip.write(bytes.slice(0, index % 2 === 0 ? 40 : bytes.length - 1))
      assert.strictEqual((yield* opened).subscriptions, 200)
      for (let i = 0; i < 20; i++) assert.strictEqual((yield* call("tools/list")).status, 200)
      // the others get theirs when they have sent the rest
      const [, one] = drips
      yield* write(one!, bytes.slice(-1))
      yield* Effect.callback<void>((resume) => {
        one!.once("data", () => resume(Effect.void))
      })
      for (const stream of streams) stream.destroy()
      yield* allClosed
      assert.isTrue(yield* stands)
    }))

  it.effect("case 19: a request byte by byte is served like any other", () =>
    Effect.gen(function*() {
      const message = modern("tools/call", { name: "echo", arguments: { text: "slowly" } })
      const body = JSON.stringify(message)
      const one = yield* socket
      one.setNoDelay(true)
      const answer = yield* Effect.forkChild(rest(one))
      const close = { ...headersOf(message), connection: "close" }
      for (const byte of (yield* head(body.length, close)) + body) {
        yield* write(one, byte)
      }
      assert.include(yield* Fiber.join(answer), "slowly")
      assert.isTrue(yield* stands)
    }))

  it.effect("case 27: paths lead nowhere, wherever an id or an address is expected", () =>
    Effect.gen(function*() {
      const paths = [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\windows\\win.ini",
        "file:///etc/passwd",
        "%2e%2e%2fetc%2fpasswd",
        "....//etc/passwd",
        "/proc/self/environ",
        "note://../../etc/passwd/x",
        "\u0000/etc/passwd"
      ]
      const names = [...paths, ".", "..", "", "a".repeat(5_000)]
      for (const path of names) {
        for (const method of ["tasks/get", "tasks/cancel"]) {
          const encoded = `=?base64?${Buffer.from(path).toString("base64")}?=`
          const message = modern(method, { taskId: path })
          const answer = yield* send({
            headers: { ...headersOf(message), "mcp-name": encoded },
            body: JSON.stringify(message)
          })
          assert.include([-32602, -32020], answer.message.error?.code, `${method} ${path}`)
        }
        const session = yield* send({
          headers: { "mcp-session-id": encodeURIComponent(path) },
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })
        })
        assert.include([400, 404], session.status, path)
      }
      for (const path of paths) {
        const encoded = `=?base64?${Buffer.from(path).toString("base64")}?=`
        const message = modern("resources/read", { uri: path })
        const answer = yield* send({
          headers: { ...headersOf(message), "mcp-name": encoded },
          body: JSON.stringify(message)
        })
        assert.strictEqual(answer.message.error?.code, -32602, path)
        assert.notMatch(answer.text, /root:|PATH=/)
      }
      const { fetch } = yield* Service
      for (const path of ["/mcp/../../etc/passwd", "/mcp/%2e%2e/%2e%2e/etc/passwd", "/mcp/x"]) {
        assert.strictEqual((yield* fetch(path, { method: "POST", body: "{}" })).status, 404, path)
      }
      assert.isTrue(yield* stands)
    }))

  it.effect("case 28: nothing a peer sends becomes a header of the answer", () =>
    Effect.gen(function*() {
      const evil = "echo\r\nSet-Cookie: evil=1\r\n\r\n<html>"
      const encoded = `=?base64?${Buffer.from(evil).toString("base64")}?=`
      const named = modern("tools/call", { name: evil, arguments: {} })
      const traced = modern("tools/call", {
        name: "echo",
        arguments: { text: evil },
        _meta: { traceparent: evil, tracestate: evil, baggage: evil, progressToken: evil }
      })
      const bytesOf = Effect.fnUntraced(function*(message: typeof named, headers: Record<string, string>) {
        const body = JSON.stringify(message)
        const one = yield* socket
        one.write(
          (yield* head(Buffer.byteLength(body), { ...headersOf(message), ...headers, connection: "close" })) + body
        )
        return yield* rest(one)
      })
      for (const [message, headers] of [[named, { "mcp-name": encoded }], [traced, {}]] as const) {
        const bytes = yield* bytesOf(message, headers)
        assert.match(bytes, /^HTTP\/1.1 200 /)
        assert.notMatch(bytes, /^set-cookie:/im)
        assert.notInclude(bytes, "\r\n\r\n<html>")
      }
      for (const name of ["echo\nX: y", "echo\rX: y", "echo\0"]) {
        const bytes = yield* bytesOf(traced, { "mcp-name": name })
        assert.match(bytes, /^HTTP\/1.1 400 /)
      }
      assert.isTrue(yield* stands)
    }))
})
