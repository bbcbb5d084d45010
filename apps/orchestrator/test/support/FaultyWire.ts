/**
 * A TCP proxy on the way to a server, whose network can be made bad and good again.
 */
import * as Effect from "effect/Effect"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** What the network does. */
export type Fault =
  /** It passes on what it gets. */
  | "none"
  /** Nothing gets through, in either direction; what was sent arrives once it is good again. */
  | "partition"
  /** The server's side of every connection is gone, and the client's side never hears of it, not even afterwards. */
  | "half-open"
  /** What the server says is lost, and connections on which something was lost stay dumb. */
  | "mute"
  /** Everything is late. */
  | "latency"
  /** Every connection is reset, and so is every new one. */
  | "reset"
  /** Everything arrives byte by byte. */
  | "bytes"

export interface FaultyWire {
  /** Where clients connect. */
  readonly port: number
  /** Says which port of this machine is at the other end. */
  readonly aim: (port: number) => void
  readonly set: (fault: Fault) => Effect.Effect<void>
}

/** Milliseconds. */
const late = 120

/** Two sockets, and what is under way between them, in order. */
class Line {
  private readonly wire: Wire
  private readonly client: Socket
  private server: Socket | undefined
  private isDead = false
  private isMute = false

  constructor(wire: Wire, client: Socket) {
    this.wire = wire
    this.client = client
    client.on("error", () => {}).setNoDelay(true)
    this.reach().catch(() => this.reset())
  }

  private async reach(): Promise<void> {
    if (this.wire.fault === "half-open") this.isDead = true
    if (this.wire.fault === "reset") return this.reset()
    if (this.wire.fault === "partition") await this.wire.good()
    if (this.isDead || this.client.destroyed) return
    const server = connect(this.wire.target, "127.0.0.1").setNoDelay(true)
    server.on("error", () => this.reset())
    this.server = server
    this.pump(this.client, server)
    this.pump(server, this.client)
  }

  /** One direction. The end of it stands in the same queue as its bytes. */
  private pump(from: Socket, to: Socket): void {
    let queue = Promise.resolve()
    const next = (what: () => Promise<void> | void) => {
      queue = queue.then(() => this.isDead ? undefined : what()).catch(() => this.reset())
    }
    from.on("data", (bytes) => next(() => this.deliver(bytes, to)))
    from.once("close", () => next(() => this.deliver(undefined, to)))
  }

  private async deliver(bytes: Buffer | undefined, to: Socket): Promise<void> {
    const { fault } = this.wire
    if (fault === "partition") await this.wire.good()
    if (fault === "latency") await Effect.runPromise(Effect.sleep(late))
    if (fault === "mute" && to === this.client) this.isMute = true
    if (this.isDead || this.isMute && to === this.client) return
    if (bytes === undefined) return void to.destroy()
    if (fault !== "bytes") return void to.write(bytes)
    for (const byte of bytes) {
      to.write(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** The server's side goes; the client's stays as it is. */
  halve(): void {
    this.isDead = true
    this.server?.destroy()
  }

  reset(): void {
    this.isDead = true
    this.client.resetAndDestroy()
    this.server?.resetAndDestroy()
  }
}

class Wire {
  target = 0
  fault: Fault = "none"
  private readonly lines = new Set<Line>()
  private waiting: Array<() => void> = []
  readonly server = createServer((client) => {
    const line = new Line(this, client)
    this.lines.add(line)
    client.once("close", () => this.lines.delete(line))
  })

  /** Until the network is good again. */
  good(): Promise<void> {
    return this.fault === "none" ? Promise.resolve() : new Promise((resolve) => void this.waiting.push(resolve))
  }

  set(fault: Fault): void {
    this.fault = fault
    if (fault === "half-open") { for (const line of this.lines) line.halve() }
    if (fault === "reset") this.close()
    if (fault !== "none") return
    for (const go of this.waiting.splice(0)) go()
  }

  close(): void {
    for (const line of this.lines) line.reset()
  }
}

/** A good network, until it is told otherwise. */
export const make = Effect.acquireRelease(
  Effect.callback<Wire>((resume) => {
    const wire = new Wire()
    wire.server.listen(0, "127.0.0.1", () => resume(Effect.succeed(wire)))
  }),
  (wire) =>
    Effect.sync(() => {
      wire.close()
      wire.server.close()
    })
).pipe(Effect.map((wire): FaultyWire => ({
  port: (wire.server.address() as AddressInfo).port,
  aim: (port) => void (wire.target = port),
  set: (fault) => Effect.sync(() => wire.set(fault))
})))
