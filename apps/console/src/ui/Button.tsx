import type { ButtonHTMLAttributes } from "react"

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "plain" | "primary" | "danger" | "quiet"
  readonly small?: boolean
}

const buttonClass = (look: ButtonProps["look"] = "plain", small = false): string =>
  `button button-${look}${small ? " button-small" : ""}`

/** A button that submits nothing unless it says so. */
export const Button = ({ className = "", look, small, type = "button", ...rest }: ButtonProps) => (
  <button type={type} className={`${buttonClass(look, small)} ${className}`} {...rest} />
)
