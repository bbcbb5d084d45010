/**
 * Finds out which revision a server speaks and agrees on it, with the SDK's client doing the talking.
 *
 * The SDK probes with `server/discover` and falls back to `initialize` by the rules: 401 and 403 are never evidence, a
 * recognised modern error stays modern, and on a pipe silence or any error means an old server.
 */
import {
  Client,
  OAuthClientFlowError,
  OAuthError,
  SdkError,
  SdkHttpError,
  UnauthorizedError
} from "@modelcontextprotocol/client"
import * as Meta from "../../Meta.ts"
import { ChildError } from "../../StdioServer.ts"
import type { Agreement } from "./Connection.ts"
import { brief, type McpErrorReason, messageOf } from "./errors.ts"
import { toReason } from "./HttpWire.ts"
import type { Mux } from "./Mux.ts"
import { isObject, type JsonObject } from "./rpc.ts"

export type Era = "modern" | "legacy"

/** What this client tells servers about itself. */
export interface Identity {
  readonly name: string
  readonly version: string
}

export interface Offers {
  readonly elicitation?: { readonly form?: boolean; readonly url?: boolean } | undefined
  readonly sampling?: boolean | undefined
  readonly roots?: boolean | undefined
}

const elicitationOf = (offers: Offers): JsonObject =>
  offers.elicitation === undefined ? {} : {
    elicitation: {
      ...offers.elicitation.form === true ? { form: { applyDefaults: true } } : {},
      ...offers.elicitation.url === true ? { url: {} } : {}
    }
  }

const shared = (offers: Offers): JsonObject => ({
  ...elicitationOf(offers),
  ...offers.sampling === true ? { sampling: {} } : {},
  ...offers.roots === true ? { roots: {} } : {}
})

/** Capabilities for 2026-07-28: tasks are an extension. */
export const modernCapabilities = (offers: Offers): JsonObject => ({
  ...shared(offers),
  extensions: { [Meta.tasksExtension]: {} }
})

/** Capabilities for 2025-11-25: this client can be asked as a task as well. */
export const legacyCapabilities = (offers: Offers): JsonObject => {
  const requests = {
    ...offers.sampling === true ? { sampling: { createMessage: {} } } : {},
    ...offers.elicitation === undefined ? {} : { elicitation: { create: {} } }
  }
  const tasks = Object.keys(requests).length === 0 ? {} : { tasks: { list: {}, cancel: {}, requests } }
  return { ...shared(offers), ...tasks }
}

export interface NegotiateOptions {
  readonly mux: Mux
  readonly identity: Identity
  readonly offers: Offers
  /** The era known from before; unknown means to probe. */
  readonly era: Era | undefined
  /** What was agreed on before, with a server of 2026-07-28: nothing is asked then. */
  readonly agreed: Agreement | undefined
  /** Milliseconds for one exchange. */
  readonly timeout: number
}

/** An agreement as the SDK wants it told. */
const adopted = ({ capabilities, version }: Agreement) => ({
  kind: "modern" as const,
  discover: {
    resultType: "complete" as const,
    supportedVersions: [version],
    capabilities,
    ttlMs: 0,
    cacheScope: "private" as const
  }
})

/** Connects; what it agreed on, and the client that has to be closed at the end. */
export const negotiate = async (options: NegotiateOptions): Promise<{ client: Client; agreement: Agreement }> => {
  const { agreed, era, identity, mux, offers, timeout } = options
  const client = new Client({ ...identity }, {
    capabilities: modernCapabilities(offers),
    versionNegotiation: { mode: era === "legacy" ? "legacy" : "auto", probe: { timeoutMs: timeout } }
  })
  const prior = agreed?.generation === "2026-07-28" ? { prior: adopted(agreed) } : {}
  await client.connect(mux, { timeout, ...prior })
  const version = client.getNegotiatedProtocolVersion() ?? "2025-11-25"
  return {
    client,
    agreement: {
      generation: version >= "2026-07-28" ? "2026-07-28" : "2025-11-25",
      version,
      capabilities: (client.getServerCapabilities() ?? {}) as JsonObject,
      instructions: client.getInstructions(),
      serverName: client.getServerVersion()?.name ?? ""
    }
  }
}

/** Whether it is the sign-in that failed. */
const isAuthorization = (error: unknown): boolean =>
  error instanceof UnauthorizedError || error instanceof OAuthClientFlowError || error instanceof OAuthError

/** Why a connection did not come about. */
export const connectReason = (error: unknown): McpErrorReason => {
  if (error instanceof ChildError) {
    return { _tag: "Unreachable", detail: messageOf(error) }
  }
  if (isAuthorization(error)) return { _tag: "Unauthorized", detail: messageOf(error) }
  if (error instanceof SdkHttpError) {
    const { status } = error.data
    if (status === 401 || status === 403) return { _tag: "Unauthorized", detail: `HTTP ${status}` }
    if (status === 429 || status === 503) return { _tag: "Busy", status, retryAfter: undefined }
    return { _tag: "Http", status, detail: messageOf(error) }
  }
  const network = toReason(isObject(error) || !(error instanceof SdkError) ? error : causeOf(error))
  if (network._tag === "Unreachable") return network
  const { code } = error as { readonly code?: unknown }
  if (typeof code === "number") {
    return { _tag: "Rpc", code, message: brief(messageOf(error)), data: undefined }
  }
  // nothing was asked of the server yet, so nothing can have run
  return { _tag: "Unreachable", detail: messageOf(error) }
}

const causeOf = (error: SdkError): unknown => {
  const { data } = error as { readonly data?: unknown }
  return isObject(data) && "cause" in data ? data["cause"] : error.cause ?? error
}
