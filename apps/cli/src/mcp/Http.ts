/**
 * Requests without a limit in time, over kept connections: an answer may come after days.
 */
import { Agent, type IncomingMessage, request as plain } from "node:http"
import { Agent as SecureAgent, request as secure } from "node:https"

/** Characters one event may have. */
const mostOfEvent = 32 * 1024 * 1024

const agent = new Agent({ keepAlive: true })
const secureAgent = new SecureAgent({ keepAlive: true })

export interface Sent {
  readonly method: "POST" | "GET" | "DELETE"
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal: AbortSignal
}

/** Succeeds with the head of the response. */
export const send = (url: string, { body, headers, method, signal }: Sent): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const options = { method, headers: { ...headers }, signal }
    const request = url.startsWith("https:")
      ? secure(url, { ...options, agent: secureAgent })
      : plain(url, { ...options, agent })
    request.once("response", resolve)
    request.once("error", reject)
    request.end(body)
  })

export const isStream = ({ headers }: IncomingMessage): boolean =>
  headers["content-type"]?.includes("text/event-stream") === true

/** All of a response that is no stream. */
export const textOf = async (response: IncomingMessage): Promise<string> => {
  let text = ""
  response.setEncoding("utf8")
  for await (const chunk of response) {
    text += chunk
    if (text.length > mostOfEvent) throw new Error("The response is too large")
  }
  return text
}

const dataOf = (frame: string): string =>
  frame.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""))
    .join("\n")

/** The data of every event of a stream; events without data are left out. */
export const events = async function*(response: IncomingMessage): AsyncGenerator<string> {
  let rest = ""
  response.setEncoding("utf8")
  for await (const chunk of response) {
    rest += String(chunk).replaceAll("\r", "")
    if (!rest.includes("\n\n")) {
      if (rest.length > mostOfEvent) throw new Error("An event is too large")
      continue
    }
    const frames = rest.split("\n\n")
    rest = frames.pop() ?? ""
    for (const frame of frames) {
      const data = dataOf(frame)
      if (data !== "") yield data
    }
  }
}
