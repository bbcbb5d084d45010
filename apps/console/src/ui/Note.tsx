/**
 * Something a person should know: what went wrong and what to do about it.
 */
import type { ReactNode } from "react"
import { problemOf } from "../api/Http.ts"
import { Icon } from "./Icon.tsx"
import type { Tone } from "./Status.tsx"

export const Note = ({ children, tone = "working" }: { readonly children: ReactNode; readonly tone?: Tone }) => (
  <div className={`note tone-${tone}`} role={tone === "bad" ? "alert" : "note"}>
    <Icon name={tone === "good" ? "check" : "bang"} />
    <div className="grow">{children}</div>
  </div>
)

/** An error in the service's own words. */
export const ErrorNote = ({ error }: { readonly error: unknown }) => {
  const { field, fix, message } = problemOf(error)
  return (
    <Note tone="bad">
      {message}
      {field === undefined ? null : <span className="faint">{` (${field})`}</span>}
      {fix === undefined ? null : <span className="note-fix">{fix}</span>}
    </Note>
  )
}
