import type { InputProps } from "./FieldProps.ts"

/** Few choices are worth seeing all at once. */
const mostRadios = 4

/** One of several values. */
export const ChoiceInput = (
  { described, field: { choices }, id, onChange, required, value }: Pick<
    InputProps<"choice">,
    "described" | "field" | "id" | "onChange" | "required" | "value"
  >
) => {
  const chosen = choices.findIndex((choice) => JSON.stringify(choice.value) === JSON.stringify(value))
  if (required && choices.length <= mostRadios) {
    return (
      <div className="radios" role="radiogroup" {...described}>
        {choices.map(({ title }, at) => (
          <label key={at} className="radio">
            <input
              id={at === 0 ? id : undefined}
              type="radio"
              name={id}
              checked={at === chosen}
              onChange={() => onChange(choices[at]!.value)}
            />
            {title}
          </label>
        ))}
      </div>
    )
  }
  return (
    <select
      id={id}
      className="field-input"
      value={chosen}
      onChange={({ target }) => onChange(choices[Number(target.value)]?.value)}
      {...described}
    >
      <option value={-1} disabled={required}>{required ? "Choose…" : "–"}</option>
      {choices.map(({ title }, at) => <option key={at} value={at}>{title}</option>)}
    </select>
  )
}
