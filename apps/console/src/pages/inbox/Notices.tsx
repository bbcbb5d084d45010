import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Ago } from "../../ui/Time.tsx"
import { idOf } from "./Gone.ts"
import type { Ended } from "./useInboxPage.ts"

const most = 3

const nameOf = ({ at, question }: Ended): string => `${idOf(question)} ${at}`

/** Questions that were ended elsewhere while this page was open; what is looked at says so itself. */
export const Notices = ({ ended, selected }: {
  readonly ended: ReadonlyArray<Ended>
  readonly selected: string | undefined
}) => {
  const [read, setRead] = useState<ReadonlySet<string>>(new Set())
  const shown = ended.filter((one) =>
    one.how === "elsewhere" && idOf(one.question) !== selected && !read.has(nameOf(one))
  )
  return (
    <div
      role="log"
      aria-live="polite"
      aria-label="Ended meanwhile"
      className={shown.length === 0 ? undefined : "notices"}
    >
      {shown.slice(0, most).map((one) => (
        <div key={nameOf(one)} className="notice">
          <span className="grow">
            <span className="clip notice-line">{one.what}</span>
            <span className="clip notice-line muted">
              {one.question.agent}: {one.question.request.message}
            </span>
          </span>
          <span className="faint inbox-age">
            <Ago at={one.at} />
          </span>
        </div>
      ))}
      {shown.length === 0 ? null : (
        <Button look="quiet" small onClick={() => setRead(new Set(ended.map(nameOf)))}>
          <Icon name="check" /> {shown.length > most ? `Read, and ${shown.length - most} more` : "Read"}
        </Button>
      )}
    </div>
  )
}
