/**
 * Requests to the service this page came from. A refusal is a `Failure` that says what the service said.
 */
import type { ErrorBody } from "@coppice/api/ApiError"
import * as ServerClock from "./ServerClock.ts"

/** What the service could not do, in its own words; `status` 0 when nobody answered. */
export class Failure extends Error {
  readonly status: number
  readonly problem: ErrorBody

  constructor(status: number, problem: ErrorBody) {
    super(problem.message)
    this.status = status
    this.problem = problem
  }
}

const unreachable = (): Failure =>
  new Failure(0, { code: "unreachable", message: "The service does not answer", fix: "Is it still running?" })

const unintelligible = (status: number): Failure =>
  new Failure(status, { code: "unintelligible", message: `The service answered with status ${status}` })

export type Query = Readonly<Record<string, string | number | boolean | ReadonlyArray<string> | undefined>>

/** A query string with its `?`, or nothing. */
export const queryOf = (query: Query): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text === "" ? "" : `?${text}`
}

/** The address of something below a task. */
export const taskPath = (id: string, rest = ""): string => `/tasks/${encodeURIComponent(id)}${rest}`

const listeners = new Set<() => void>()

/** Calls back whenever the service no longer knows who this is. */
export const onSignedOut = (listener: () => void): () => void => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const read = async <A>(response: Response): Promise<A> => {
  if (response.ok) return response.status === 204 ? undefined as A : await response.json() as A
  if (response.status === 401) { for (const listener of listeners) listener() }
  const body = await response.json().catch(() => undefined) as { readonly error?: ErrorBody } | undefined
  throw body?.error === undefined ? unintelligible(response.status) : new Failure(response.status, body.error)
}

const request = async <A>(path: string, init: RequestInit): Promise<A> => {
  const response = await fetch(`/api/v1${path}`, { ...init, credentials: "same-origin", redirect: "error" }).catch(
    (error: unknown) => {
      throw error instanceof DOMException && error.name === "AbortError" ? error : unreachable()
    }
  )
  ServerClock.note(response.headers.get("date"))
  return read<A>(response)
}

/** Reads. */
export const get = <A>(path: string, query: Query = {}, signal?: AbortSignal): Promise<A> =>
  request<A>(path + queryOf(query), signal === undefined ? {} : { signal })

/** Changes something. */
export const send = <A>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<A> =>
  request<A>(
    path,
    body === undefined
      ? { method }
      : { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } }
  )

/** What to tell a person about anything that went wrong. */
export const problemOf = (error: unknown): ErrorBody =>
  error instanceof Failure
    ? error.problem
    : { code: "unexpected", message: error instanceof Error ? error.message : String(error) }
