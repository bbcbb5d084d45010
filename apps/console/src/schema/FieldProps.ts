/**
 * What a field of a form is given, and what its input is given in turn.
 */
import type { ReactNode } from "react"
import type { Field, JsonObject } from "./JsonSchema.ts"
import type { Errors } from "./Validation.ts"
import type { Value } from "./Values.ts"

export interface FieldProps {
  readonly id: string
  readonly path: string
  readonly schema: JsonObject
  readonly root: JsonObject
  readonly value: Value
  readonly onChange: (value: Value) => void
  readonly errors: Errors
  readonly required: boolean
  readonly depth: number
  /** Its name where it is used; the schema's title says more. */
  readonly name?: string
}

export interface InputProps<Kind extends Field["kind"]> extends FieldProps {
  readonly field: Extract<Field, { readonly kind: Kind }>
  readonly described: {
    readonly "aria-describedby"?: string
    readonly "aria-invalid": boolean
    readonly "aria-required": boolean
  }
  /** A field inside of this one. */
  readonly nested: (props: FieldProps) => ReactNode
}
