import type { ReactNode } from "react"
import type { InputProps } from "./FieldProps.ts"
import type { Field, JsonObject } from "./JsonSchema.ts"
import { initial, type Value } from "./Values.ts"

/** The only alternative to `null`, without a default that would be it. */
const other = (whole: JsonObject, root: JsonObject, depth: number): Value => {
  const { default: _, ...schema } = whole
  const alternatives = (schema["anyOf"] ?? schema["oneOf"]) as ReadonlyArray<JsonObject> | undefined
  const only = alternatives?.find(({ type }) => type !== "null")
  return initial(only ?? schema, root, depth)
}

const empty: Readonly<Partial<Record<Field["kind"], Value>>> = { text: "", number: 0, object: {}, list: [], json: {} }

/** A value, or deliberately none. */
export const NullableInput = ({ children, depth, field, name, onChange, required, root, schema, value }:
  & InputProps<Field["kind"]>
  & { readonly children: ReactNode }) =>
{
  const isSet = value !== null && value !== undefined
  const begin = () => onChange(other(schema, root, depth) ?? empty[field.kind] ?? "")
  return (
    <div className="stack nullable">
      <label className="radio">
        <input
          type="checkbox"
          aria-label={`${field.title ?? name ?? "Value"}: set`}
          checked={isSet}
          onChange={() => isSet ? onChange(required ? null : undefined) : begin()}
        />
        <span className="muted">{isSet ? "set" : "not set"}</span>
      </label>
      {isSet ? children : null}
    </div>
  )
}
