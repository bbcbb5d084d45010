import { ChoiceInput } from "./ChoiceInput.tsx"
import type { InputProps } from "./FieldProps.ts"

const yesOrNo = {
  kind: "choice",
  choices: [{ title: "Yes", value: true }, { title: "No", value: false }],
  title: undefined,
  description: undefined,
  nullable: false
} as const

/** A box to tick; where nobody has to answer, neither is an answer, too. */
export const BooleanInput = ({ described, id, onChange, required, value }: InputProps<"boolean">) =>
  required
    ? (
      <span className="row">
        <input
          id={id}
          type="checkbox"
          checked={value === true}
          onChange={({ target }) => onChange(target.checked)}
          aria-describedby={described["aria-describedby"]}
        />
        <span className="muted" aria-hidden="true">{value === true ? "Yes" : "No"}</span>
      </span>
    )
    : <ChoiceInput {...{ described, field: yesOrNo, id, onChange, required, value }} />
