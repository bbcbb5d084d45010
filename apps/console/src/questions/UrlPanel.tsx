/**
 * A page a person is to open. Nothing of it is loaded before the click, and the page learns nothing of this one.
 */
import { Button } from "../ui/Button.tsx"
import { CopyButton } from "../ui/CopyButton.tsx"
import { Icon } from "../ui/Icon.tsx"
import { Note } from "../ui/Note.tsx"
import { inspect, whole } from "./WebAddress.ts"

export const UrlPanel = ({ url }: { readonly url: string }) => {
  const address = inspect(url)
  if (address === undefined) {
    return (
      <Note tone="bad">
        This is no address of a web page, so it cannot be opened from here: <code>{url}</code>
      </Note>
    )
  }
  const { after, before, host, warnings } = address
  return (
    <div className="url-panel">
      <p className="url-text" aria-label={`The address ${whole(address)}, on the host ${host}`}>
        <span className="faint">{before}</span>
        <strong className="url-host">{host}</strong>
        <span className="muted">{after}</span>
      </p>
      {warnings.length === 0 ? null : (
        <Note tone="waiting">
          <strong>Look twice before you open this.</strong>
          {warnings.map((warning) => <span key={warning} className="note-fix">{warning}</span>)}
        </Note>
      )}
      <div className="row">
        <Button onClick={() => window.open(whole(address), "_blank", "noopener,noreferrer")}>
          <Icon name="exit" /> Open <strong>{host}</strong> in a new tab
        </Button>
        <CopyButton text={whole(address)} label="Copy the address" />
      </div>
    </div>
  )
}
