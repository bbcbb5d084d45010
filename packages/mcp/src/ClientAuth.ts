/**
 * How this client proves who it is to a server: pure data, made into one of the SDK's providers when it connects.
 *
 * The SDK does the protocol: discovery, PKCE, resource indicators, issuer checks, Client ID Metadata Documents with
 * registration as the fallback, and step-up when a scope is missing. What is ours is where credentials are kept (memory,
 * or a file only its owner can read) and who opens the browser: `authorize` gets the address and brings back what the
 * authorization server sent to the redirect address.
 *
 * Credentials are kept by server and stamped with the issuer they came from; the SDK refuses them anywhere else.
 */
import {
  type AuthProvider,
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  DpopSession,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  PrivateKeyJwtProvider,
  requestJwtAuthorizationGrant,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens
} from "@modelcontextprotocol/client"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { Credentials } from "./internal/client/Credentials.ts"

/** A token somebody else looks after. */
export interface Bearer {
  readonly _tag: "Bearer"
  readonly token: Redacted.Redacted
}

/** A machine's own credentials, with a secret. */
export interface ClientSecret {
  readonly _tag: "ClientSecret"
  readonly clientId: string
  readonly secret: Redacted.Redacted
  readonly scope?: string | undefined
  /** The only authorization server that may see the secret. */
  readonly issuer?: string | undefined
}

/** A machine's own credentials, with a key that signs an assertion. */
export interface PrivateKey {
  readonly _tag: "PrivateKey"
  readonly clientId: string
  /** PEM (PKCS #8). */
  readonly key: Redacted.Redacted
  readonly algorithm?: string | undefined
  readonly scope?: string | undefined
  readonly issuer?: string | undefined
}

/** A person who signed in at the company's identity provider: its word is exchanged for a token of the server's. */
export interface Enterprise {
  readonly _tag: "Enterprise"
  readonly clientId: string
  readonly secret: Redacted.Redacted
  readonly provider: { readonly tokenEndpoint: string; readonly clientId: string }
  /** The identity provider's token for the person, fresh enough to be exchanged. */
  readonly idToken: Effect.Effect<Redacted.Redacted, unknown>
  readonly issuer?: string | undefined
}

/** A person signs in. */
export interface Person {
  readonly _tag: "Person"
  readonly redirectUrl: string
  readonly clientName: string
  /** Opens the address, and brings back the query of the redirect. */
  readonly authorize: (address: URL) => Effect.Effect<URLSearchParams, unknown>
  /** The address of this client's metadata document; used where the server allows it. */
  readonly metadataUrl?: string | undefined
  /** A registration made beforehand; it goes before everything else. */
  readonly client?: { readonly id: string; readonly secret?: Redacted.Redacted | undefined } | undefined
  readonly scope?: string | undefined
  /** Binds tokens to a key of this process, where the server can: one that is stolen is worth nothing. [false] */
  readonly dpop?: boolean | undefined
  /** Where tokens and registrations are kept; without it in memory. */
  readonly file?: string | undefined
}

export type ClientAuth = Bearer | ClientSecret | PrivateKey | Enterprise | Person

/** A provider for one connection, and what brings a person's consent back. */
export interface Authorization {
  readonly provider: AuthProvider | OAuthClientProvider
  /** The token to send now. */
  readonly token: () => Promise<string | undefined>
  /** Each request carries a proof of its own, which only the SDK can make. */
  readonly isBound: boolean
  /** Lets the person decide and returns what came back; `undefined` when nobody was asked. */
  readonly consent: () => Promise<URLSearchParams | undefined>
}

const noConsent = () => Promise.resolve(undefined)

const machine = (provider: OAuthClientProvider): Authorization => ({
  provider,
  token: async () => (await provider.tokens())?.access_token,
  isBound: false,
  consent: noConsent
})

const enterprise = ({ clientId, idToken, issuer, provider, secret }: Enterprise): OAuthClientProvider =>
  new CrossAppAccessProvider({
    clientId,
    clientSecret: Redacted.value(secret),
    ...issuer === undefined ? {} : { expectedIssuer: issuer },
    assertion: async ({ authorizationServerUrl, fetchFn, resourceUrl, scope }) => {
      const granted = await requestJwtAuthorizationGrant({
        tokenEndpoint: provider.tokenEndpoint,
        clientId: provider.clientId,
        idToken: Redacted.value(await Effect.runPromise(idToken)),
        audience: authorizationServerUrl,
        resource: resourceUrl,
        ...scope === undefined ? {} : { scope },
        fetchFn
      })
      return granted.jwtAuthGrant
    }
  })

/** What the SDK asks of somebody who signs in. */
class PersonProvider implements OAuthClientProvider {
  readonly redirectUrl: string
  readonly clientMetadata: OAuthClientMetadata
  readonly clientMetadataUrl?: string
  private readonly auth: Person
  private readonly kept: Credentials
  private verifier: string | undefined
  private expected: string | undefined
  private address: URL | undefined
  private discovery: OAuthDiscoveryState | undefined
  private key: Promise<DpopSession> | undefined
  /** There only when tokens are bound: the SDK asks for the member. */
  readonly dpop?: () => Promise<DpopSession>

  constructor(auth: Person, server: string) {
    this.auth = auth
    this.redirectUrl = auth.redirectUrl
    this.kept = new Credentials(server, auth.file)
    if (auth.dpop === true) this.dpop = () => this.key ??= DpopSession.create()
    if (auth.metadataUrl !== undefined) this.clientMetadataUrl = auth.metadataUrl
    this.clientMetadata = {
      client_name: auth.clientName,
      redirect_uris: [auth.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      ...auth.scope === undefined ? {} : { scope: auth.scope }
    }
  }

  state(): string {
    this.expected = randomBytes(16).toString("base64url")
    return this.expected
  }

  async clientInformation(): Promise<StoredOAuthClientInformation | undefined> {
    const { client } = this.auth
    if (client === undefined) return (await this.kept.read()).client
    const secret = client.secret === undefined ? {} : { client_secret: Redacted.value(client.secret) }
    return { client_id: client.id, ...secret }
  }

  saveClientInformation(client: StoredOAuthClientInformation): Promise<void> {
    return this.kept.write({ client })
  }

  async tokens(): Promise<StoredOAuthTokens | undefined> {
    return (await this.kept.read()).tokens
  }

  async saveTokens(tokens: StoredOAuthTokens): Promise<void> {
    // what was discovered holds for one sign-in: a server may move to another authorization server
    this.discovery = undefined
    await this.kept.write({ tokens })
  }

  redirectToAuthorization(address: URL): void {
    this.address = address
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier
  }

  codeVerifier(): string {
    if (this.verifier === undefined) throw new Error("No sign-in is under way: start again")
    return this.verifier
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.discovery = state
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovery
  }

  async invalidateCredentials(scope: "all" | "client" | "tokens" | "verifier" | "discovery"): Promise<void> {
    if (scope === "all" || scope === "discovery") this.discovery = undefined
    if (scope === "all" || scope === "verifier") this.verifier = undefined
    if (scope === "all" || scope === "client") await this.kept.write({ client: undefined })
    if (scope === "all" || scope === "tokens") await this.kept.write({ tokens: undefined })
  }

  async consent(): Promise<URLSearchParams | undefined> {
    const { address, expected } = this
    if (address === undefined) return undefined
    this.address = undefined
    const answer = await Effect.runPromise(this.auth.authorize(address))
    if (answer.get("state") !== expected) throw new Error("The redirect belongs to another sign-in: start again")
    this.expected = undefined
    return answer
  }
}

/** The SDK's provider for this way of signing in. */
export const toAuthorization = (auth: ClientAuth, server: string): Authorization => {
  switch (auth._tag) {
    case "Bearer": {
      const token = () => Promise.resolve(Redacted.value(auth.token))
      return { provider: { token }, token, isBound: false, consent: noConsent }
    }
    case "ClientSecret":
      return machine(
        new ClientCredentialsProvider({
          clientId: auth.clientId,
          clientSecret: Redacted.value(auth.secret),
          ...auth.scope === undefined ? {} : { scope: auth.scope },
          ...auth.issuer === undefined ? {} : { expectedIssuer: auth.issuer }
        })
      )
    case "PrivateKey":
      return machine(
        new PrivateKeyJwtProvider({
          clientId: auth.clientId,
          privateKey: Redacted.value(auth.key),
          algorithm: auth.algorithm ?? "ES256",
          ...auth.scope === undefined ? {} : { scope: auth.scope },
          ...auth.issuer === undefined ? {} : { expectedIssuer: auth.issuer }
        })
      )
    case "Enterprise":
      return machine(enterprise(auth))
    case "Person": {
      const provider = new PersonProvider(auth, server)
      return {
        provider,
        token: async () => (await provider.tokens())?.access_token,
        isBound: auth.dpop === true,
        consent: () => provider.consent()
      }
    }
  }
}
