/**
 * A form made of a JSON Schema: one field for every part of it, and its text for whoever prefers that.
 *
 * The value is the caller's. `errors` are by path (`files.2.path`); each stands below its field, the others on top.
 */
import { useId, useState } from "react"
import { Note } from "../ui/Note.tsx"
import { Field } from "./Field.tsx"
import { JsonInput } from "./JsonInput.tsx"
import type { JsonObject } from "./JsonSchema.ts"
import type { Errors } from "./Validation.ts"
import type { Value } from "./Values.ts"

export interface SchemaFormProps {
  readonly schema: JsonObject
  readonly value: Value
  readonly onChange: (value: Value) => void
  readonly errors: Errors
  /** What the whole is, for screen readers. */
  readonly label: string
}

export const SchemaForm = ({ errors, label, onChange, schema, value }: SchemaFormProps) => {
  const [asText, setAsText] = useState(false)
  const id = useId()
  const general = errors.get("")
  return (
    <div className="schema-form" role="group" aria-label={label}>
      {general === undefined || asText ? null : <Note tone="bad">{general}</Note>}
      {asText && errors.size > 0
        ? (
          <Note tone="bad">
            {[...errors].map(([path, message]) => path === "" ? message : `${path}: ${message}`).join("; ")}
          </Note>
        )
        : null}
      {asText
        ? <JsonInput id={id} value={value} onChange={onChange} label={`${label} as JSON`} rows={14} />
        : (
          <Field
            id={id}
            path=""
            schema={schema}
            root={schema}
            value={value}
            onChange={onChange}
            errors={errors}
            required
            depth={0}
          />
        )}
      <button type="button" className="schema-toggle" aria-pressed={asText} onClick={() => setAsText(!asText)}>
        {asText ? "Edit as a form" : "Edit as JSON"}
      </button>
    </div>
  )
}
