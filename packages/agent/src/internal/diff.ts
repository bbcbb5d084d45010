/**
 * Keys of the log in the words of a person, and where code and log differ.
 */
import * as Duration from "effect/Duration"
import { OutgrownInput, type ReplayMismatch } from "../AgentError.ts"

/** Messages of questions by their keys: a key itself holds only a digest. */
type Questions = ReadonlyMap<string, string>

const longest = 100

const shorten = (text: string): string => text.length <= longest ? text : `${text.slice(0, longest - 1)}…`

const nth = (ordinal: string | undefined): string => {
  const n = Number(ordinal ?? 0)
  return n === 0 ? "" : ` (again, ${n})`
}

/** `kind:name[:input:ordinal]` as a phrase. */
export const phrase = (key: string, questions: Questions = new Map()): string => {
  const asked = questions.get(key)
  if (asked !== undefined) return shorten(`question ${JSON.stringify(asked.split("\n")[0])}`)
  const [, kind, name = "", input, ordinal] = /^(step|call):([^:]*)(?::(.*):(\d+))?$/s.exec(key) ?? []
  const what = kind === "step" ? "step" : "call of"
  if (kind !== undefined) return shorten(`${what} "${name}"${input === undefined ? "" : ` ${input}`}${nth(ordinal)}`)
  const [, millis, time] = /^timer:(\d+):(\d+)$/.exec(key) ?? []
  if (millis !== undefined) return `pause of ${Duration.format(Duration.millis(Number(millis)))}${nth(time)}`
  if (key.startsWith("steer:")) return "message from a person"
  return `question ${shorten(key)}`
}

/** What both had last, what only the log has, what only the code has. */
const diff = ({ after, recorded, waiting }: ReplayMismatch, questions: Questions): string => {
  const wanted = waiting.length === 0 ? ["nothing more"] : waiting.slice(0, 5).map((key) => phrase(key, questions))
  return [
    ...after === undefined ? [] : [`    ${phrase(after, questions)}`],
    `  - ${phrase(recorded, questions)}   (recorded, and the code does not ask for it)`,
    ...wanted.map((what) => `  + ${what}   (the code asks for it, and it is not recorded)`),
    ...waiting.length > 5 ? [`  + ${waiting.length - 5} more`] : []
  ].join("\n")
}

/** Why the code does not fit, as lines. */
export const misfitLines = (misfit: ReplayMismatch | OutgrownInput, questions: Questions): string =>
  misfit instanceof OutgrownInput
    ? `The input of this task no longer fits the contract of "${misfit.agent}".\n\n  ${misfit.detail}`
    : `The code of "${misfit.agent}" no longer fits what this task has recorded.\n\n${diff(misfit, questions)}`
