/**
 * A response whose messages cannot grow without bound, of the class that Node itself has.
 *
 * The SDK reads whole bodies and whole events, and tells a response by its class; undici's own is another one.
 */

/** What of undici's response is needed. */
interface Received {
  readonly body: unknown
  readonly headers: Iterable<readonly [string, string]>
  readonly status: number
  readonly statusText: string
}

const lineFeed = 10

/** Counts the bytes of one message: an event ends with its line, everything else with the body. */
const counting = (limit: number, isStream: boolean): TransformStream<Uint8Array, Uint8Array> => {
  let size = 0
  return new TransformStream({
    transform: (chunk, controller) => {
      const end = isStream ? chunk.lastIndexOf(lineFeed) : -1
      size = end === -1 ? size + chunk.length : chunk.length - end
      if (size > limit) controller.error(new Error(`A message is larger than ${limit} bytes`))
      else controller.enqueue(chunk)
    }
  })
}

export const bounded = ({ body, headers, status, statusText }: Received, limit: number): Response => {
  const copied = new Headers([...headers] as Array<[string, string]>)
  const isStream = copied.get("content-type")?.startsWith("text/event-stream") === true
  const stream = body as ReadableStream<Uint8Array<ArrayBuffer>> | null
  return new Response(stream?.pipeThrough(counting(limit, isStream)) ?? null, {
    status,
    statusText,
    headers: copied
  })
}
