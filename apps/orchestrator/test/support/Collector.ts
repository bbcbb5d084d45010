/**
 * A collector that keeps what it is sent, and can behave badly.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/** One span as it arrived. */
export interface Span {
  readonly service: string
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly start: bigint
  readonly end: bigint
  readonly status: number
  readonly attributes: Readonly<Record<string, string | number>>
  readonly events: ReadonlyArray<string>
}

/** How the collector answers: a status, or never. */
type Mode = number | "hang"

interface Collector {
  readonly url: string
  readonly spans: Array<Span>
  requests: number
  mode: Mode
  /** Waits until what has arrived satisfies the test. */
  readonly until: (test: (spans: ReadonlyArray<Span>) => boolean) => Effect.Effect<ReadonlyArray<Span>>
  /** Waits for so many requests. */
  readonly asked: (requests: number) => Effect.Effect<void>
}

const valueOf = (value: any): string | number => value.stringValue ?? Number(value.intValue ?? value.doubleValue)

const attributesOf = (list: ReadonlyArray<any>): Record<string, string | number> =>
  Object.fromEntries((list ?? []).map(({ key, value }) => [key, valueOf(value)]))

const spansOf = (body: string): ReadonlyArray<Span> =>
  JSON.parse(body).resourceSpans.flatMap((resourceSpan: any) =>
    resourceSpan.scopeSpans.flatMap(({ spans }: any) => spans).map((span: any) => ({
      service: String(attributesOf(resourceSpan.resource.attributes)["service.name"]),
      name: span.name,
      kind: span.kind,
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId || undefined,
      start: BigInt(span.startTimeUnixNano),
      end: BigInt(span.endTimeUnixNano),
      status: span.status.code ?? 0,
      attributes: attributesOf(span.attributes),
      events: (span.events ?? []).map(({ name }: any) => name)
    }))
  )

const listen = (onBody: (body: string) => number | undefined) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer((request, response) => {
        let body = ""
        request.setEncoding("utf8").on("data", (chunk) => body += chunk).on("end", () => {
          const status = onBody(body)
          if (status !== undefined) response.writeHead(status, { "content-type": "application/json" }).end("{}")
        })
      }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close().closeAllConnections())
  )

/** A collector for as long as the scope is open. */
export const collector = Effect.gen(function*() {
  const checks = new Set<() => void>()
  const until = (test: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void>()
      const check = () => {
        if (test()) Deferred.doneUnsafe(done, Effect.void)
      }
      checks.add(check)
      check()
      return Effect.ensuring(Deferred.await(done), Effect.sync(() => checks.delete(check)))
    })
  const server = yield* listen((body) => {
    const { mode } = self
    self.requests++
    if (mode === 200) self.spans.push(...spansOf(body))
    for (const check of checks) check()
    return mode === "hang" ? undefined : mode
  })
  const self: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    requests: 0,
    mode: 200,
    until: (test) => Effect.as(until(() => test(self.spans)), self.spans),
    asked: (requests) => until(() => self.requests >= requests)
  }
  return self
})
