/**
 * The tasks of a run, as a tree or along time; both are one list with one selection.
 */
import { useCallback, useEffect, useEffectEvent, useMemo, useState } from "react"
import { useNow } from "../../ui/useNow.ts"
import { matches } from "../runs/RunFilter.ts"
import { TimeAxis } from "./TimeAxis.tsx"
import { scaleOf } from "./TimeScale.ts"
import { TreeList } from "./TreeList.tsx"
import * as TreeModel from "./TreeModel.ts"
import { TreeTools, type View } from "./TreeTools.tsx"
import { useOpen } from "./useOpen.ts"

interface TreePanelProps {
  readonly tasks: ReadonlyArray<TreeModel.TreeTask>
  readonly selected: string
  readonly onSelect: (id: string) => void
}

const useRows = (tasks: ReadonlyArray<TreeModel.TreeTask>, selected: string, text: string) => {
  const shown = useMemo(
    () => text === "" ? tasks : TreeModel.fitting(tasks, (task) => matches(text, task)),
    [tasks, text]
  )
  const nodes = useMemo(() => TreeModel.build(shown), [shown])
  const roots = useMemo(() => new Set(nodes.map(({ task }) => task.id)), [nodes])
  const isRoot = useCallback((id: string) => roots.has(id), [roots])
  const open = useOpen(isRoot, tasks.length)
  const reveal = useEffectEvent(() => open.reveal(TreeModel.above(tasks, selected)))
  // what is selected, from here or from elsewhere, is opened down to it; from then on it may be closed like any other
  useEffect(() => reveal(), [selected])
  const { isOpen } = open
  const rows = useMemo(() => TreeModel.rows(nodes, (id) => text !== "" || isOpen(id)), [nodes, isOpen, text])
  return { rows, open }
}

const useTiming = (tasks: ReadonlyArray<TreeModel.TreeTask>, view: View) => {
  const isRunning = tasks.some(({ endedAt }) => endedAt === null)
  const clock = useNow()
  // what has ended does not move with the clock
  const now = isRunning ? clock : 0
  return useMemo(() => view === "tree" ? undefined : { scale: scaleOf(tasks, now), now }, [view, tasks, now])
}

export const TreePanel = ({ onSelect, selected, tasks }: TreePanelProps) => {
  const [view, setView] = useState<View>("tree")
  const [text, setText] = useState("")
  const { open, rows } = useRows(tasks, selected, text)
  const timing = useTiming(tasks, view)
  return (
    <section className="tree-panel" aria-label="Tasks">
      <TreeTools view={view} onView={setView} text={text} onText={setText} onAll={open.all} />
      {timing === undefined ? null : <TimeAxis scale={timing.scale} />}
      <TreeList
        label={view === "tree" ? "Tasks of this run" : "Tasks of this run along time"}
        rows={rows}
        open={open}
        selected={selected}
        onSelect={onSelect}
        timing={timing}
      />
      {rows.length === 0 ? <p className="tree-none muted">No task fits.</p> : null}
    </section>
  )
}
