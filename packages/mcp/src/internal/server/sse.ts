/**
 * Messages out of server-sent events that this process wrote itself: whole frames, one message each.
 */

/** The messages of a text of whole frames. */
export const dataOf = (text: string): Array<unknown> =>
  text.split("\n\n").flatMap((frame) =>
    frame.split("\n").filter((line) => line.startsWith("data: ") && line.length > 6).map((line) =>
      JSON.parse(line.slice(6))
    )
  )

/** A response that is one stream of events, as the one message it carries; what is no stream stays as it is. */
export const toJson = async (response: Response): Promise<Response> => {
  if (!isStream(response)) return response
  const messages = dataOf(await response.text())
  const headers = new Headers(response.headers)
  headers.set("content-type", "application/json")
  return new Response(JSON.stringify(messages.at(-1)), { status: response.status, headers })
}

/** Bytes a reader may be behind before it is cut off. */
export const mostBehind = 4 * 1024 * 1024

/** Passes on what comes, as fast as it comes; `false` once the reader is too far behind. */
const pump = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: ReadableStreamDefaultController<Uint8Array>
): Promise<boolean> => {
  while (true) {
    const { done, value } = await reader.read()
    if (done) return true
    if ((controller.desiredSize ?? 0) <= 0) return false
    controller.enqueue(value)
  }
}

/**
 * The same stream, which tells when it has come to its end, or (`isGone`) its reader has gone away before. The SDK keeps
 * what nobody reads without a bound; here a reader that takes too little is gone.
 */
export const watched = (response: Response, onEnd: (isGone: boolean) => void): Response => {
  if (response.body === null) return response
  const reader = response.body.getReader()
  let isOver = false
  const over = (isGone: boolean): void => {
    if (isOver) return
    isOver = true
    onEnd(isGone)
  }
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const end = (isComplete: boolean): void => {
        if (isOver) return
        over(!isComplete)
        if (isComplete) return controller.close()
        controller.error(new Error("The reader is too far behind"))
        reader.cancel().catch(() => {})
      }
      pump(reader, controller).then(end, () => end(false))
    },
    cancel: (reason) => {
      over(true)
      return reader.cancel(reason)
    }
  }, new ByteLengthQueuingStrategy({ highWaterMark: mostBehind }))
  return new Response(body, { status: response.status, headers: response.headers })
}

export const isStream = (response: Response): boolean =>
  response.headers.get("content-type")?.includes("text/event-stream") === true
