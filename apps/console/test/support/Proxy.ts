/**
 * A TCP proxy between a browser and the service, so that the network can fail while both live.
 */
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

export class Proxy {
  /** Whom it passes everything on to; nobody while it is `undefined`. */
  target: number | undefined
  private readonly sockets = new Set<Socket>()
  private readonly server = createServer((client) => {
    if (this.target === undefined) return void client.resetAndDestroy()
    const server = connect(this.target, "127.0.0.1")
    for (const socket of [client, server]) {
      this.sockets.add(socket)
      socket.on("error", () => {}).once("close", () => {
        this.sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server).pipe(client)
  })

  static async open(): Promise<Proxy> {
    const proxy = new Proxy()
    proxy.server.listen(0, "127.0.0.1")
    await once(proxy.server, "listening")
    return proxy
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Every connection is reset, and so is every new one, until there is a target again. */
  cut(): void {
    this.target = undefined
    for (const socket of this.sockets) socket.resetAndDestroy()
  }

  close(): void {
    this.cut()
    this.server.close()
  }
}
