/**
 * Whether something happened that nobody has seen end, as a question to a person, and what the answer says.
 */
import type { Json, JsonObject } from "effect/Schema"
import type { InputRequest, InputResponse } from "./TaskEvent.ts"

const prefix = "outcome_unknown:"

/** No agent's question has a key like this: names have no colon, and other keys begin with `ask:` or `remote:`. */
export const isOutcomeKey = (key: string): boolean => key.startsWith(prefix)

/** The key of the question about the `run`-th time something was about to be done; `again`: answers that did not fit. */
export const outcomeKey = (what: string, run: number, again: number): string =>
  `${prefix}${what}:${run}${again === 0 ? "" : `.${again}`}`

/** Whether a question is about that run. */
export const isAbout = (key: string, what: string, run: number): boolean => {
  const first = outcomeKey(what, run, 0)
  return key === first || key.startsWith(`${first}.`)
}

const choices: ReadonlyArray<{ readonly const: string; readonly title: string }> = [
  { const: "did_happen", title: "It happened: take the result" },
  { const: "did_not_happen", title: "It did not happen: do it" },
  { const: "give_up", title: "Nobody can tell: fail" }
]

const form: JsonObject = {
  type: "object",
  properties: {
    outcome: { type: "string", title: "What became of it", oneOf: choices as never },
    result: { type: "string", title: "Its result as JSON, when it happened", description: "Empty means null" }
  },
  required: ["outcome"]
}

/** The question whether it happened. */
export const question = (key: string, message: string): InputRequest => ({
  key,
  mode: "form",
  message,
  schema: form,
  url: null,
  deadline: null,
  about: "outcome_unknown"
})

export type Outcome =
  | { readonly _tag: "Happened"; readonly result: Json }
  | { readonly _tag: "DidNotHappen" }
  | { readonly _tag: "GivenUp"; readonly by: string }
  | { readonly _tag: "Unreadable"; readonly problem: string }

/** What a person's answer says. Whoever declines or dismisses the question cannot tell either. */
export const outcomeOf = ({ action, by, content }: InputResponse): Outcome => {
  const { outcome, result } = (action === "accept" ? content : {}) as {
    readonly outcome?: Json
    readonly result?: Json
  }
  if (outcome === "did_not_happen") return { _tag: "DidNotHappen" }
  if (outcome !== "did_happen") return { _tag: "GivenUp", by }
  if (typeof result !== "string" || result.trim() === "") return { _tag: "Happened", result: null }
  try {
    return { _tag: "Happened", result: JSON.parse(result) }
  } catch {
    return { _tag: "Unreadable", problem: "the result is not JSON" }
  }
}
