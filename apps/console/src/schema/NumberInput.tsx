import { useState } from "react"
import type { InputProps } from "./FieldProps.ts"

/** A number. What is typed stays as it was typed; what is no number yet is no value. */
export const NumberInput = ({ described, field, id, onChange, value }: InputProps<"number">) => {
  const [draft, setDraft] = useState<string | undefined>()
  const { integer, maximum, minimum } = field
  const isWithin = (bound: number | undefined) =>
    bound !== undefined && Number.isSafeInteger(bound) && Math.abs(bound) < 1e15
  return (
    <input
      id={id}
      className="field-input num"
      type="number"
      step={integer ? 1 : "any"}
      min={isWithin(minimum) ? minimum : undefined}
      max={isWithin(maximum) ? maximum : undefined}
      value={draft ?? (typeof value === "number" ? String(value) : "")}
      onChange={({ target }) => {
        setDraft(target.value)
        const number = target.valueAsNumber
        onChange(Number.isFinite(number) ? number : undefined)
      }}
      onBlur={() => setDraft(undefined)}
      {...described}
    />
  )
}
