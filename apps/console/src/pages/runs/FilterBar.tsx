/**
 * What narrows the list of runs down. `/` goes to the text.
 */
import { useRef } from "react"
import { useAgents } from "../../api/useService.ts"
import { Button } from "../../ui/Button.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { labelOf, lookOf } from "../../ui/Status.tsx"
import { useShortcut } from "../../ui/useShortcut.ts"
import { isEmpty, type RunFilter, statuses, toggled } from "./RunFilter.ts"

interface FilterBarProps {
  readonly filter: RunFilter
  readonly onChange: (filter: RunFilter) => void
}

const StatusChips = ({ filter, onChange }: FilterBarProps) => (
  <div className="chips" role="group" aria-label="Status">
    {statuses.map((status) => {
      const { icon, tone } = lookOf({ status })
      const isOn = filter.status.includes(status)
      return (
        <button
          key={status}
          type="button"
          className={`chip ${isOn ? `chip-on tone-${tone}` : ""}`}
          aria-pressed={isOn}
          onClick={() => onChange(toggled(filter, status))}
        >
          <Icon name={icon} size={13} /> {labelOf(status)}
        </button>
      )
    })}
  </div>
)

const AgentSelect = ({ filter, onChange }: FilterBarProps) => {
  const names = useAgents().data?.agents.map(({ contract }) => contract.name) ?? []
  const all = filter.agent === "" || names.includes(filter.agent) ? names : [filter.agent, ...names]
  return (
    <select
      className="field-input filter-agent"
      aria-label="Agent"
      value={filter.agent}
      onChange={({ target }) => onChange({ ...filter, agent: target.value })}
    >
      <option value="">Every agent</option>
      {all.toSorted((a, b) => a.localeCompare(b)).map((name) => <option key={name}>{name}</option>)}
    </select>
  )
}

export const FilterBar = ({ filter, onChange }: FilterBarProps) => {
  const search = useRef<HTMLInputElement>(null)
  useShortcut("/", () => search.current?.focus())
  return (
    <div className="filters" role="search">
      <div className="search">
        <Icon name="search" />
        <input
          ref={search}
          className="field-input"
          type="search"
          aria-label="Text or id"
          placeholder="Text or id"
          value={filter.text}
          onChange={({ target }) => onChange({ ...filter, text: target.value })}
        />
        <span className="kbd" aria-hidden="true">/</span>
      </div>
      <AgentSelect filter={filter} onChange={onChange} />
      <StatusChips filter={filter} onChange={onChange} />
      <label className="radio">
        <input type="checkbox" checked={!filter.roots} onChange={() => onChange({ ...filter, roots: !filter.roots })} />
        Tasks inside runs
      </label>
      {isEmpty(filter)
        ? null
        : (
          <Button look="quiet" small onClick={() => onChange({ status: [], agent: "", text: "", roots: filter.roots })}>
            <Icon name="cross" /> Clear
          </Button>
        )}
    </div>
  )
}
