/**
 * The transport the SDK's client sees: it shares one with us, and gets what we do not take.
 *
 * Capabilities differ by revision: an `initialize` declares tasks as 2025-11-25 does, everything else the extension.
 */
import type { JSONRPCMessage, Transport, TransportSendOptions } from "@modelcontextprotocol/client"
import { isObject, type JsonObject, type RpcMessage, toMessage } from "./rpc.ts"

export interface MuxOptions {
  readonly inner: Transport
  /** True when the message was ours. */
  readonly take: (message: RpcMessage) => boolean
  readonly closed: () => void
  /** What `initialize` declares. */
  readonly legacyCapabilities: JsonObject
}

export class Mux implements Transport {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport["onmessage"]
  readonly hasPerRequestStream: boolean
  private readonly options: MuxOptions

  constructor(options: MuxOptions) {
    this.options = options
    const { inner } = options
    this.hasPerRequestStream = inner.hasPerRequestStream === true
    Object.assign(inner, {
      onmessage: (message: JSONRPCMessage) => {
        const known = toMessage(message)
        if (known === undefined || !options.take(known)) this.onmessage?.(message)
      },
      onerror: (error: Error) => this.onerror?.(error),
      onclose: () => {
        options.closed()
        this.onclose?.()
      }
    })
  }

  get sessionId(): string | undefined {
    return this.options.inner.sessionId
  }

  setProtocolVersion(version: string): void {
    this.options.inner.setProtocolVersion?.(version)
  }

  start(): Promise<void> {
    return this.options.inner.start()
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    return this.options.inner.send(this.declared(message), options)
  }

  close(): Promise<void> {
    return this.options.inner.close()
  }

  private declared(message: JSONRPCMessage): JSONRPCMessage {
    if (!("method" in message) || message.method !== "initialize" || !isObject(message.params)) return message
    return { ...message, params: { ...message.params, capabilities: this.options.legacyCapabilities } }
  }
}

/** The SDK tells a child process by these members: on a pipe, silence means an old server. */
export class StdioMux extends Mux {
  readonly stderr = null
  readonly pid = null
}
