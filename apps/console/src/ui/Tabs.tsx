/**
 * Panels of which one is shown. The arrow keys go from tab to tab.
 */
import { type KeyboardEvent, type ReactNode, useId, useRef } from "react"

export interface Tab {
  readonly name: string
  readonly title: ReactNode
  readonly panel: () => ReactNode
}

export const Tabs = ({ current, label, onChange, tabs }: {
  readonly tabs: ReadonlyArray<Tab>
  readonly current: string
  readonly onChange: (name: string) => void
  readonly label: string
}) => {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const at = Math.max(0, tabs.findIndex(({ name }) => name === current))
  const shown = tabs[at]!
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const next = (at + step + tabs.length) % tabs.length
    onChange(tabs[next]!.name)
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus()
  }
  return (
    <>
      <div ref={list} className="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ name, title }) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            className="tab"
            aria-selected={name === shown.name}
            aria-controls={`${id}-panel`}
            tabIndex={name === shown.name ? 0 : -1}
            onClick={() => onChange(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        id={`${id}-panel`}
        className="tab-panel"
        role="tabpanel"
        aria-labelledby={`${id}-${shown.name}`}
        tabIndex={-1}
      >
        {shown.panel()}
      </div>
    </>
  )
}
