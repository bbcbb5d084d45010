/**
 * MCP on a pipe for a service that speaks it over HTTP: a proxy of messages that knows nothing of tools or tasks.
 *
 * ```text
 *   line ──► POST /mcp ──► one message, or a stream of them ──► lines
 *            GET  /mcp ──► the standing stream of a session ──► lines        (2025-11-25)
 *   notifications/cancelled ──► the request's stream is closed               (2026-07-28)
 * ```
 *
 * A service that goes away and comes back is not noticed by the host: requests are sent again while its port is down.
 * That is safe because a call carries an idempotency key, which the bridge adds where the host gave none, and because
 * sessions and tasks are rows of the service.
 */
import type { IncomingMessage } from "node:http"
import type { Readable, Writable } from "node:stream"
import { setTimeout as pause } from "node:timers/promises"
import { events, isStream, send, textOf } from "./Http.ts"
import { read, write } from "./Lines.ts"
import { cancelled, failure, headersOf, type Message, parse, type Session } from "./Message.ts"
import type { Place, Way } from "./Way.ts"

/** How long a request waits for a service that is away, and how often its stream may break, milliseconds. */
const patience = 120_000
const mostBreaks = 100

/** Messages on their way; while there are more, the pipe is not read. */
const mostUnderWay = 1_000

/** Between two attempts, milliseconds. */
const interval = 200

/** How long what is under way may go on when the pipe has closed, milliseconds. */
const farewell = 1_000

const internalError = -32603

interface Flight {
  readonly controller: AbortController
  readonly message: Message
  readonly done: Promise<void>
}

/** What came of one attempt. */
type Outcome = "done" | "away" | "no session"

const gone = { outcome: "away" as Outcome, wasThere: false }

const reasonOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

export class Bridge {
  private readonly way: Way
  private readonly input: Readable
  private readonly output: Writable
  private readonly say: (line: string) => void
  private readonly over = new AbortController()
  private readonly flights = new Map<string | number, Flight>()
  private readonly underWay = new Set<Promise<void>>()
  /** What has to have arrived before the next message leaves. */
  private before: Promise<void> = Promise.resolve()
  private session: Session | undefined
  private hello: Message | undefined
  private renewing: Promise<void> | undefined
  private isStanding = false

  /** `say` tells a person what nobody else is told. */
  constructor(options: { way: Way; input: Readable; output: Writable; say: (line: string) => void }) {
    this.way = options.way
    this.input = options.input
    this.output = options.output
    this.say = options.say
  }

  /** Serves until the pipe closes. */
  async run(): Promise<void> {
    for await (const line of read(this.input)) {
      while (this.underWay.size >= mostUnderWay) await Promise.race(this.underWay)
      const message = line === undefined ? undefined : parse(line)
      if (message === undefined) await this.refuse(line)
      else this.take(message)
    }
    await Promise.race([this.finished(), pause(farewell)])
    this.over.abort()
    await this.leave()
  }

  /** What ends by itself has ended; a subscription does not. */
  private async finished(): Promise<void> {
    const endless = new Set<Promise<void>>()
    for (const { done, message } of this.flights.values()) {
      if (message.method === "subscriptions/listen") endless.add(done)
    }
    await Promise.all([...this.underWay].filter((done) => !endless.has(done)))
  }

  private refuse(line: string | undefined): Promise<void> {
    const said = line === undefined
      ? failure(null, -32600, "The message is too long")
      : failure(null, -32700, "The line is not a JSON object")
    return write(this.output, said)
  }

  /** Requests run beside each other; what has no answer, and what a session begins with, keeps its order. */
  private take(message: Message): void {
    const target = cancelled(message)
    const flight = target === undefined ? undefined : this.flights.get(target)
    if (target !== undefined && flight === undefined && this.session === undefined) return
    // 2026-07-28 cancels by closing the stream
    if (flight !== undefined && flight.message.revision !== undefined) return flight.controller.abort()
    const done = this.fly(message)
    if (message.request !== undefined && message.method !== "initialize") return
    this.before = done.then(() => {
      // the session has been told; nothing more comes on that stream
      flight?.controller.abort()
      if (message.method === "notifications/initialized") this.stand()
    })
  }

  private fly(message: Message): Promise<void> {
    const { request } = message
    const controller = new AbortController()
    const signal = AbortSignal.any([this.over.signal, controller.signal])
    const done = this.before.then(() => this.deliver(message, signal)).catch(async (error: unknown) => {
      if (signal.aborted) return
      this.say(reasonOf(error))
      if (request !== undefined) {
        await write(this.output, failure(request, internalError, reasonOf(error), { retryable: true }))
      }
    }).finally(() => {
      this.underWay.delete(done)
      if (request !== undefined && this.flights.get(request)?.done === done) this.flights.delete(request)
    })
    this.underWay.add(done)
    if (request !== undefined) this.flights.set(request, { controller, message, done })
    return done
  }

  /** Sends the message until it has arrived and, if it is a request, was answered. */
  private async deliver(message: Message, signal: AbortSignal): Promise<void> {
    let goneAt: number | undefined
    for (let breaks = 0; breaks < mostBreaks;) {
      const place = await this.way.find(goneAt === undefined ? 0 : performance.now() - goneAt)
      const { outcome, wasThere } = place === undefined ? gone : await this.attempt(place, message, signal)
      if (outcome === "done") return
      if (outcome === "no session" && place !== undefined) await this.renew(place, signal)
      if (wasThere) breaks++
      goneAt = goneAt === undefined || wasThere ? performance.now() : goneAt
      if (performance.now() - goneAt > patience) throw new Error("The service has gone, and does not come back")
      await pause(interval, undefined, { signal })
    }
    throw new Error("The service broke the connection again and again")
  }

  private async attempt(place: Place, message: Message, signal: AbortSignal) {
    let wasThere = false
    try {
      const response = await send(`${place.url}/mcp`, {
        method: "POST",
        headers: { ...this.common(place), "content-type": "application/json", ...headersOf(message, this.session) },
        body: message.text,
        signal
      })
      wasThere = response.statusCode !== 503
      return { wasThere, outcome: await this.receive(response, message) }
    } catch (error) {
      if (signal.aborted || error instanceof Refused) throw error
      return { wasThere, outcome: "away" as const }
    }
  }

  private common({ token }: Place): Record<string, string> {
    return {
      accept: "application/json, text/event-stream",
      ...token === undefined ? {} : { authorization: `Bearer ${token}` }
    }
  }

  private async receive(response: IncomingMessage, message: Message): Promise<Outcome> {
    if (isStream(response)) return this.pass(response, message)
    const text = await textOf(response)
    const { statusCode: status = 0 } = response
    if (status === 503) return "away"
    if (status === 401 || status === 403) throw new Refused(`The service refuses this bridge (${status}): ${text}`)
    if (status === 404 && message.revision === undefined && message.method !== "initialize") return "no session"
    if (message.request === undefined) {
      if (status >= 400) this.say(`The service refused ${message.method ?? "an answer"} (${status}): ${text}`)
      return "done"
    }
    if (message.method === "initialize") this.begin(response, message, text)
    await write(this.output, answered(text, message.request, status))
    return "done"
  }

  /** Passes a stream on to its end; without the answer in it, it was broken. */
  private async pass(response: IncomingMessage, message: Message): Promise<Outcome> {
    let isAnswered = message.request === undefined
    try {
      for await (const data of events(response)) {
        const isAnswer = isAnswerTo(data, message.request)
        if (isAnswer && message.method === "initialize") this.begin(response, message, data)
        await write(this.output, data)
        isAnswered ||= isAnswer
      }
    } catch (error) {
      if (!isAnswered) throw error
    }
    return isAnswered ? "done" : "away"
  }

  // ---------------------------------------------------------------- sessions of 2025-11-25

  private begin({ headers }: IncomingMessage, message: Message, answer: string): void {
    const id = headers["mcp-session-id"]
    const { result } = JSON.parse(answer) as { readonly result?: { readonly protocolVersion?: string } }
    if (typeof id !== "string" || result?.protocolVersion === undefined) return
    this.hello = message
    this.session = { id, revision: result.protocolVersion }
  }

  /** The service has forgotten the session: what the host said when it began is said again. */
  private renew(place: Place, signal: AbortSignal): Promise<void> {
    this.renewing ??= this.introduce(place, signal).finally(() => {
      this.renewing = undefined
    })
    return this.renewing
  }

  private async introduce(place: Place, signal: AbortSignal): Promise<void> {
    const { hello } = this
    if (hello === undefined) throw new Refused("The host has not begun a session")
    const headers = { ...this.common(place), "content-type": "application/json" }
    const response = await send(`${place.url}/mcp`, { method: "POST", headers, body: hello.text, signal })
    for await (const data of events(response)) this.begin(response, hello, data)
    const initialized = parse("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}")!
    const told = await send(`${place.url}/mcp`, {
      method: "POST",
      headers: { ...headers, ...headersOf(initialized, this.session) },
      body: initialized.text,
      signal
    })
    told.resume()
  }

  /** Keeps the session's standing stream open, through whichever service there is. */
  private stand(): void {
    if (this.isStanding || this.session === undefined) return
    this.isStanding = true
    const { signal } = this.over
    const keep = async (): Promise<void> => {
      while (!signal.aborted) {
        await this.standOnce(signal).catch(() => {})
        await pause(interval, undefined, { signal })
      }
    }
    keep().catch(() => {})
  }

  private async standOnce(signal: AbortSignal): Promise<void> {
    const place = this.way.look()
    const { session } = this
    if (place === undefined || session === undefined) return
    const headers = {
      ...this.common(place),
      accept: "text/event-stream",
      "mcp-session-id": session.id,
      "mcp-protocol-version": session.revision
    }
    const response = await send(`${place.url}/mcp`, { method: "GET", headers, signal })
    if (!isStream(response)) return void response.resume()
    for await (const data of events(response)) await write(this.output, data)
  }

  /** The session ends with its pipe. */
  private async leave(): Promise<void> {
    const { session } = this
    if (session === undefined) return
    try {
      const place = this.way.look()
      if (place === undefined) return
      const headers = { ...this.common(place), "mcp-session-id": session.id, "mcp-protocol-version": session.revision }
      const signal = AbortSignal.timeout(farewell)
      const response = await send(`${place.url}/mcp`, { method: "DELETE", headers, signal })
      response.resume()
    } catch {
      // the service forgets it by itself in time
    }
  }
}

/** What another attempt would not cure. */
class Refused extends Error {}

const isAnswerTo = (data: string, request: string | number | undefined): boolean => {
  if (request === undefined || !/"(?:result|error)"/.test(data)) return false
  const message = JSON.parse(data) as { readonly id?: unknown; readonly method?: unknown }
  return message.id === request && message.method === undefined
}

/** The answer as it came; one that could not name its request, or is none, is made to. */
const answered = (text: string, request: string | number, status: number): string => {
  try {
    const value = JSON.parse(text) as { readonly id?: unknown }
    return value.id === request ? text : JSON.stringify({ ...value, id: request })
  } catch {
    return failure(request, internalError, `The service answered ${status}: ${text.slice(0, 200)}`)
  }
}
