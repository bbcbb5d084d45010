/**
 * Ways to a server, as raw as they are: POST with its answer as JSON or as server-sent events, and lines of a pipe.
 */
import type { Readable, Writable } from "node:stream"
import type { Arrived, Message, Via } from "./Inbox.ts"

/** What an HTTP answer says of itself. */
export interface Head {
  readonly status: number
  readonly type: string
  readonly headers: Headers
}

interface Sent {
  /** `undefined` over a pipe, which has no heads. */
  readonly head: Promise<Head | undefined>
  /** Goes away without waiting for the answer. */
  readonly leave: () => void
}

export interface Link {
  readonly kind: "http" | "stdio"
  readonly send: (message: Message, headers?: Readonly<Record<string, string>>) => Sent
  /** Opens a standing stream; resolves when it stands. Nothing to do over a pipe. */
  readonly stand: (headers?: Readonly<Record<string, string>>) => Promise<Sent>
  readonly close: () => void
}

type Listener = (at: Arrived) => void

/** The messages of a stream of events, as they come. */
const readEvents = async (body: ReadableStream<Uint8Array>, tell: (message: Message) => void): Promise<void> => {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const frames = text.split("\n\n")
    text = frames.pop() ?? ""
    for (const frame of frames) {
      const data = frame.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart())
      if (data.join("") !== "") tell(JSON.parse(data.join("\n")))
    }
  }
}

const read = async (response: Response, tell: (message: Message) => void): Promise<void> => {
  if (response.headers.get("content-type")?.includes("text/event-stream") === true) {
    return readEvents(response.body!, tell)
  }
  const text = await response.text()
  if (text !== "") [JSON.parse(text)].flat().forEach(tell)
}

/** One address; `authorization` says who comes. */
export const http = (url: string, authorization: string | undefined, listener: Listener): Link => {
  const open = new Set<AbortController>()
  const own: Record<string, string> = authorization === undefined ? {} : { authorization }
  const begin = (init: RequestInit & { readonly headers: Record<string, string> }, via: Via): Sent => {
    const controller = new AbortController()
    open.add(controller)
    const head = fetch(url, { ...init, signal: controller.signal }).then((response) => {
      const over = () => open.delete(controller)
      // a stream that breaks off is what some cases are about; whoever misses its messages waits in vain
      read(response, (message) => listener({ message, via })).then(over, over)
      return { status: response.status, type: response.headers.get("content-type") ?? "", headers: response.headers }
    })
    head.catch(() => {})
    return { head, leave: () => controller.abort() }
  }
  return {
    kind: "http",
    send: (message, headers = {}) =>
      begin({
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...own,
          ...headers
        },
        body: JSON.stringify(message)
      }, message.id ?? ""),
    stand: async (headers = {}) => {
      const sent = begin({ method: "GET", headers: { accept: "text/event-stream", ...own, ...headers } }, "standing")
      await sent.head
      return sent
    },
    close: () => {
      for (const controller of open) controller.abort()
    }
  }
}

/** A pipe: one message, one line. A request is left by saying so. */
export const stdio = (input: Readable, output: Writable, listener: Listener): Link => {
  let text = ""
  input.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (text + chunk).split("\n")
    text = lines.pop() ?? ""
    for (const line of lines) listener({ message: JSON.parse(line), via: "pipe" })
  })
  const write = (message: Message): void => void output.write(`${JSON.stringify(message)}\n`)
  return {
    kind: "stdio",
    send: (message) => {
      write(message)
      return {
        head: Promise.resolve(undefined),
        leave: () => write({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: message.id } })
      }
    },
    stand: () => Promise.resolve({ head: Promise.resolve(undefined), leave: () => {} }),
    close: () => output.end()
  }
}
