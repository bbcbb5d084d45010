/**
 * MCP over a pipe, both revisions: what the first message speaks decides.
 *
 * The SDK owns the connection. Only subscriptions to tasks are taken out in front of it, because its router does not know
 * them.
 */
import type { JSONRPCMessage, MessageExtraInfo, Transport } from "@modelcontextprotocol/server"
import { serveStdio, type StdioServerHandle } from "@modelcontextprotocol/server/stdio"
import * as Predicate from "effect/Predicate"
import type { JsonObject } from "effect/Schema"
import { standingOf } from "./internal/v2025_11_25/server.ts"
import * as legacy from "./internal/v2025_11_25/server.ts"
import { isTaskListen, type Listen, Subscription } from "./internal/v2026_07_28/listen.ts"
import * as modern from "./internal/v2026_07_28/server.ts"
import type { Caller, McpServer } from "./McpServer.ts"

/** How many subscriptions one connection may have. */
const mostSubscriptions = 1_000

/** A transport that keeps subscriptions to tasks to itself. */
const withTaskListen = (inner: Transport, server: McpServer["Service"], caller: Caller): Transport => {
  const subscriptions = new Map<string | number, Subscription>()
  let isClosed = false
  const send = (message: JsonObject): void => {
    inner.send(message as unknown as JSONRPCMessage).catch(() => {})
  }
  const refuse = (id: string | number, error: JsonObject) => send({ jsonrpc: "2.0", id, error })
  const listen = (message: Listen): void => {
    const capabilities = modern.declaredIn(message.params["_meta"])
    if (!modern.declaresTasks(capabilities)) return refuse(message.id, modern.lacksTasks)
    if (subscriptions.has(message.id)) {
      return refuse(message.id, { code: -32600, message: "A request with this id is under way" })
    }
    if (subscriptions.size >= mostSubscriptions) {
      return refuse(message.id, { code: -32603, message: "Subscription limit reached" })
    }
    const door = server.door(caller)
    const subscription = new Subscription(door, message.id, { send, isClosed: () => isClosed })
    subscriptions.set(message.id, subscription)
    const peer = { ...door.caller, capabilities }
    void subscription.start({}, message.params.notifications.taskIds, peer)
  }
  const taken = (message: unknown): boolean => {
    if (isTaskListen(message)) {
      listen(message)
      return true
    }
    const cancelled = Predicate.hasProperty(message, "method") && message.method === "notifications/cancelled"
      ? (message as { readonly params?: { readonly requestId?: string | number } }).params?.requestId
      : undefined
    const subscription = cancelled === undefined ? undefined : subscriptions.get(cancelled)
    subscription?.stop()
    return subscription !== undefined && subscriptions.delete(cancelled!)
  }
  const outer: Transport = {
    start: () => {
      inner.onmessage = (message: JSONRPCMessage, extra?: MessageExtraInfo) => {
        if (!taken(message)) outer.onmessage?.(message, extra)
      }
      inner.onerror = (error) => outer.onerror?.(error)
      inner.onclose = () => {
        isClosed = true
        for (const subscription of subscriptions.values()) subscription.stop()
        outer.onclose?.()
      }
      return inner.start()
    },
    send: (message, options) => inner.send(message, options),
    close: () => inner.close()
  }
  return outer
}

/** Serves one connection until it closes. */
export const serve = (server: McpServer["Service"], caller: Caller, transport: Transport): StdioServerHandle =>
  serveStdio(({ era }) => {
    const door = server.door(caller)
    if (era === "modern") return modern.make(door, undefined)
    const made = legacy.make(door)
    made.session.stand(standingOf(made.server))
    made.server.onclose = () => made.session.end()
    return made.server
  }, { transport: withTaskListen(transport, server, caller) })
