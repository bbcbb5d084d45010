/**
 * Cuts chunks of bytes into lines of text, none longer than a limit.
 */
export class Lines {
  private readonly limit: number
  private readonly emit: (line: string) => void
  private chunks: Array<Buffer> = []
  private size = 0

  constructor(limit: number, emit: (line: string) => void) {
    this.limit = limit
    this.emit = emit
  }

  /** False when a line has grown beyond the limit; what was kept of it is gone then. */
  push(chunk: Buffer): boolean {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (!this.keep(chunk.subarray(start, end))) return false
      this.flush()
      start = end + 1
    }
    return this.keep(chunk.subarray(start))
  }

  private keep(part: Buffer): boolean {
    this.size += part.length
    if (this.size > this.limit) {
      this.chunks = []
      this.size = 0
      return false
    }
    if (part.length > 0) this.chunks.push(part)
    return true
  }

  private flush(): void {
    const { chunks } = this
    this.chunks = []
    this.size = 0
    const line = (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString("utf8").trim()
    if (line !== "") this.emit(line)
  }
}
