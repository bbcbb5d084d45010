/**
 * The program the official suite drives: one scenario of its, with this package's client and nothing else.
 *
 * The suite names the scenario in the environment and gives the server's address as the last argument.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { ClientAuth } from "../../src/ClientAuth.ts"
import * as McpClient from "../../src/McpClient.ts"

const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? ""
const url = process.argv.at(-1)!

interface Given {
  readonly client_id?: string
  readonly client_secret?: string
  readonly private_key_pem?: string
  readonly signing_algorithm?: string
  readonly idp_client_id?: string
  readonly idp_id_token?: string
  readonly idp_token_endpoint?: string
  readonly toolCalls?: ReadonlyArray<{ readonly name: string; readonly arguments: Record<string, never> }>
}

const given = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as Given

/** Somebody who consents at once: the suite's authorization server redirects without asking. */
const follow = async (address: URL): Promise<URLSearchParams> => {
  const response = await fetch(address, { redirect: "manual" })
  const location = response.headers.get("location")
  if (location === null) throw new Error("The authorization server does not redirect")
  return new URL(location).searchParams
}

const person: ClientAuth = {
  _tag: "Person",
  clientName: "conformance",
  redirectUrl: "http://localhost:3000/callback",
  authorize: (address) => Effect.promise(() => follow(address)),
  metadataUrl: "https://conformance-test.local/client-metadata.json"
}

const secret = (value: string | undefined) => Redacted.make(value ?? "")

const authOf = (): ClientAuth | undefined => {
  if (!scenario.startsWith("auth/")) return undefined
  const clientId = given.client_id ?? ""
  switch (scenario) {
    case "auth/client-credentials-basic":
      return { _tag: "ClientSecret", clientId, secret: secret(given.client_secret) }
    case "auth/client-credentials-jwt":
      return {
        _tag: "PrivateKey",
        clientId,
        key: secret(given.private_key_pem),
        algorithm: given.signing_algorithm
      }
    case "auth/enterprise-managed-authorization":
      return {
        _tag: "Enterprise",
        clientId,
        secret: secret(given.client_secret),
        provider: { tokenEndpoint: given.idp_token_endpoint ?? "", clientId: given.idp_client_id ?? "" },
        idToken: Effect.succeed(secret(given.idp_id_token))
      }
    case "auth/dpop":
    case "auth/dpop-nonce":
      return { ...person, dpop: true }
    case "auth/pre-registration":
      return { ...person, client: { id: clientId, secret: secret(given.client_secret) } }
    default:
      return person
  }
}

/** Some of the suite's servers know 2026-07-28 but neither handshake; they are told apart by what they test. */
const withoutHandshake = new Set([
  "http-standard-headers",
  "http-custom-headers",
  "http-invalid-tool-headers",
  "sep-2322-client-request-state"
])

const agreed: McpClient.Agreement = {
  generation: "2026-07-28",
  version: "2026-07-28",
  capabilities: { tools: {}, resources: {}, prompts: {} },
  instructions: undefined,
  serverName: ""
}

const connect = McpClient.make({
  name: "conformance",
  endpoint: { _tag: "Http", url, auth: authOf() },
  offers: {
    elicitation: { form: true },
    sampling: scenario === "request-metadata",
    roots: scenario === "request-metadata"
  },
  ask: () => Effect.succeed(McpClient.accept(scenario === "sep-2322-client-request-state" ? { confirmed: true } : {})),
  agreed: withoutHandshake.has(scenario) ? agreed : undefined
})

type Scenario = (client: McpClient.McpClient) => Effect.Effect<unknown, McpClient.McpError>

const listTools: Scenario = (client) => client.tools

const callEach =
  (calls: ReadonlyArray<{ readonly name: string; readonly arguments: Record<string, never> }>): Scenario => (client) =>
    Effect.forEach(calls, (call) => client.run(call.name, call.arguments))

const scenarios: Record<string, Scenario> = {
  "request-metadata": (client) => client.agreement,
  tools_call: callEach([{ name: "add_numbers", arguments: { a: 5, b: 3 } as never }]),
  "elicitation-sep1034-client-defaults": callEach([{ name: "test_client_elicitation_defaults", arguments: {} }]),
  "sse-retry": callEach([{ name: "test_reconnection", arguments: {} }]),
  "http-custom-headers": callEach(given.toolCalls ?? []),
  "http-invalid-tool-headers": (client) =>
    Effect.flatMap(
      client.tools,
      (tools) => Effect.forEach(tools, ({ name }) => Effect.ignore(client.run(name, { region: "us-west1" })))
    ),
  "http-standard-headers": Effect.fnUntraced(function*(client) {
    const [tool] = yield* client.tools
    if (tool !== undefined) yield* client.run(tool.name, {})
    const { resources } = yield* client.request("resources/list")
    for (const { uri } of resources as unknown as ReadonlyArray<{ readonly uri: string }>) {
      yield* client.request("resources/read", { uri })
    }
    const { prompts } = yield* client.request("prompts/list")
    for (const { name } of prompts as unknown as ReadonlyArray<{ readonly name: string }>) {
      yield* client.request("prompts/get", { name, arguments: {} })
    }
  }),
  "sep-2322-client-request-state": Effect.fnUntraced(function*(client) {
    for (const name of ["test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_unrelated"]) {
      yield* client.run(name, {})
    }
    yield* Effect.ignore(client.run("test_mrtr_no_result_type", {}))
  }),
  "json-schema-2020-12-preservation": Effect.fnUntraced(function*(client) {
    const focal = (yield* client.tools).find(({ name }) => name === "json_schema_2020_12_tool")
    if (focal !== undefined) yield* client.run("json_schema_echo", { schema: focal.inputSchema })
  })
}

const signedIn: Scenario = (client) =>
  Effect.flatMap(client.tools, (tools) =>
    scenario.startsWith("auth/client-credentials")
      ? Effect.void
      : Effect.forEach(tools.slice(0, 1), ({ name }) => client.run(name, {})))

const chosen = scenarios[scenario] ?? (scenario.startsWith("auth/") ? signedIn : listTools)

await Effect.runPromise(Effect.scoped(Effect.flatMap(connect, chosen)))
