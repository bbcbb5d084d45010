/**
 * Every fact of a task, in the order of the log, with what it carries.
 */
import type { Envelope } from "@coppice/api/Api"
import { useVirtualizer } from "@tanstack/react-virtual"
import { useEffect, useRef, useState } from "react"
import { useEvents } from "../../api/useEvents.ts"
import { duration, moment } from "../../ui/Durations.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Json } from "../../ui/Json.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { useRoving } from "../../ui/useRoving.ts"
import { textOf, toneOf } from "./EventText.ts"

const ahead = 100

const EventLine = ({ envelope: { at, event, seq }, from, isOpen, onToggle, ...focus }: {
  readonly envelope: Envelope
  readonly from: number
  readonly isOpen: boolean
  readonly onToggle: () => void
  readonly tabIndex: number
  readonly onFocus: () => void
  readonly refTo: (element: HTMLElement | null) => void
}) => (
  <>
    <button
      type="button"
      ref={focus.refTo}
      tabIndex={focus.tabIndex}
      className="event-line"
      aria-expanded={isOpen}
      onFocus={focus.onFocus}
      onClick={onToggle}
    >
      <span className={`tree-twist${isOpen ? " tree-open" : ""}`}>
        <Icon name="right" size={12} />
      </span>
      <span className="faint num event-at" title={`${moment(at)}, fact ${seq}`}>{`+${duration(at - from)}`}</span>
      <span className={`event-tag event-${toneOf(event)}`}>{event._tag}</span>
      <span className="clip muted grow">{textOf(event)}</span>
    </button>
    {isOpen
      ? (
        <div className="event-data">
          <Json value={{ seq, at, ...event }} label={`${event._tag}, fact ${seq}`} />
        </div>
      )
      : null}
  </>
)

const EventList = ({ events, onNearEnd }: {
  readonly events: ReadonlyArray<Envelope>
  readonly onNearEnd: () => void
}) => {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 30,
    getItemKey: (index) => events[index]?.seq ?? index,
    overscan: 12
  })
  const roving = useRoving(events.length, (index) => virtual.scrollToIndex(index))
  const items = virtual.getVirtualItems()
  const isNearEnd = (items.at(-1)?.index ?? 0) >= events.length - ahead
  useEffect(() => {
    if (isNearEnd) onNearEnd()
  }, [isNearEnd, onNearEnd, events.length])
  const toggle = (seq: number) => {
    const next = new Set(open)
    if (!next.delete(seq)) next.add(seq)
    setOpen(next)
  }
  return (
    <div ref={scroller} className="event-scroll" role="list" aria-label="Facts" onKeyDown={roving.onKeyDown}>
      <div className="event-canvas" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, key, start }) => {
          const envelope = events[index]!
          return (
            <div
              key={key}
              role="listitem"
              className="event"
              data-index={index}
              ref={virtual.measureElement}
              style={{ transform: `translateY(${start}px)` }}
            >
              <EventLine
                envelope={envelope}
                from={events[0]!.at}
                isOpen={open.has(envelope.seq)}
                onToggle={() => toggle(envelope.seq)}
                tabIndex={index === roving.active ? 0 : -1}
                onFocus={() => roving.setActive(index)}
                refTo={roving.refOf(index)}
              />
            </div>
          )
        })}
      </div>
    </div>
  )
}

export const EventsTab = ({ id }: { readonly id: string }) => {
  const { error, events, fetchNextPage, hasNextPage, isFetching } = useEvents(id)
  if (error !== null) {
    return (
      <div className="tab-pad">
        <ErrorNote error={error} />
      </div>
    )
  }
  if (events === undefined) return <Skeleton rows={8} />
  if (events.length === 0) return <Empty title="No facts" />
  const onNearEnd = () => {
    if (hasNextPage && !isFetching) void fetchNextPage()
  }
  return (
    <div className="events">
      <p className="events-count muted num" role="status">
        {events.length.toLocaleString()}
        {hasNextPage ? "+ facts, more as you scroll" : " facts"}
      </p>
      <EventList events={events} onNearEnd={onNearEnd} />
    </div>
  )
}
