/**
 * Who decided what, and whether the record of it is whole.
 */
import { useMemo } from "react"
import { useLocation, useSearch } from "wouter"
import { Button } from "../../ui/Button.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { type AuditFilter, format, kinds, parse, words } from "./AuditFilter.ts"
import { AuditTable } from "./AuditTable.tsx"
import { ChainNote } from "./ChainNote.tsx"
import { useAudit, useCheck } from "./useAudit.ts"

const useFilter = () => {
  const search = useSearch()
  const [, navigate] = useLocation()
  const filter = useMemo(() => parse(search), [search])
  const change = (part: Partial<AuditFilter>) => {
    const query = format({ ...filter, ...part })
    navigate(query === "" ? "/audit" : `/audit?${query}`, { replace: true })
  }
  return [filter, change] as const
}

const FilterBar = ({ filter, onChange }: {
  readonly filter: AuditFilter
  readonly onChange: (part: Partial<AuditFilter>) => void
}) => (
  <div className="audit-filters" role="search">
    <select
      className="field-input"
      aria-label="Decision"
      value={filter.kind}
      onChange={({ target }) => onChange({ kind: target.value as AuditFilter["kind"] })}
    >
      <option value="">Every decision</option>
      {kinds.map((kind) => <option key={kind} value={kind}>{words[kind]}</option>)}
    </select>
    <input
      className="field-input"
      type="search"
      aria-label="By whom"
      placeholder="By whom"
      value={filter.by}
      onChange={({ target }) => onChange({ by: target.value })}
    />
    <input
      className="field-input mono"
      type="search"
      aria-label="Run, by its id"
      placeholder="Run, by its id"
      spellCheck={false}
      value={filter.run}
      onChange={({ target }) => onChange({ run: target.value })}
    />
    {format(filter) === ""
      ? null
      : (
        <Button look="quiet" small onClick={() => onChange({ run: "", by: "", kind: "" })}>
          <Icon name="cross" /> Clear
        </Button>
      )}
  </div>
)

const Nothing = ({ isFiltered }: { readonly isFiltered: boolean }) =>
  isFiltered
    ? (
      <Empty icon="search" title="Nothing fits this filter">
        Names and runs are compared whole, or by their beginning.
      </Empty>
    )
    : (
      <Empty icon="clock" title="Nobody has decided anything yet">
        <p>
          Who started, answered, steered, cancelled or deleted something, and what was refused, is kept here, also after
          its run is gone.
        </p>
      </Empty>
    )

export const AuditPage = () => {
  const [filter, change] = useFilter()
  const check = useCheck()
  const { data, error, fetchNextPage, hasNewer, hasNextPage, isFetchingNextPage, toNewest } = useAudit(filter)
  const entries = data?.pages.flatMap((page) => page.entries)
  return (
    <main className="page">
      <div className="page-inner stack">
        <div className="page-head">
          <h1>Audit</h1>
          <Button onClick={() => check.mutate()} disabled={check.isPending}>
            <Icon name={check.isPending ? "ring" : "check"} spin={check.isPending} />{" "}
            {check.isPending ? "Reading all of it…" : "Verify the chain"}
          </Button>
        </div>
        <div role="status" aria-live="polite">{check.data === undefined ? null : <ChainNote check={check.data} />}</div>
        {check.error === null ? null : <ErrorNote error={check.error} />}
        <FilterBar filter={filter} onChange={change} />
        {error === null ? null : <ErrorNote error={error} />}
        {hasNewer ? <Button onClick={toNewest}>There are newer decisions: show them</Button> : null}
        {entries === undefined && error === null ? <Skeleton rows={8} /> : null}
        {entries?.length === 0 && error === null ? <Nothing isFiltered={format(filter) !== ""} /> : null}
        {entries === undefined || entries.length === 0 ? null : <AuditTable entries={entries} />}
        {hasNextPage
          ? (
            <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              {isFetchingNextPage ? "Reading…" : "Show older decisions"}
            </Button>
          )
          : null}
      </div>
    </main>
  )
}
