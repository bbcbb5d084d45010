/**
 * What each fact of a task is on the wire, in both revisions of MCP.
 */
import type { Message, MessagePage } from "@coppice/api/MessagesApi"
import { useInfiniteQuery } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { get, taskPath } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"
import { useFacts } from "../../live/Live.tsx"
import { Button } from "../../ui/Button.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Json } from "../../ui/Json.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { Ago } from "../../ui/Time.tsx"

type Form = "neutral" | "legacy" | "modern"

const forms: ReadonlyArray<readonly [Form, string]> = [
  ["neutral", "Neutral"],
  ["legacy", "2025-11-25"],
  ["modern", "2026-07-28"]
]

/** The messages so far. New facts of the task are read as another page behind the last one. */
const useMessages = (id: string) => {
  const query = useInfiniteQuery({
    queryKey: keys.messages(id),
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      get<MessagePage>(taskPath(id, "/messages"), { since: pageParam, limit: 500 }, signal),
    getNextPageParam: ({ next }) => next
  })
  const { data, fetchNextPage, isFetching } = query
  const more = data?.pages.at(-1)?.more === true
  const isBehind = useRef(false)
  const catchUp = () => {
    if (!isBehind.current || more || isFetching) return
    isBehind.current = false
    void fetchNextPage()
  }
  useFacts(({ all, facts }) => {
    if (all || facts.some(({ task }) => task === id)) isBehind.current = true
    catchUp()
  })
  // what came while a page was on its way
  useEffect(catchUp)
  return { ...query, more }
}

const text = (value: unknown): string => typeof value === "string" ? value : ""

/** What a JSON-RPC message is, in a word or two. */
const nameOf = (message: Readonly<Record<string, unknown>>): string =>
  text(message["method"]) || ("error" in message ? "error" : "result")

const Wire = ({ form, message }: { readonly form: Form; readonly message: Message }) => {
  if (form === "neutral") return <Json value={message.neutral} label={`${message.fact}, neutral`} />
  const messages = message[form]
  if (messages.length === 0) return <p className="muted">Nothing crosses the wire.</p>
  return messages.map((one, at) => <Json key={at} value={one} label={`${message.fact}, message ${at + 1}`} />)
}

const Line = ({ form, message, names }: {
  readonly message: Message
  readonly form: Form
  readonly names: Pick<MessagePage, "agent" | "caller">
}) => {
  const [isOpen, setOpen] = useState(false)
  const [from, to] = message.from === "caller" ? [names.caller, names.agent] : [names.agent, names.caller]
  const shown = form === "neutral" ? [message.neutral] : message[form]
  return (
    <li className="message">
      <button type="button" className="event-line" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span className={`tree-twist${isOpen ? " tree-open" : ""}`}>
          <Icon name="right" size={12} />
        </span>
        <span className="message-way clip">
          {from} <span aria-label="to">→</span> {to}
        </span>
        <span className="mono clip grow">{shown.map(nameOf).join(" · ")}</span>
        <span className="faint">
          <Ago at={message.at} />
        </span>
      </button>
      {isOpen
        ? (
          <div className="event-data stack">
            <Wire form={form} message={message} />
          </div>
        )
        : null}
    </li>
  )
}

export const MessagesTab = ({ id }: { readonly id: string }) => {
  const [form, setForm] = useState<Form>("neutral")
  const { data, error, fetchNextPage, isFetching, more } = useMessages(id)
  const first = data?.pages[0]
  if (error !== null) {
    return (
      <div className="tab-pad">
        <ErrorNote error={error} />
      </div>
    )
  }
  if (first === undefined) return <Skeleton rows={5} />
  const messages = data?.pages.flatMap((page) => page.messages) ?? []
  return (
    <div className="messages">
      <div className="messages-head">
        <div className="segments" role="group" aria-label="Revision">
          {forms.map(([name, title]) => (
            <button
              key={name}
              type="button"
              aria-pressed={form === name}
              onClick={() => setForm(name)}
            >
              {title}
            </button>
          ))}
        </div>
        <p className="muted">
          Reconstructed from the log
          {first.server === null ? "; this call stayed inside the process." : `; the work is done on ${first.server}.`}
        </p>
      </div>
      {messages.length === 0 && !more ? <Empty title="No messages" /> : null}
      <ol>{messages.map((message) => <Line key={message.seq} message={message} form={form} names={first} />)}</ol>
      {more
        ? (
          <div className="tab-pad">
            <Button disabled={isFetching} onClick={() => void fetchNextPage()}>More</Button>
          </div>
        )
        : null}
    </div>
  )
}
