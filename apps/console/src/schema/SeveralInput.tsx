import type { InputProps } from "./FieldProps.ts"
import { label } from "./JsonSchema.ts"

/** Any number of values out of several. */
export const SeveralInput = ({ field: { choices }, id, onChange, value }: InputProps<"several">) => {
  const chosen = new Set((Array.isArray(value) ? value : []).map(label))
  const toggle = (at: number) => {
    const wanted = choices.filter((choice, other) =>
      other === at ? !chosen.has(label(choice.value)) : chosen.has(label(choice.value))
    )
    onChange(wanted.map((choice) => choice.value))
  }
  return (
    <div className="radios">
      {choices.map((choice, at) => (
        <label key={at} className="radio">
          <input
            id={at === 0 ? id : undefined}
            type="checkbox"
            checked={chosen.has(label(choice.value))}
            onChange={() => toggle(at)}
          />
          {choice.title}
        </label>
      ))}
    </div>
  )
}
