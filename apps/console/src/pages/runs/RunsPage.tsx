/**
 * All runs, newest first, as they happen.
 */
import { useCallback, useMemo, useState } from "react"
import { useLocation, useSearch } from "wouter"
import { useMay } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { useShortcut } from "../../ui/useShortcut.ts"
import { ById } from "./ById.tsx"
import { FilterBar } from "./FilterBar.tsx"
import { format, isEmpty, parse, type RunFilter } from "./RunFilter.ts"
import { RunTable } from "./RunTable.tsx"
import { StartDialog } from "./StartDialog.tsx"
import { useRuns } from "./useRuns.ts"

const useFilter = () => {
  const search = useSearch()
  const [, navigate] = useLocation()
  const filter = useMemo(() => parse(search), [search])
  const change = useCallback((next: RunFilter) => {
    const query = format(next)
    // every letter typed is no page of its own to go back to
    navigate(query === "" ? "/" : `/?${query}`, { replace: true })
  }, [navigate])
  return [filter, change] as const
}

const Nothing = ({ filter, onStart }: { readonly filter: RunFilter; readonly onStart: (() => void) | undefined }) =>
  isEmpty(filter)
    ? (
      <Empty icon="tree" title="No runs yet">
        <p>
          A run is a task and everything it calls. Start one here, with <code>coppice run</code>, or from an MCP host.
        </p>
        {onStart === undefined ? null : <Button look="primary" onClick={onStart}>Start a run</Button>}
      </Empty>
    )
    : <Empty icon="search" title="Nothing fits this filter">Take something away from it to see more.</Empty>

const Count = ({ count, isComplete, isSearching }: {
  readonly count: number
  readonly isComplete: boolean
  readonly isSearching: boolean
}) => (
  <span className="muted num" role="status">
    {count.toLocaleString()}
    {isComplete ? "" : "+"} {isSearching ? "so far, looking further…" : "shown"}
  </span>
)

export const RunsPage = () => {
  const [filter, setFilter] = useFilter()
  const [isStarting, setStarting] = useState(false)
  const mayStart = useMay("operate")
  const { error, fetchNextPage, hasNextPage, isFetching, isSearching, runs } = useRuns(filter)
  useShortcut("n", () => mayStart && setStarting(true))
  const onNearEnd = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage()
  }, [fetchNextPage, hasNextPage, isFetching])
  return (
    <main className="page page-fixed">
      <div className="page-top">
        <div className="page-head">
          <h1>{filter.roots ? "Runs" : "Tasks"}</h1>
          {runs === undefined
            ? null
            : <Count count={runs.length} isComplete={!hasNextPage} isSearching={isSearching} />}
          {mayStart
            ? (
              <Button look="primary" onClick={() => setStarting(true)}>
                <Icon name="plus" /> Start a run
              </Button>
            )
            : null}
        </div>
        <FilterBar filter={filter} onChange={setFilter} />
        {error === null ? null : <ErrorNote error={error} />}
        <ById text={filter.text} />
      </div>
      {runs === undefined && error === null ? <Skeleton rows={10} /> : null}
      {runs?.length === 0 && !isSearching
        ? <Nothing filter={filter} onStart={mayStart ? () => setStarting(true) : undefined} />
        : null}
      {runs !== undefined && runs.length > 0
        ? <RunTable runs={runs} total={hasNextPage ? undefined : runs.length} onNearEnd={onNearEnd} />
        : null}
      {isStarting ? <StartDialog onClose={() => setStarting(false)} /> : null}
    </main>
  )
}
