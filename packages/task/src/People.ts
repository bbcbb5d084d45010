/**
 * The people of this configuration: their names, roles and rights. Nobody's secrets.
 *
 * Rights are looked up when an answer is applied, never when a question is offered: whoever has lost a right between the
 * two is refused.
 */
import * as Context from "effect/Context"
import { askedOf, type Policy, type Standing } from "./Policy.ts"

/** What a person may do: read, start and stop work, answer questions. */
export type Right = "view" | "operate" | "approve"

export const rights: ReadonlyArray<Right> = ["view", "operate", "approve"]

export interface Person {
  readonly name: string
  readonly roles: ReadonlyArray<string>
  readonly may: ReadonlyArray<Right>
}

/** Everyone by name. While it is empty, whoever gets in may everything. */
export const People = Context.Reference<ReadonlyMap<string, Person>>("@coppice/task/People", {
  defaultValue: () => new Map()
})

/** The name of the service's owner, who may everything. No person has it. */
export const owner = "local"

/** Whether a person is meant by one of these names and roles. */
export const isAmong = ({ name, roles }: Person, names: ReadonlyArray<string>): boolean =>
  names.some((one) => one === name || (one.startsWith("@") && roles.includes(one.slice(1))))

interface Asked {
  readonly deadline: number | null
  readonly policy?: Policy | undefined
}

/** Whether the person may answer the question: by its policy, and by what was delegated since. */
export const mayAnswer = (person: Person, question: Asked, standing: Standing): boolean => {
  if (!person.may.includes("approve")) return false
  const asked = askedOf(question, standing)
  return standing.delegations.reduce(
    (may, { by, to }) => to === person.name ? true : by === person.name ? false : may,
    asked === undefined || isAmong(person, asked)
  )
}

/** The names of all who may answer. */
export const answerers = (
  people: ReadonlyMap<string, Person>,
  question: Asked,
  standing: Standing
): ReadonlyArray<string> =>
  [...people.values()].filter((person) => mayAnswer(person, question, standing)).map(({ name }) => name)

/** Names and roles that mean nobody here. */
export const unknownAmong = (
  people: ReadonlyMap<string, Person>,
  names: ReadonlyArray<string>
): ReadonlyArray<string> => names.filter((name) => ![...people.values()].some((person) => isAmong(person, [name])))
