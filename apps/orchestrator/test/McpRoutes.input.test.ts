import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { gzipSync } from "node:zlib"
import { Service } from "./support/Service.ts"
import { call, head, headersOf, modern, rest, send, session, socket, stands, tool } from "./support/Wire.ts"

const echo = (args: object, more: object = {}) => modern("tools/call", { name: "echo", arguments: args, ...more })
const good = echo({ text: "hi" })
const text = JSON.stringify(good)

/** A body that would be a good call, with other text for its argument. */
const saying = (json: string) => text.replace("\"hi\"", json)

type Row = readonly [name: string, body: string | Buffer, status: number, code: number]

/** Posts each body with the headers of a good call; its answer is the expected refusal, and the service stands. */
const refuses = Effect.fnUntraced(function*(rows: ReadonlyArray<Row>) {
  for (const [name, body, status, code] of rows) {
    const answer = yield* send({ headers: headersOf(good), body })
    assert.deepStrictEqual([answer.status, answer.message?.error?.code], [status, code], name)
  }
  assert.isTrue(yield* stands)
})

const many = (count: number, one: string) => Array.from({ length: count }, () => one).join()
const limit = 1024 * 1024 + 64 * 1024

/** Processor time of an effect, milliseconds: what the event loop was held up by it, however busy the machine is. */
const busy = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const before = process.cpuUsage()
    return Effect.map(effect, () => {
      const { system, user } = process.cpuUsage(before)
      return (system + user) / 1_000
    })
  })

layer(Service.layerMemory, { excludeTestServices: true })("hostile bytes", (it) => {
  it.effect("case 20: a body beyond the limit is refused before it is read or parsed", () =>
    Effect.gen(function*() {
      yield* refuses([
        ["10 MB string", saying(`"${"a".repeat(10_000_000)}"`), 413, -32600],
        ["just too large", saying(`"${"a".repeat(limit)}"`), 413, -32600],
        ["a million keys", saying(`{${many(1_000_000, "\"\":0")}}`), 413, -32600]
      ])
      const huge = yield* socket
      huge.write(yield* head(100_000_000, headersOf(good)))
      huge.write("a".repeat(100_000))
      assert.match(yield* rest(huge), /^HTTP\/1.1 413 /)
      const endless = yield* socket
      endless.write(yield* head(undefined, headersOf(good)))
      const chunk = `10000\r\n${"a".repeat(0x10000)}\r\n`
      endless.write(chunk.repeat(40))
      assert.match(yield* rest(endless), /^HTTP\/1.1 413 /)
      assert.isTrue(yield* stands)
    }))

  it.effect("case 20: what is nested beyond reason or has too many values is refused unparsed, and costs little", () =>
    Effect.gen(function*() {
      const deep = (count: number, open: string, close: string) => saying(open.repeat(count) + close.repeat(count))
      const rows: ReadonlyArray<Row> = [
        ["deep arrays", deep(10_000, "[", "]"), 400, -32600],
        ["deep objects", deep(10_000, "{\"a\":", "}").replace(":}", ":0}"), 400, -32600],
        ["deep and unclosed", saying("[".repeat(100_000)), 400, -32600],
        ["many values", saying(`[${many(200_000, "0")}]`), 400, -32600],
        ["many keys", saying(`{${many(100_001, "\"\":0")}}`), 400, -32600]
      ]
      const spent = yield* busy(refuses(rows))
      assert.isBelow(spent / rows.length, 100)
    }))

  it.effect("case 20: compressed bodies are not inflated, and numbers that are none are no input", () =>
    Effect.gen(function*() {
      const bomb = gzipSync(Buffer.alloc(50_000_000, " "))
      const before = process.memoryUsage().rss
      const answer = yield* send({ headers: { ...headersOf(good), "content-encoding": "gzip" }, body: bomb })
      assert.deepStrictEqual([answer.status, answer.message.error.code], [400, -32700])
      assert.isBelow(process.memoryUsage().rss - before, 40_000_000)
      yield* refuses([["NaN", saying("NaN"), 400, -32700], ["Infinity", saying("-Infinity"), 400, -32700]])
      const nap = (seconds: string) => {
        const message = modern("tools/call", { name: "nap", arguments: { seconds: 7 } })
        return send({ headers: headersOf(message), body: JSON.stringify(message).replace("7}", `${seconds}}`) })
      }
      for (const seconds of ["1e400", "-1e999", "\"NaN\""]) {
        const { message } = yield* nap(seconds)
        assert.isTrue(message.result?.isError, seconds)
      }
      const digits = yield* send({ headers: headersOf(good), body: saying("9".repeat(400)) })
      assert.isTrue(digits.message.result.isError)
      assert.isTrue(yield* stands)
    }))

  it.effect("case 21: what is no JSON or no UTF-8 is -32700 without an id", () =>
    Effect.gen(function*() {
      const broken = (bytes: ReadonlyArray<number>) =>
        Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.from(bytes), Buffer.from(text.slice(-2))])
      const rows: ReadonlyArray<Row> = [
        ["cut", text.slice(0, -1), 400, -32700],
        ["twice", text + text, 400, -32700],
        ["single quotes", text.replaceAll("\"", "'"), 400, -32700],
        ["comment", `${text}// no`, 400, -32700],
        ["trailing comma", saying("\"a\","), 400, -32700],
        ["a bare NUL", saying("\"a\0b\""), 400, -32700],
        ["a bare line break", saying("\"a\r\nb\""), 400, -32700],
        ["UTF-16", Buffer.from(`\uFEFF${text}`, "utf16le"), 400, -32700],
        ["overlong", broken([0xc0, 0xaf]), 400, -32700],
        ["half a character", broken([0xe2, 0x82]), 400, -32700],
        ["a surrogate in UTF-8", broken([0xed, 0xa0, 0x80]), 400, -32700],
        ["beyond Unicode", broken([0xf5, 0x80, 0x80, 0x80]), 400, -32700]
      ]
      yield* refuses(rows)
      for (const [name, body] of rows) {
        const { message } = yield* send({ headers: headersOf(good), body })
        assert.isNull(message.id, name)
        assert.strictEqual(message.jsonrpc, "2.0")
      }
    }))

  it.effect("case 21: odd strings are kept as they are", () =>
    Effect.gen(function*() {
      const odd = [
        "\\u0000",
        "a\\r\\nb",
        "\\ud800",
        "\\udc00\\ud800",
        "\\ufeff",
        "\\u202e",
        "\\ud83d\\ude00",
        "\\u2028"
      ]
      for (const escaped of odd) {
        const { message } = yield* send({ headers: headersOf(good), body: saying(`"${escaped}"`) })
        assert.strictEqual(message.result.content[0].text, JSON.parse(`"${escaped}"`), escaped)
      }
      const marked = yield* send({ headers: headersOf(good), body: `\uFEFF${text}` })
      assert.strictEqual(marked.message.result.content[0].text, "hi")
      assert.isTrue(yield* stands)
    }))

  it.effect("case 22: what is JSON and no request is -32600", () =>
    Effect.gen(function*() {
      const json = (value: unknown) => JSON.stringify(value)
      const without = (key: string) => json(Object.fromEntries(Object.entries(good).filter(([name]) => name !== key)))
      const bodies: Readonly<Record<string, string>> = {
        batch: json([good, good]),
        "empty batch": "[]",
        "batch of one": json([good]),
        "members nobody knows": json({ ...good, more: 1 }),
        "request and response": json({ ...good, result: {} }),
        "a response": json({ jsonrpc: "2.0", id: 1, result: {} }),
        "an error": json({ jsonrpc: "2.0", id: 1, error: { code: 1, message: "" } }),
        "no version": without("jsonrpc"),
        "version 1": json({ ...good, jsonrpc: "1.0" }),
        "version as a number": json({ ...good, jsonrpc: 2 }),
        "no method": without("method"),
        "method as a number": json({ ...good, method: 7 }),
        "id null": json({ ...good, id: null }),
        "id true": json({ ...good, id: true }),
        "id an object": json({ ...good, id: {} }),
        "id a list": json({ ...good, id: [1] }),
        "id with a fraction": json({ ...good, id: 1.5 }),
        "id beyond all numbers": text.replace("\"id\":1", "\"id\":1e999"),
        "params a list": json({ ...good, params: [] }),
        "a text": "\"tools/call\"",
        "a number": "7",
        null: "null",
        nothing: "{}"
      }
      for (const [name, body] of Object.entries(bodies)) {
        const { message, status } = yield* send({ headers: headersOf(good), body })
        // an answer belongs to a session, and there is none
        const code = /^(a response|an error)$/.test(name) ? -32000 : -32600
        assert.deepStrictEqual([status, message?.error?.code], [400, code], name)
      }
      assert.isTrue(yield* stands)
    }))

  it.effect("case 22: any id that is one is echoed", () =>
    Effect.gen(function*() {
      for (const id of [0, -1, 2 ** 53 - 1, "", "a".repeat(10_000), "\u0000", "__proto__", "1"]) {
        const body = JSON.stringify({ ...good, id })
        const { message } = yield* send({ headers: headersOf(good), body })
        assert.deepStrictEqual([message.id, message.result?.content[0].text], [id, "hi"])
      }
      assert.isTrue(yield* stands)
    }))

  it.effect("case 22: an id that is under way twice gets two answers, or one and a refusal in a session", () =>
    Effect.gen(function*() {
      const twice = yield* Effect.all([tool("echo", { text: "a" }), tool("echo", { text: "b" })], { concurrency: 2 })
      assert.deepStrictEqual(twice.map(({ message }) => message.result.content[0].text), ["a", "b"])
      const headers = yield* session()
      const body = (text: string) =>
        JSON.stringify({
          jsonrpc: "2.0",
          id: 7,
          method: "tools/call",
          params: { name: "nap", arguments: { seconds: text === "a" ? 0.05 : 0 } }
        })
      const both = yield* Effect.all([send({ headers, body: body("a") }), send({ headers, body: body("b") })], {
        concurrency: 2
      })
      const answers = both.toSorted((a, b) => a.status - b.status).map((
        { message, status }
      ) => [status, message?.error?.code])
      assert.deepStrictEqual(answers, [[200, undefined], [400, -32600]])
      const again = yield* send({ headers, body: body("b") })
      assert.strictEqual(again.status, 200)
      assert.isTrue(yield* stands)
    }))

  it.effect("case 22: a session takes no batch either, and knows answers nobody waits for", () =>
    Effect.gen(function*() {
      const headers = yield* session()
      const list = { jsonrpc: "2.0", id: 1, method: "tools/list" }
      const batch = yield* send({ headers, body: JSON.stringify([list, { ...list, id: 2 }]) })
      assert.deepStrictEqual([batch.status, batch.message.error.code], [400, -32600])
      for (const id of [0, 99, "x"]) {
        const answer = yield* send({ headers, body: JSON.stringify({ jsonrpc: "2.0", id, result: {} }) })
        assert.strictEqual(answer.status, 202)
      }
      assert.strictEqual((yield* send({ headers, body: JSON.stringify(list) })).message.result.tools.length > 0, true)
      assert.isTrue(yield* stands)
    }))

  it.effect("case 25: keys of the prototype reach nothing, wherever they stand", () =>
    Effect.gen(function*() {
      const evil = { polluted: "yes" }
      const own = (key: string) => JSON.parse(`{"${key}":${JSON.stringify(evil)}}`)
      const untouched = () => {
        const empty: Record<string, unknown> = {}
        assert.isUndefined(empty["polluted"])
        assert.isUndefined((Object as unknown as Record<string, unknown>)["polluted"])
      }
      for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
        const places = [
          echo({ text: "hi", ...own(key) }),
          echo({ text: own(key) }),
          echo({ text: "hi" }, { _meta: own(key) }),
          { ...echo({ text: "hi" }), ...own(key) }
        ]
        const escaped = (message: object) => JSON.stringify(message).replaceAll("__proto__", "\\u005f_proto_\\u005F")
        for (const place of places) {
          for (const body of [JSON.stringify(place), escaped(place)]) {
            const { message, status } = yield* send({ headers: headersOf(good), body })
            untouched()
            if (key === "__proto__" && body.includes("proto_")) {
              assert.include([200, 400], status)
            }
            assert.isTrue(message.error !== undefined || message.result !== undefined)
          }
        }
        for (const method of ["tools/call", "prompts/get", "tasks/get", "resources/read", key]) {
          const { message } = yield* call(method, { name: key, taskId: key, uri: key })
          assert.include([-32601, -32602, -32020], message.error?.code, `${method} ${key}`)
        }
        const named = yield* tool("echo", { text: "hi" }, { _meta: { "dev.coppice/idempotency-key": key } })
        assert.strictEqual(named.message.result.content[0].text, "hi")
        untouched()
      }
      assert.isTrue(yield* stands)
    }))
})
