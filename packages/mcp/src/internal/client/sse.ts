/**
 * Reads server-sent events from chunks of text, with a bound on one event.
 *
 * Only what MCP needs: `data`, `id` and `retry`. Fields arrive split anywhere, lines end in LF, CR or CRLF.
 */

export interface SseEvent {
  readonly id: string | undefined
  readonly data: string
}

export class SseReader {
  /** The last id seen: where to resume. */
  lastId: string | undefined
  /** What the server asked to wait before reconnecting, milliseconds. */
  retry: number | undefined
  private rest = ""
  private data: Array<string> = []
  private size = 0
  private skipLf = false
  private readonly limit: number
  private readonly emit: (event: SseEvent) => void

  constructor(limit: number, emit: (event: SseEvent) => void) {
    this.limit = limit
    this.emit = emit
  }

  /** Takes the next piece. False when an event has grown beyond the limit. */
  push(chunk: string): boolean {
    let text = this.rest + chunk
    if (this.skipLf && text.startsWith("\n")) text = text.slice(1)
    this.skipLf = false
    let start = 0
    // what was kept has no line end
    let from = this.rest.length
    for (;;) {
      const end = lineEnd(text, from)
      if (end === -1) break
      this.line(text.slice(start, end))
      if (text[end] === "\r" && text[end + 1] === "\n") start = end + 2
      else {
        this.skipLf = text[end] === "\r" && end + 1 === text.length
        start = end + 1
      }
      from = start
      if (this.size > this.limit) return false
    }
    this.rest = text.slice(start)
    return this.rest.length + this.size <= this.limit
  }

  private line(line: string): void {
    if (line === "") return this.dispatch()
    if (line.startsWith(":")) return
    const colon = line.indexOf(":")
    const field = colon === -1 ? line : line.slice(0, colon)
    const raw = colon === -1 ? "" : line.slice(colon + 1)
    const value = raw.startsWith(" ") ? raw.slice(1) : raw
    if (field === "data") {
      this.data.push(value)
      this.size += value.length
    } else if (field === "id" && !value.includes("\0")) this.lastId = value
    else if (field === "retry" && /^\d{1,9}$/.test(value)) this.retry = Number(value)
  }

  private dispatch(): void {
    const { data } = this
    this.data = []
    this.size = 0
    if (data.length > 0) this.emit({ id: this.lastId, data: data.length === 1 ? data[0]! : data.join("\n") })
  }
}

const lineEnd = (text: string, from: number): number => {
  const either = /[\r\n]/g
  either.lastIndex = from
  return either.exec(text)?.index ?? -1
}
