import type { InputProps } from "./FieldProps.ts"
import { fieldOf, type JsonObject } from "./JsonSchema.ts"
import { initial, variantOf } from "./Values.ts"

/** What a variant is called: its title, the constant that tells it apart, or what kind of value it is. */
const nameOf = (variant: JsonObject, root: JsonObject, at: number): string => {
  const field = fieldOf(variant, root, 1)
  if (field.title !== undefined) return field.title
  if (field.kind !== "object") return field.kind
  const tags = field.properties.flatMap(({ schema }) => {
    const only = fieldOf(schema, root, 1)
    return only.kind === "choice" && only.choices.length === 1 ? [only.choices[0]!.title] : []
  })
  return tags[0] ?? `Variant ${at + 1}`
}

/** One of several shapes. */
export const VariantsInput = (
  { depth, errors, field: { variants }, id, nested, onChange, path, root, value }: InputProps<"variants">
) => {
  const at = variantOf(value, variants, root)
  return (
    <div className="stack">
      <select
        id={id}
        className="field-input"
        aria-label="Kind"
        value={at}
        onChange={({ target }) => onChange(initial(variants[Number(target.value)]!, root, depth + 1))}
      >
        {variants.map((variant, index) => <option key={index} value={index}>{nameOf(variant, root, index)}</option>)}
      </select>
      {nested({
        id: `${id}-${at}`,
        path,
        schema: variants[at]!,
        root,
        value,
        onChange,
        errors,
        required: true,
        depth: depth + 1
      })}
    </div>
  )
}
