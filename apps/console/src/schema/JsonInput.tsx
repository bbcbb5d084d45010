import { useState } from "react"
import type { Value } from "./Values.ts"

const show = (value: Value): string => value === undefined ? "" : JSON.stringify(value, null, 2)

const read = (text: string): { readonly value: Value } | undefined => {
  if (text.trim() === "") return { value: undefined }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** Any value, as JSON. While the text is not JSON the value stays as it was. */
export const JsonInput = ({ id, label, onChange, rows = 4, value }: {
  readonly id: string
  readonly value: Value
  readonly onChange: (value: Value) => void
  readonly label?: string
  readonly rows?: number
}) => {
  const [draft, setDraft] = useState<string | undefined>()
  const text = draft ?? show(value)
  const isBad = read(text) === undefined
  return (
    <>
      <textarea
        id={id}
        className="field-input mono"
        rows={rows}
        spellCheck={false}
        aria-label={label}
        aria-invalid={isBad}
        value={text}
        onChange={({ target }) => {
          setDraft(target.value)
          const parsed = read(target.value)
          if (parsed !== undefined) onChange(parsed.value)
        }}
        onBlur={() => isBad || setDraft(undefined)}
      />
      {isBad ? <p className="field-error" role="alert">This is not JSON yet</p> : null}
    </>
  )
}
