/**
 * What stands where a question was: that it is over, and who ended it.
 */
import { useEffect, useRef } from "react"
import { Link } from "wouter"
import { Button } from "../../ui/Button.tsx"
import { Icon } from "../../ui/Icon.tsx"
import type { Tone } from "../../ui/Status.tsx"
import { Ago } from "../../ui/Time.tsx"
import type { Ended } from "./useInboxPage.ts"

const titles: Readonly<Record<Ended["how"], readonly [Tone, string]>> = {
  mine: ["good", "Your answer was taken"],
  late: ["waiting", "Somebody was faster"],
  elsewhere: ["off", "This question is no longer open"]
}

export const EndedPanel = ({ ended: { at, how, question, what }, onNext }: {
  readonly ended: Ended
  readonly onNext: (() => void) | undefined
}) => {
  const ref = useRef<HTMLDivElement>(null)
  const [tone, title] = titles[how]
  // the form that had the focus is gone
  useEffect(() => ref.current?.focus(), [])
  return (
    <div ref={ref} tabIndex={-1} role="status" className="ended stack">
      <span className={`ended-icon tone-${tone}`}>
        <Icon name={how === "mine" ? "check" : how === "late" ? "bang" : "stop"} size={22} />
      </span>
      <h2>{title}</h2>
      <p>
        {what} · <Ago at={at} />
      </p>
      <blockquote className="muted ended-message">{question.request.message}</blockquote>
      <div className="row">
        {onNext === undefined ? null : <Button look="primary" onClick={onNext}>Next question</Button>}
        <Link href={`/runs/${question.run}?task=${question.task}`} className="button button-plain">See the run</Link>
      </div>
    </div>
  )
}
