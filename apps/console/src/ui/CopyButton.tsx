import { useState } from "react"
import { Icon } from "./Icon.tsx"

/** Copies a text and says so. */
export const CopyButton = ({ label, text }: { readonly text: string; readonly label: string }) => {
  const [copied, setCopied] = useState(false)
  return (
    <button
      type="button"
      className="copy"
      aria-label={copied ? "Copied" : label}
      title={copied ? "Copied" : label}
      onBlur={() => setCopied(false)}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true), () => setCopied(false))}
    >
      <Icon name={copied ? "check" : "copy"} />
    </button>
  )
}
