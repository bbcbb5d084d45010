import { Button } from "../ui/Button.tsx"
import { Icon } from "../ui/Icon.tsx"
import type { InputProps } from "./FieldProps.ts"
import { joined } from "./Validation.ts"
import { initial, type Value } from "./Values.ts"

/** A list: one field an entry, which can go, and one more. */
export const ListInput = (
  { depth, errors, field, id, name = "entry", nested, onChange, path, root, value }: InputProps<"list">
) => {
  const items: ReadonlyArray<Value> = Array.isArray(value) ? value : []
  const change = (next: ReadonlyArray<Value>) => onChange(next.map((item) => item ?? null))
  return (
    <div className="list">
      {items.map((item, at) => (
        <div key={at} className="list-item">
          <div className="grow">
            {nested({
              id: `${id}-${at}`,
              path: joined(path, at),
              schema: field.items,
              root,
              value: item,
              onChange: (next) => change(items.map((other, index) => index === at ? next : other)),
              errors,
              required: true,
              depth: depth + 1,
              name: `${name} ${at + 1}`
            })}
          </div>
          <Button
            look="quiet"
            small
            aria-label={`Remove ${name} ${at + 1}`}
            onClick={() => change(items.filter((_, index) => index !== at))}
          >
            <Icon name="cross" />
          </Button>
        </div>
      ))}
      {items.length < field.maxItems
        ? (
          <Button small onClick={() => change([...items, initial(field.items, root, depth + 1) ?? ""])}>
            <Icon name="plus" /> Add
          </Button>
        )
        : null}
    </div>
  )
}
