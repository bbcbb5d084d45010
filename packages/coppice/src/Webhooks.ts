/**
 * Webhooks of a configuration: who is told of questions over HTTP, and how the receiver knows that it was this service.
 *
 * An address is chosen by whoever writes the configuration, never by data of a task; loopback and private networks are
 * therefore allowed, and a redirect is not followed. Answer links travel in the messages, so that an address outside the
 * operator's own networks has to be `https`.
 */
import { type Person, unknownAmong } from "@coppice/task/People"
import * as Redacted from "effect/Redacted"
import { isIPv4, isIPv6 } from "node:net"

/** What a webhook may be told of. `expired`: nobody answered in time; `ended`: a whole run has ended. */
export const webhookEvents = [
  "asked",
  "reminded",
  "escalated",
  "delegated",
  "answered",
  "withdrawn",
  "expired",
  "ended"
] as const
export type WebhookEvent = typeof webhookEvents[number]

/** One of them. */
export interface WebhookOptions {
  /** `https`, or `http` to this machine or a private network; redacted when the address itself is a secret. */
  readonly url: string | Redacted.Redacted
  /**
   * What messages are signed with, as Standard Webhooks has it: `whsec_` and base64 of 24 to 64 bytes, or any text of 24
   * characters and more. The name of the environment variable that has it, or the secret itself, redacted.
   */
  readonly secret: string | Redacted.Redacted
  /** [all but `ended`] */
  readonly events?: ReadonlyArray<WebhookEvent> | undefined
  /**
   * The people, or `@role`s, its receiver reaches: it hears only of questions one of them may answer, and gets an answer
   * link for each of them. [every question; with people in the configuration no links]
   */
  readonly to?: ReadonlyArray<string> | undefined
  /** How they reach this service: what links begin with. Its host has to be among `allowedHosts`. [where it listens] */
  readonly service?: string | undefined
}

/** By name. */
export type Webhooks = { readonly [name: string]: WebhookOptions }

/** A webhook, checked. */
export interface Webhook {
  readonly name: string
  readonly url: Redacted.Redacted
  readonly key: Redacted.Redacted<Uint8Array>
  readonly events: ReadonlySet<WebhookEvent>
  readonly to: ReadonlyArray<string> | undefined
  readonly service: string | undefined
}

const refuse = (field: string, problem: string): never => {
  throw new TypeError(`webhooks.${field}: ${problem}`)
}

const textOf = (value: string | Redacted.Redacted): string => typeof value === "string" ? value : Redacted.value(value)

const isPrivateV4 = (host: string): boolean => /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(host)

const isPrivateV6 = (host: string): boolean => host === "::1" || /^f[cd]/i.test(host)

/** This machine, a private network, or a name only such a network has. */
const isNear = (host: string): boolean => {
  if (isIPv4(host)) return isPrivateV4(host)
  if (isIPv6(host)) return isPrivateV6(host)
  return !host.includes(".") || /\.(internal|local|localhost|home\.arpa)$/.test(host)
}

const urlProblem = (text: string): string | undefined => {
  if (!URL.canParse(text)) return "is no URL; write one such as https://example.test/hook"
  const { hostname, password, protocol, username } = new URL(text)
  if (protocol !== "https:" && protocol !== "http:") return "has to begin with https:// or http://"
  if (username !== "" || password !== "") return "carries a name or a password; put them into its path, or use a relay"
  return protocol === "https:" || isNear(hostname.replace(/^\[|\]$/g, ""))
    ? undefined
    : "has to be https: answer links travel in the messages (http is for this machine and private networks)"
}

const checkService = (name: string, service: string | undefined): string | undefined => {
  if (service === undefined) return undefined
  if (!URL.canParse(service) || !/^https?:\/\/[^/?#@]+\/?$/.test(service)) {
    return refuse(`${name}.service`, "has to be an origin such as https://coppice.example.test")
  }
  return service.replace(/\/$/, "")
}

/** The bytes of a secret. */
const keyOf = (field: string, secret: string): Uint8Array => {
  if (!secret.startsWith("whsec_")) {
    return secret.length < 24 ? refuse(field, "has fewer than 24 characters") : Buffer.from(secret, "utf8")
  }
  const base64 = secret.slice("whsec_".length)
  const key = Buffer.from(base64, "base64")
  const isWhole = /^[A-Za-z0-9+/]+=*$/.test(base64) && key.length >= 24 && key.length <= 64
  return isWhole ? key : refuse(field, "has to be whsec_ and the base64 of 24 to 64 bytes")
}

const secretOf = (name: string, secret: string | Redacted.Redacted, environment: Environment): Uint8Array => {
  const field = `${name}.secret`
  if (typeof secret !== "string") return keyOf(field, Redacted.value(secret))
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(secret) || secret.startsWith("whsec_")) {
    return refuse(field, "has to be the name of an environment variable, or Redacted.make(…)")
  }
  const found = environment[secret]
  return found === undefined || found === ""
    ? refuse(field, `the environment has no ${secret}`)
    : keyOf(field, found)
}

type Environment = Readonly<Record<string, string | undefined>>

const checked = (
  name: string,
  { events, secret, service, to, url }: WebhookOptions,
  people: ReadonlyMap<string, Person>,
  environment: Environment
): Webhook => {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    refuse(name, "a name has 1 to 64 characters of A–Z, a–z, 0–9, _ - .")
  }
  const problem = urlProblem(textOf(url))
  if (problem !== undefined) refuse(`${name}.url`, problem)
  const wrong = events?.find((event) => !webhookEvents.includes(event))
  if (wrong !== undefined) refuse(`${name}.events`, `there is no "${wrong}"; use ${webhookEvents.join(", ")}`)
  const strange = unknownAmong(people, to ?? [])
  if (strange.length > 0) refuse(`${name}.to`, `nobody of the configuration's people is ${strange.join(", ")}`)
  return {
    name,
    url: Redacted.make(textOf(url), { label: `webhook ${name}` }),
    key: Redacted.make(secretOf(name, secret, environment), { label: `secret of webhook ${name}` }),
    events: new Set(events ?? webhookEvents.filter((event) => event !== "ended")),
    to,
    service: checkService(name, service)
  }
}

/** The webhooks as they are used. Throws a `TypeError` that names what cannot be; no secret stands in it. */
export const toWebhooks = (
  webhooks: Webhooks,
  people: ReadonlyMap<string, Person>,
  environment: Environment
): ReadonlyArray<Webhook> =>
  Object.entries(webhooks).map(([name, options]) => checked(name, options, people, environment))
