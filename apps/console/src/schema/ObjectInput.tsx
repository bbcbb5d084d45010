import { Fragment } from "react"
import type { InputProps } from "./FieldProps.ts"
import { isObject } from "./JsonSchema.ts"
import { joined } from "./Validation.ts"
import { initial, type Value, withProperty } from "./Values.ts"

/** The fields of an object, in the order of its schema. */
export const ObjectInput = (props: InputProps<"object">) => {
  const { depth, errors, field, id, nested, onChange, path, root, value } = props
  const of = (name: string): Value => isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  // whoever fills in one field has answered the boxes beside it that begin unticked, too
  const begun = isObject(value) ? value : initial(props.schema, root, depth)
  return (
    <div className="fields">
      {field.properties.map(({ name, required, schema }) => (
        <Fragment key={name}>
          {nested({
            id: `${id}-${name}`,
            path: joined(path, name),
            schema,
            root,
            value: of(name),
            onChange: (next) => onChange(withProperty(begun, name, next)),
            errors,
            required,
            depth: depth + 1,
            name
          })}
        </Fragment>
      ))}
    </div>
  )
}
