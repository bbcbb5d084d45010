/**
 * Who comes with which token: the service's own is its owner's, and each of the configuration's people may have one.
 */
import { owner, type Person, type Right, rights } from "@coppice/task/People"
import * as People from "coppice/People"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { isSame, Token } from "./Security.ts"
import { type StartError, usage } from "./StartError.ts"

/** What whoever comes is called, and may do. */
export interface Known {
  readonly by: string
  readonly isOwner: boolean
  readonly may: ReadonlyArray<Right>
}

/** Shorter tokens can be guessed. */
const shortest = 16

interface Key {
  readonly person: Person
  readonly token: string
}

export class Callers extends Context.Service<Callers, {
  /** Whose token it is; `undefined`: nobody's. */
  readonly of: (token: string) => Known | undefined
}>()("@coppice/orchestrator/Callers") {}

const tokenOf = (
  name: string,
  given: string | Redacted.Redacted,
  environment: Readonly<Record<string, string | undefined>>
): Effect.Effect<string, StartError> => {
  const field = `people.${name}.token`
  if (typeof given === "string" && (environment[given] ?? "") === "") {
    return Effect.fail(usage(`${field}: the environment variable ${given} is not set`, "set it to their token"))
  }
  const token = typeof given === "string" ? environment[given]! : Redacted.value(given)
  return token.length >= shortest
    ? Effect.succeed(token)
    : Effect.fail(usage(`${field} is shorter than ${shortest} characters`, "make one with: openssl rand -base64 32"))
}

const keysOf = Effect.fnUntraced(function*(
  people: People.People,
  secret: string,
  environment: Readonly<Record<string, string | undefined>>
) {
  const keys: Array<Key> = []
  for (const [name, person] of People.toPeople(people)) {
    const given = people[name]?.token
    if (given === undefined) continue
    const token = yield* tokenOf(name, given, environment)
    const other = isSame(token, secret) ? owner : keys.find((key) => isSame(key.token, token))?.person.name
    if (other !== undefined) {
      return yield* usage(`people.${name}.token is the token of "${other}", too`, "give everyone a token of their own")
    }
    keys.push({ person, token })
  }
  return keys
})

/** The owner and these people. A token that the environment is to have and has not is a `StartError`. */
export const layer = (
  people: People.People = {},
  environment: Readonly<Record<string, string | undefined>> = process.env
): Layer.Layer<Callers, StartError, Token> =>
  Layer.effect(
    Callers,
    Effect.gen(function*() {
      const secret = Redacted.value(yield* Token)
      const keys = yield* keysOf(people, secret, environment)
      return {
        of: (token) => {
          if (isSame(token, secret)) return { by: owner, isOwner: true, may: rights }
          const key = keys.find((key) => isSame(token, key.token))
          return key === undefined ? undefined : { by: key.person.name, isOwner: false, may: key.person.may }
        }
      }
    })
  )
