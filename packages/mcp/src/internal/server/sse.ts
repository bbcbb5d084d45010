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
  if (response.headers.get("content-type")?.includes("text/event-stream") !== true) return response
  const messages = dataOf(await response.text())
  const headers = new Headers(response.headers)
  headers.set("content-type", "application/json")
  return new Response(JSON.stringify(messages.at(-1)), { status: response.status, headers })
}

/** The same response, which tells when it has been read to its end, or (`isGone`) its reader has gone away before. */
export const watched = (response: Response, onEnd: (isGone: boolean) => void): Response => {
  if (response.body === null) return response
  const reader = response.body.getReader()
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await reader.read()
      if (!done) return controller.enqueue(value)
      onEnd(false)
      controller.close()
    },
    cancel: (reason) => {
      onEnd(true)
      return reader.cancel(reason)
    }
  }, { highWaterMark: 0 })
  return new Response(body, { status: response.status, headers: response.headers })
}
