/**
 * The part of MCP that is not about tasks: tools listed, prompts, resources, completions.
 *
 * The SDK carries it; what is registered here is the same for every revision, but for a tool's descriptor.
 */
import type { Server, ServerContext } from "@modelcontextprotocol/server"
import { UriTemplate } from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import type { Complete, Offer, Prompt, Resource, ResourceTemplate } from "../../Offer.ts"
import type { Calls } from "./Calls.ts"
import type { Run } from "./Runner.ts"
import { descriptor, type Revision } from "./tool.ts"
import type { Tools } from "./Tools.ts"
import { invalid, WireError } from "./wireError.ts"

/** How many rows one page of a list has. */
const pageSize = 200

/** How many suggestions one completion has (MCP: at most 100). */
const suggestions = 100

/** What the base needs to know of the service. */
export interface Surroundings {
  readonly calls: Calls
  readonly offer: Offer
  readonly revision: Revision
  readonly run: Run
  /** Writes a prompt that is an agent's work; the revision decides how it asks. */
  readonly write: (agent: string, args: JsonObject, ctx: ServerContext) => Promise<unknown>
  /** Tools beside the agents. */
  readonly tools: (ctx: ServerContext) => Tools
  readonly records: ReadonlyArray<ResourceTemplate>
}

const withoutUndefined = (object: object): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))

/** One page after the cursor, which only this service can make. */
const page = <A>({ calls: { seal } }: Surroundings, all: ReadonlyArray<A>, cursor: string | undefined) => {
  const opened = cursor === undefined ? "0" : seal.open("cursor", cursor)
  if (opened === undefined) throw invalid("The cursor is not one of this server's")
  const start = Number(opened)
  const end = start + pageSize
  return {
    items: all.slice(start, end),
    ...end < all.length ? { nextCursor: seal.seal("cursor", String(end)) } : {}
  }
}

const tools = (at: Surroundings, cursor: string | undefined, ctx: ServerContext) => {
  const agents = at.calls.listed().map((contract) => descriptor(contract, at.revision))
  const all = [...agents, ...at.tools(ctx).descriptors]
  const { items, ...more } = page(at, all, cursor)
  return { tools: items, ...more }
}

const promptLine = ({ arguments: args, description, name, title }: Prompt): JsonObject =>
  withoutUndefined({ name, title, description, arguments: args?.map(withoutUndefined) })

const resourceLine = ({ description, mimeType, name, title, uri }: Resource): JsonObject =>
  withoutUndefined({ uri, name, title, description, mimeType })

const templateLine = ({ description, mimeType, name, title, uriTemplate }: ResourceTemplate): JsonObject =>
  withoutUndefined({ uriTemplate, name, title, description, mimeType })

const getPrompt = async (at: Surroundings, params: JsonObject, ctx: ServerContext): Promise<unknown> => {
  const { arguments: args = {}, name } = params as { readonly name: string; readonly arguments?: JsonObject }
  const prompt = at.offer.prompts?.find((prompt) => prompt.name === name)
  if (prompt === undefined) throw invalid(`Unknown prompt: ${name}`)
  const missing = prompt.arguments?.find((argument) => argument.required === true && args[argument.name] === undefined)
  if (missing !== undefined) throw invalid(`Prompt "${name}" needs the argument "${missing.name}"`)
  if (typeof prompt.get === "string") return at.write(prompt.get, args, ctx)
  return at.run(prompt.get(args as Record<string, string>), ctx.mcpReq.signal)
}

/** There is nothing under this address: -32602 from 2026-07-28 on, before it a code of its own. */
const noResource = (uri: string, revision: Revision): WireError =>
  new WireError({
    code: revision === "2026-07-28" ? -32602 : -32002,
    message: `Resource not found: ${uri.slice(0, 200)}`,
    data: { uri: uri.slice(0, 2_000) }
  })

const variablesOf = (uriTemplate: string, uri: string): Record<string, string> | undefined => {
  const found = new UriTemplate(uriTemplate).match(uri)
  if (found === null) return undefined
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(",") : value
    ])
  )
}

const templatesOf = ({ offer, records }: Surroundings): ReadonlyArray<ResourceTemplate> => [
  ...offer.templates ?? [],
  ...records
]

const readResource = (at: Surroundings, uri: string) =>
  Effect.gen(function*() {
    const { resources = [] } = at.offer
    const resource = resources.find((resource) => resource.uri === uri)
    if (resource !== undefined) return { contents: yield* resource.read }
    for (const template of templatesOf(at)) {
      const variables = variablesOf(template.uriTemplate, uri)
      const contents = variables === undefined ? undefined : yield* template.read(uri, variables)
      if (contents !== undefined) return { contents }
    }
    return yield* noResource(uri, at.revision)
  })

interface Reference {
  readonly type: "ref/prompt" | "ref/resource"
  readonly name?: string
  readonly uri?: string
}

const completer = ({ offer }: Surroundings, ref: Reference): Complete | undefined => {
  if (ref.type === "ref/prompt") {
    const prompt = offer.prompts?.find(({ name }) => name === ref.name)
    if (prompt === undefined) throw invalid(`Unknown prompt: ${ref.name}`)
    return prompt.complete
  }
  const template = offer.templates?.find(({ uriTemplate }) => uriTemplate === ref.uri)
  if (template !== undefined) return template.complete
  if (offer.resources?.some(({ uri }) => uri === ref.uri) === true) return undefined
  throw invalid(`Unknown resource: ${ref.uri?.slice(0, 200)}`)
}

const complete = async (at: Surroundings, params: JsonObject, signal: AbortSignal) => {
  const { argument, context, ref } = params as unknown as {
    readonly ref: Reference
    readonly argument: { readonly name: string; readonly value: string }
    readonly context?: { readonly arguments?: Record<string, string> }
  }
  const find = completer(at, ref)
  const found = find === undefined
    ? []
    : await at.run(find(argument.name, argument.value, context?.arguments ?? {}), signal)
  const values = found.slice(0, suggestions)
  return { completion: { values, total: found.length, hasMore: found.length > values.length } }
}

/** The capabilities of the base. */
export const capabilitiesOf = (offer: Offer, revision: Revision): JsonObject => {
  const subscribe = revision === "2025-11-25" ? { subscribe: true } : {}
  return {
    tools: { listChanged: true },
    logging: {},
    completions: {},
    ...(offer.prompts?.length ?? 0) > 0 ? { prompts: { listChanged: true } } : {},
    resources: { ...subscribe, listChanged: true }
  }
}

type Loose = (method: string, handler: (request: { params: any }, ctx: ServerContext) => Promise<unknown>) => void

/** Registers the base on a server of the SDK. */
export const register = (server: Server, at: Surroundings): void => {
  const on = server.setRequestHandler.bind(server) as unknown as Loose
  on("tools/list", async ({ params }, ctx) => tools(at, params?.cursor, ctx))
  on("completion/complete", ({ params }, ctx) => complete(at, params, ctx.mcpReq.signal))
  const { prompts = [], resources = [] } = at.offer
  if (prompts.length > 0) {
    on("prompts/list", async ({ params }) => {
      const { items, ...more } = page(at, prompts.map(promptLine), params?.cursor)
      return { prompts: items, ...more }
    })
    on("prompts/get", ({ params }, ctx) => getPrompt(at, params, ctx))
  }
  on("resources/list", async ({ params }) => {
    const { items, ...more } = page(at, resources.map(resourceLine), params?.cursor)
    return { resources: items, ...more }
  })
  on("resources/templates/list", async ({ params }) => {
    const { items, ...more } = page(at, templatesOf(at).map(templateLine), params?.cursor)
    return { resourceTemplates: items, ...more }
  })
  on("resources/read", ({ params }, ctx) => at.run(readResource(at, params.uri), ctx.mcpReq.signal))
}
