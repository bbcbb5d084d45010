/**
 * What was said between a task and people: questions and answers, messages to it, its own log.
 */
import type { Envelope, TaskEvent } from "@coppice/api/Api"
import { useEffect } from "react"
import { useEvents } from "../../api/useEvents.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Json } from "../../ui/Json.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { Ago } from "../../ui/Time.tsx"

interface Said {
  readonly who: string
  readonly isPerson: boolean
  readonly text: string
  readonly data?: unknown
}

/** The most lines that are drawn: the last ones. */
const most = 500

/** What of a fact was said to or by somebody. */
const saidIn = (event: TaskEvent): Said | undefined => {
  switch (event._tag) {
    case "InputRequested":
      return { who: "asks", isPerson: false, text: event.request.message }
    case "InputReceived": {
      const { action, by, content } = event.response
      return { who: by, isPerson: true, text: action, ...content === null ? {} : { data: content } }
    }
    case "InputWithdrawn":
      return { who: "takes back", isPerson: false, text: `the question "${event.key}"` }
    case "Steered":
      return event.message === undefined ? undefined : { who: event.by, isPerson: true, text: event.message }
    case "Logged":
      return typeof event.data === "string"
        ? { who: event.level, isPerson: false, text: event.data }
        : { who: event.level, isPerson: false, text: "", data: event.data }
    case "Progressed":
      return event.progress.message === null
        ? undefined
        : { who: "progress", isPerson: false, text: event.progress.message }
    default:
      return undefined
  }
}

const Line = ({ envelope: { at, seq }, said: { data, isPerson, text, who } }: {
  readonly envelope: Envelope
  readonly said: Said
}) => (
  <li className={isPerson ? "said said-person" : "said"}>
    <span className="said-head">
      <strong>{who}</strong>{" "}
      <span className="faint">
        <Ago at={at} />
      </span>
    </span>
    {text === "" ? null : <p className="said-text">{text}</p>}
    {data === undefined ? null : <Json value={data} label={`what fact ${seq} carries`} />}
  </li>
)

export const ConversationTab = ({ id }: { readonly id: string }) => {
  const { error, events, fetchNextPage, hasNextPage, isFetching } = useEvents(id)
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage()
  }, [hasNextPage, isFetching, fetchNextPage])
  if (error !== null) {
    return (
      <div className="tab-pad">
        <ErrorNote error={error} />
      </div>
    )
  }
  if (events === undefined) return <Skeleton rows={5} />
  const lines = events.flatMap((envelope) => {
    const said = saidIn(envelope.event)
    return said === undefined ? [] : [{ envelope, said }]
  })
  if (lines.length === 0) {
    return (
      <Empty icon="chat" title="Nothing was said">
        Questions, answers, messages and log lines of this task stand here.
      </Empty>
    )
  }
  return (
    <div className="tab-pad">
      {lines.length > most ? <p className="muted">{`The last ${most} of ${lines.length.toLocaleString()}`}</p> : null}
      <ol className="conversation">
        {lines.slice(-most).map(({ envelope, said }) => <Line key={envelope.seq} envelope={envelope} said={said} />)}
      </ol>
    </div>
  )
}
