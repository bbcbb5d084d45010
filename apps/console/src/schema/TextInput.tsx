import type { InputProps } from "./FieldProps.ts"

const types: Readonly<Record<string, string>> = {
  email: "email",
  uri: "url",
  date: "date",
  "date-time": "text",
  password: "password"
}

/** A text; empty stands for nothing where nothing is allowed. */
export const TextInput = ({ described, field, id, onChange, required, value }: InputProps<"text">) => {
  const text = typeof value === "string" ? value : ""
  const change = (next: string) => onChange(next === "" && !required ? undefined : next)
  if (field.long || text.includes("\n")) {
    return (
      <textarea
        id={id}
        className="field-input"
        value={text}
        onChange={({ target }) => change(target.value)}
        {...described}
      />
    )
  }
  return (
    <input
      id={id}
      className="field-input"
      type={types[field.format ?? ""] ?? "text"}
      placeholder={field.format === "date-time" ? "2026-01-31T09:00:00Z" : undefined}
      autoComplete="off"
      value={text}
      onChange={({ target }) => change(target.value)}
      {...described}
    />
  )
}
