/**
 * How the tasks of a run are shown: as a tree or along time, all of them or those that fit a text.
 */
import { useRef } from "react"
import { Button } from "../../ui/Button.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { useShortcut } from "../../ui/useShortcut.ts"

export type View = "tree" | "timeline"

export const TreeTools = ({ onAll, onText, onView, text, view }: {
  readonly view: View
  readonly onView: (view: View) => void
  readonly text: string
  readonly onText: (text: string) => void
  readonly onAll: (open: boolean) => void
}) => {
  const search = useRef<HTMLInputElement>(null)
  useShortcut("/", () => search.current?.focus())
  const choice = (name: View, title: string) => (
    <button
      type="button"
      aria-pressed={view === name}
      onClick={() => onView(name)}
    >
      {title}
    </button>
  )
  return (
    <div className="tree-tools">
      <div className="segments" role="group" aria-label="View">
        {choice("tree", "Tree")}
        {choice("timeline", "Timeline")}
      </div>
      <div className="search grow">
        <Icon name="search" />
        <input
          ref={search}
          className="field-input"
          type="search"
          aria-label="Find a task"
          placeholder="Find a task"
          value={text}
          onChange={({ target }) => onText(target.value)}
        />
        <span className="kbd" aria-hidden="true">/</span>
      </div>
      <Button look="quiet" small onClick={() => onAll(true)}>Open all</Button>
      <Button look="quiet" small onClick={() => onAll(false)}>Close all</Button>
    </div>
  )
}
