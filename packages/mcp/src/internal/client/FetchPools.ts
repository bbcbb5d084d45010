/**
 * The lanes to a server by way of somebody's `fetch`, which keeps connections as it likes.
 */
import { Readable } from "node:stream"
import { bounded } from "./bounded.ts"
import type { Received, Requests, Sent } from "./Pools.ts"

const bodyOf = (response: Response): Received["body"] => {
  const readable = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body)
  return Object.assign(readable, {
    text: async () => {
      const chunks: Array<Buffer> = []
      for await (const chunk of readable as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks).toString("utf8")
    },
    dump: async () => void readable.destroy()
  })
}

export class FetchPools implements Requests {
  readonly origin: string
  private readonly send: typeof globalThis.fetch
  private readonly limit: number

  /** `limit`: bytes of one message. */
  constructor(url: URL, send: typeof globalThis.fetch, limit: number) {
    this.origin = url.origin
    this.send = send
    this.limit = limit
  }

  lane() {
    return {
      request: async ({ body, headers, method, path, signal }: Sent): Promise<Received> => {
        const response = await this.send(this.origin + path, {
          method,
          headers,
          signal,
          ...body === undefined ? {} : { body }
        })
        return { statusCode: response.status, headers: Object.fromEntries(response.headers), body: bodyOf(response) }
      }
    }
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => bounded(await this.send(input, init), this.limit)

  async close(): Promise<void> {}
}
