/**
 * The people of a configuration: who may answer questions, and with which token they come.
 */
import { owner, type Person, type Right } from "@coppice/task/People"
import type * as Redacted from "effect/Redacted"

/** One of them. */
export interface PersonOptions {
  /** What `@role` in a question's `to` is compared with. [none] */
  readonly roles?: ReadonlyArray<string> | undefined
  /** `view`: read everything; `operate`: start, steer and cancel work; `approve`: answer questions. [view, approve] */
  readonly may?: ReadonlyArray<Right> | undefined
  /**
   * What they send as a bearer token, at least 16 characters: the name of the environment variable that has it, or the
   * token itself, redacted. Without one they come through no door of their own. [none]
   */
  readonly token?: string | Redacted.Redacted | undefined
}

/** By name. */
export type People = { readonly [name: string]: PersonOptions }

/** Names the runtime itself answers under. */
const reserved = new Set([owner, "console", "cli", "mcp", "policy", "parent"])

const isName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)

const refuse = (field: string, problem: string): never => {
  throw new TypeError(`people.${field}: ${problem}`)
}

const checked = (name: string, { may = ["view", "approve"], roles = [] }: PersonOptions): Person => {
  if (!isName(name)) refuse(name, "a name has 1 to 64 characters of A–Z, a–z, 0–9, _ - . and begins with none of _ - .")
  if (reserved.has(name)) refuse(name, `"${name}" is a name of the runtime's own; choose another`)
  const wrong = roles.find((role) => !isName(role))
  if (wrong !== undefined) refuse(`${name}.roles`, `"${wrong}" is no role; write it without "@", such as "lead"`)
  return { name, roles, may }
}

/** The people as questions see them. Throws a `TypeError` that names what cannot be. */
export const toPeople = (people: People): ReadonlyMap<string, Person> =>
  new Map(Object.entries(people).map(([name, options]) => [name, checked(name, options)]))
