import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { mkdirSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { Site } from "../src/ConsoleRoutes.ts"
import { ask, folder, Service, service } from "./support/Service.ts"

const script = "export const secretOfTheTest = 1"

/** A folder with a secret beside the console's. */
const site = Effect.map(folder, (home) => {
  mkdirSync(join(home, "site", "assets"), { recursive: true })
  writeFileSync(join(home, "secret.txt"), "never to be seen")
  writeFileSync(join(home, "site", "index.html"), "<!doctype html><title>the page</title>")
  writeFileSync(join(home, "site", "assets", "index-abc.js"), script)
  writeFileSync(join(home, "site", "assets", "index-abc.css"), "body{}")
  writeFileSync(join(home, "site", "assets", "mark-abc.svg"), "<svg/>")
  return join(home, "site")
})

const serviceWith = (where: Effect.Effect<string, never, Scope.Scope>) =>
  Layer.provideMerge(
    Service.layer,
    Layer.unwrap(Effect.gen(function*() {
      return Layer.provide(service("memory:", yield* folder), Layer.succeed(Site, yield* where))
    }))
  )

/** A request line as it is, which no client would send: fetch tidies paths. */
const raw = (url: string, path: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const { host, hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    let answer = ""
    socket.on("data", (chunk) => answer += String(chunk))
    socket.on("close", () => resume(Effect.succeed(answer)))
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
  })

const paths = [
  "/",
  "/?status=failed",
  "/runs",
  "/runs/01abc",
  "/runs/01abc/x",
  "/inbox",
  "/agents/x",
  "/topology",
  "/audit",
  "/dev"
]

layer(serviceWith(site))("the console", (it) => {
  const get = (path: string, init?: RequestInit) =>
    Effect.flatMap(Service, ({ url }) => Effect.promise(() => ask(url + path, init)))
  const text = (response: Response) => Effect.promise(() => response.text())

  it.effect("has one page for all its addresses, asked for again each time", () =>
    Effect.gen(function*() {
      for (const path of paths) {
        const response = yield* get(path)
        assert.strictEqual(response.status, 200, path)
        assert.strictEqual(response.headers.get("content-type"), "text/html; charset=utf-8")
        assert.strictEqual(response.headers.get("cache-control"), "no-cache")
        assert.include(yield* text(response), "the page")
      }
    }))

  it.effect("lets nothing in that is not its own", () =>
    Effect.gen(function*() {
      const { headers } = yield* get("/")
      assert.include(headers.get("content-security-policy"), "default-src 'self'")
      assert.notInclude(headers.get("content-security-policy"), "unsafe")
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(headers.get("x-frame-options"), "DENY")
    }))

  it.effect("has files that never change, of the types they are", () =>
    Effect.gen(function*() {
      const types = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8" }
      for (const [extension, type] of Object.entries(types)) {
        const response = yield* get(`/assets/index-abc.${extension}`)
        assert.strictEqual(response.headers.get("content-type"), type)
        assert.strictEqual(response.headers.get("cache-control"), "public, max-age=31536000, immutable")
        assert.isNotEmpty(yield* text(response))
      }
      assert.strictEqual(
        (yield* get("/assets/mark-abc.svg")).headers.get("content-type"),
        "image/svg+xml; charset=utf-8"
      )
    }))

  it.effect("answers HEAD without a body, and what a browser has already with 304", () =>
    Effect.gen(function*() {
      for (const path of ["/", "/assets/index-abc.js"]) {
        const head = yield* get(path, { method: "HEAD" })
        assert.strictEqual(head.status, 200)
        assert.strictEqual(yield* text(head), "")
        const etag = head.headers.get("etag") ?? ""
        assert.isNotEmpty(etag)
        const again = yield* get(path, { headers: { "if-none-match": etag } })
        assert.strictEqual(again.status, 304, path)
        assert.strictEqual(yield* text(again), "")
      }
    }))

  it.effect("has nothing else, and no page for what is misspelt", () =>
    Effect.gen(function*() {
      for (const path of ["/assets/index-other.js", "/assets/", "/assets", "/index.html", "/nope", "/run"]) {
        assert.strictEqual((yield* get(path)).status, 404, path)
      }
    }))

  it.effect("cannot be left by any spelling of a path (case 27)", () =>
    Effect.gen(function*() {
      const { url } = yield* Service
      const up = ["..", "%2e%2e", ".%2e", "%2e.", "..%2f", "%2e%2e%2f", "..\\", "..%5c", "%252e%252e", "..;", "....//"]
      const places = up.flatMap((step) => [`/assets/${step}/${step}/secret.txt`, `/assets/${step}/secret.txt`])
      const others = [
        "/assets//etc/passwd",
        "/assets/%00",
        "/assets/index-abc.js%00.css",
        "/../secret.txt",
        "/assets/%"
      ]
      for (const path of [...places, ...others, "/assets/..%c0%af..%c0%afsecret.txt", "/assets/file:///etc/passwd"]) {
        const answer = yield* raw(url, path)
        assert.notInclude(answer, "never to be seen", path)
        assert.notInclude(answer, "root:", path)
        assert.notMatch(answer, /^HTTP\/1\.1 (?:2|5)/, path)
      }
      assert.include(yield* raw(url, "/assets/index-abc.js"), script)
    }))

  it.effect("says where it is", () =>
    Effect.gen(function*() {
      const { client, url } = yield* Service
      assert.strictEqual((yield* client.service.info()).links.console, `${url}/`)
    }))
})

layer(serviceWith(Effect.map(folder, (home) => join(home, "nothing"))))("without a console", (it) => {
  it.effect("its addresses say what to do, and the service names no console", () =>
    Effect.gen(function*() {
      const { client, url } = yield* Service
      for (const path of ["/", "/inbox"]) {
        const response = yield* Effect.promise(() => ask(url + path))
        assert.strictEqual(response.status, 200)
        assert.include(yield* Effect.promise(() => response.text()), "npm run build")
      }
      assert.isNull((yield* client.service.info()).links.console)
    }))
})
