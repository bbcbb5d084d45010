import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { request } from "node:http"
import { connect } from "node:net"
import { authorities, isSame, refusal } from "../src/Security.ts"
import { Service } from "./support/Service.ts"

const allowed = authorities("127.0.0.1", 4280, ["box.test:8080"])

describe("refusal", () => {
  it.each([
    "127.0.0.1:4280",
    "localhost:4280",
    "LOCALHOST:4280",
    "[::1]:4280",
    "box.test:8080"
  ])("lets the host %s through", (host) => {
    assert.isUndefined(refusal({ host }, allowed))
  })

  it.each([
    undefined,
    "",
    "evil.test",
    "evil.test:4280",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:4281",
    "127.0.0.2:4280",
    "localhost.:4280",
    "localhost.evil.test:4280",
    "localhost:4280@evil.test",
    "[::ffff:127.0.0.1]:4280",
    "[0:0:0:0:0:0:0:1]:4280",
    "::1:4280",
    "2130706433:4280",
    "0x7f.1:4280",
    "127.1:4280",
    "0.0.0.0:4280",
    "box.test:4280"
  ])("refuses the host %s", (host) => {
    assert.strictEqual(refusal({ host }, allowed)?.error.code, "forbidden_host")
  })

  it.each([
    undefined,
    "http://127.0.0.1:4280",
    "http://localhost:4280",
    "http://[::1]:4280",
    "HTTP://LOCALHOST:4280",
    "https://box.test:8080"
  ])("lets the origin %s through", (origin) => {
    assert.isUndefined(refusal({ host: "localhost:4280", origin }, allowed))
  })

  it.each([
    "null",
    "",
    "http://evil.test",
    "http://localhost",
    "http://localhost:4281",
    "http://localhost:4280.evil.test",
    "http://evil.test/localhost:4280",
    "http://localhost:4280@evil.test",
    "http://evil.test#localhost:4280",
    "file://",
    "chrome-extension://localhost:4280",
    "http://[::ffff:7f00:1]:4280"
  ])("refuses the origin %s", (origin) => {
    assert.strictEqual(refusal({ host: "localhost:4280", origin }, allowed)?.error.code, "forbidden_origin")
  })

  it("knows the service by its bound address and, on port 80, without the port", () => {
    assert.isTrue(authorities("127.0.0.7", 9, []).has("127.0.0.7:9"))
    assert.isTrue(authorities("::1", 80, []).has("[::1]"))
    assert.isFalse(authorities("::1", 81, []).has("[::1]"))
  })
})

describe("isSame", () => {
  it("compares texts of any length", () => {
    assert.isTrue(isSame("secret", "secret"))
    assert.deepStrictEqual(["", "secre", "secrets", "SECRET", "secret\u0000"].map((text) => isSame(text, "secret")), [
      false,
      false,
      false,
      false,
      false
    ])
  })
})

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | Array<string>>
  readonly body: string
}

/** A request as raw as Node lets us: `fetch` would not send a `Host` of ours. */
const send = Effect.fnUntraced(function*(path: string, headers: Record<string, string>, body?: string | Buffer) {
  const { url } = yield* Service
  return yield* Effect.callback<Answer>((resume) => {
    const outgoing = request(url + path, { method: body === undefined ? "GET" : "POST", headers }, (incoming) => {
      const chunks: Array<Buffer> = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("end", () =>
        resume(Effect.succeed({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString()
        })))
    })
    outgoing.on("error", (cause) => resume(Effect.succeed({ status: 0, headers: {}, body: String(cause) })))
    outgoing.end(body)
  })
})

/** Bytes as they are, answered with the first line of the answer. */
const raw = Effect.fnUntraced(function*(text: string) {
  const { url } = yield* Service
  const { hostname, port } = new URL(url)
  return yield* Effect.callback<string>((resume) => {
    let answer = ""
    const socket = connect(Number(port), hostname, () => socket.write(text.replaceAll("HOST", `${hostname}:${port}`)))
    socket.setEncoding("utf8").on("data", (chunk) => answer += chunk)
    socket.on("close", () => resume(Effect.succeed(answer.split("\r\n")[0] ?? "")))
  })
})

layer(Service.layerMemory, { excludeTestServices: true })("Security", (it) => {
  it.effect("refuses foreign names and pages everywhere, with a token or not", () =>
    Effect.gen(function*() {
      const { token } = yield* Service
      const authorization = `Bearer ${token}`
      for (const path of ["/", "/healthz", "/api/v1/info", "/api/v1/tasks", "/nothing", "/api/v1/events"]) {
        assert.strictEqual((yield* send(path, { host: "evil.test" })).status, 403, path)
        assert.strictEqual((yield* send(path, { origin: "null", authorization })).status, 403, path)
        assert.strictEqual((yield* send(path, { origin: "http://evil.test", authorization })).status, 403, path)
      }
    }))

  it.effect("is not misled by odd requests", () =>
    Effect.gen(function*() {
      const close = "Connection: close\r\n\r\n"
      const cases = {
        [`GET /healthz HTTP/1.1\r\nHost: HOST\r\n${close}`]: "200 OK",
        [`GET http://HOST/healthz HTTP/1.1\r\nHost: HOST\r\n${close}`]: "200 OK",
        [`GET http://evil.test/healthz HTTP/1.1\r\nHost: HOST\r\n${close}`]: "403 Forbidden",
        [`GET /healthz HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: HOST\r\n${close}`]: "403 Forbidden",
        [`GET /healthz HTTP/1.1\r\n${close}`]: "400 Bad Request",
        [`GET /healthz HTTP/1.0\r\n${close}`]: "403 Forbidden",
        [`GET //evil.test/healthz HTTP/1.1\r\nHost: HOST\r\n${close}`]: "404 Not Found",
        [`GET /../../etc/passwd HTTP/1.1\r\nHost: HOST\r\n${close}`]: "404 Not Found",
        [`GET / HTTP/1.1\r\nHost: HOST\r\nX: ${"a".repeat(20_000)}\r\n${close}`]: "431 Request Header Fields Too Large"
      }
      for (const [text, expected] of Object.entries(cases)) {
        assert.strictEqual(yield* raw(text), `HTTP/1.1 ${expected}`, text.slice(0, 80))
      }
    }))

  it.effect("stops reading a body that says nothing of its length", () =>
    Effect.gen(function*() {
      const { token } = yield* Service
      const head = `POST /api/v1/tasks HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ${token}\r\n` +
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      const chunk = `10000\r\n${"a".repeat(0x10000)}\r\n`
      assert.strictEqual(yield* raw(head + chunk.repeat(40)), "HTTP/1.1 413 Payload Too Large")
    }))

  it.effect("lets nobody at task data without the token", () =>
    Effect.gen(function*() {
      const { token } = yield* Service
      const wrong: ReadonlyArray<Record<string, string>> = [
        {},
        { authorization: "Bearer" },
        { authorization: "Bearer " },
        { authorization: `Basic ${token}` },
        { authorization: `Bearer ${token}x` },
        { authorization: token },
        { cookie: "coppice-token=" },
        { cookie: `other=${token}` }
      ]
      for (const headers of wrong) {
        for (const path of ["tasks", "inbox", "agents", "events", "tasks/0/why"]) {
          const { headers: answered, status } = yield* send(`/api/v1/${path}`, headers)
          assert.deepStrictEqual([status, answered["www-authenticate"]], [401, "Bearer"], path)
        }
        const { status } = yield* send("/api/v1/tasks", headers, "{")
        assert.strictEqual(status, 401)
      }
    }))

  it.effect("takes the token as a bearer or as the console's cookie", () =>
    Effect.gen(function*() {
      const { token } = yield* Service
      assert.strictEqual((yield* send("/api/v1/tasks", { authorization: `bearer ${token}` })).status, 200)
      assert.strictEqual((yield* send("/api/v1/tasks", { cookie: `a=b; coppice-token=${token}` })).status, 200)
    }))

  it.effect("never says the token, nor a stack", () =>
    Effect.gen(function*() {
      const { token } = yield* Service
      const authorization = `Bearer ${token}`
      const answers = [
        yield* send("/api/v1/info", {}),
        yield* send("/api/v1/openapi.json", {}),
        yield* send("/api/v1/agents", { authorization }),
        yield* send("/api/v1/tasks", { authorization }, `{"agent":"${token.slice(1)}`),
        yield* send(`/api/v1/${token}`.slice(0, 12), { authorization })
      ]
      for (const { body, headers } of answers) {
        assert.notInclude(body + JSON.stringify(headers), token)
        assert.notMatch(body, /\n\s+at /)
      }
    }))

  it.effect("reads only UTF-8, with or without a byte order mark", () =>
    Effect.gen(function*() {
      const { token } = yield* Service
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
      const body = `{"agent":"echo","input":{"text":"é"}}`
      assert.strictEqual((yield* send("/api/v1/tasks", headers, Buffer.from(body, "latin1"))).status, 400)
      assert.strictEqual((yield* send("/api/v1/tasks", headers, Buffer.from(`\uFEFF${body}`))).status, 201)
      const text = { ...headers, "content-type": "text/plain" }
      assert.strictEqual((yield* send("/api/v1/tasks", text, body)).status, 415)
      const cyrillic = { ...headers, "content-type": "application/json; charset=utf-8" }
      assert.strictEqual((yield* send("/api/v1/tasks", cyrillic, body)).status, 201)
    }))

  it.effect("tells browsers to keep their hands off", () =>
    Effect.gen(function*() {
      for (const path of ["/", "/api/v1/info", "/api/v1/tasks", "/nothing"]) {
        const { headers } = yield* send(path, {})
        assert.strictEqual(headers["x-content-type-options"], "nosniff", path)
        assert.strictEqual(headers["x-frame-options"], "DENY", path)
        assert.include(String(headers["content-security-policy"]), "frame-ancestors 'none'", path)
        assert.isUndefined(headers["access-control-allow-origin"], path)
      }
    }))
})
