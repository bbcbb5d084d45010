/**
 * One field of a form: its name, what it is for, its input, and what is wrong with it.
 */
import type { ReactNode } from "react"
import { BooleanInput } from "./BooleanInput.tsx"
import { ChoiceInput } from "./ChoiceInput.tsx"
import type { FieldProps, InputProps } from "./FieldProps.ts"
import { JsonInput } from "./JsonInput.tsx"
import { type Field as AnyField, fieldOf } from "./JsonSchema.ts"
import { ListInput } from "./ListInput.tsx"
import { NullableInput } from "./NullableInput.tsx"
import { NumberInput } from "./NumberInput.tsx"
import { ObjectInput } from "./ObjectInput.tsx"
import { SeveralInput } from "./SeveralInput.tsx"
import { TextInput } from "./TextInput.tsx"
import { VariantsInput } from "./VariantsInput.tsx"

/** Fields that are groups of fields name themselves by a legend, the others by a label. */
const isGroup = ({ kind }: AnyField): boolean => ["object", "list", "several", "variants"].includes(kind)

/** The input of a field whose value is not `null`. */
const input = ({ field, ...props }: InputProps<AnyField["kind"]>): ReactNode => {
  switch (field.kind) {
    case "text":
      return <TextInput {...props} field={field} />
    case "number":
      return <NumberInput {...props} field={field} />
    case "boolean":
      return <BooleanInput {...props} field={field} />
    case "choice":
      return <ChoiceInput {...props} field={field} />
    case "several":
      return <SeveralInput {...props} field={field} />
    case "list":
      return <ListInput {...props} field={field} />
    case "object":
      return <ObjectInput {...props} field={field} />
    case "variants":
      return <VariantsInput {...props} field={field} />
    case "json":
      return <JsonInput id={props.id} value={props.value} onChange={props.onChange} />
  }
}

const Named = ({ children, group, id, name, required }: {
  readonly children: ReactNode
  readonly group: boolean
  readonly id: string
  readonly name: string | undefined
  readonly required: boolean
}) => {
  if (name === undefined) return children
  const words = required ? name : (
    <>
      {name} <span className="faint">optional</span>
    </>
  )
  return group
    ? (
      <fieldset className="field field-group">
        <legend>{words}</legend>
        {children}
      </fieldset>
    )
    : (
      <div className="field">
        <label htmlFor={id}>{words}</label>
        {children}
      </div>
    )
}

/** Where the words about a field stand, for its input. */
const describedBy = (id: string, description: string | undefined, error: string | undefined) => {
  const ids = [...description === undefined ? [] : [`${id}-about`], ...error === undefined ? [] : [`${id}-error`]]
  return ids.length === 0 ? {} : { "aria-describedby": ids.join(" ") }
}

export const Field = (props: FieldProps) => {
  const { depth, errors, id, name, path, required, root, schema } = props
  const field = fieldOf(schema, root, depth)
  const error = path === "" ? undefined : errors.get(path)
  const described = {
    "aria-invalid": error !== undefined,
    "aria-required": required,
    ...describedBy(id, field.description, error)
  }
  const all: InputProps<AnyField["kind"]> = { ...props, field, described, nested: (inner) => <Field {...inner} /> }
  return (
    <Named group={isGroup(field)} id={id} name={field.title ?? name} required={required}>
      {field.description === undefined ? null : <p id={`${id}-about`} className="field-about">{field.description}</p>}
      {field.nullable
        ? <NullableInput {...all}>{input({ ...all, required: true })}</NullableInput>
        : input(all)}
      {error === undefined ? null : <p id={`${id}-error`} className="field-error" role="alert">{error}</p>}
    </Named>
  )
}
