import { CopyButton } from "./CopyButton.tsx"

/** The most of a value that is drawn at once, characters. */
const most = 100_000

/** A value as its JSON text, whatever is in it. */
export const Json = ({ label, value }: { readonly value: unknown; readonly label: string }) => {
  const text = JSON.stringify(value, null, 2) ?? "undefined"
  return (
    <div className="json">
      <div className="json-tools">
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
      <pre tabIndex={0} role="region" aria-label={label}>
        {text.length > most ? `${text.slice(0, most)}\n… ${text.length - most} more characters: copy for the rest` : text}
      </pre>
    </div>
  )
}
