/**
 * Tells a running task something, or changes its limits.
 */
import type { Task } from "@coppice/api/Api"
import type { SteerRequest } from "@coppice/api/TasksApi"
import { useMutation } from "@tanstack/react-query"
import { useId, useState } from "react"
import { send, taskPath } from "../../../api/Http.ts"
import * as ServerClock from "../../../api/ServerClock.ts"
import { Button } from "../../../ui/Button.tsx"
import { Dialog } from "../../../ui/Dialog.tsx"
import { ErrorNote } from "../../../ui/Note.tsx"

interface Draft {
  readonly message: string
  readonly priority: string
  readonly minutes: string
  readonly subtree: boolean
}

const nothing: Draft = { message: "", priority: "", minutes: "", subtree: false }

const requestOf = ({ message, minutes, priority, subtree }: Draft): SteerRequest => ({
  ...message === "" ? {} : { message },
  ...priority === "" ? {} : { priority: Math.round(Number(priority)) },
  ...Number(minutes) > 0 ? { deadline: Math.round(ServerClock.now() + Number(minutes) * 60_000) } : {},
  ...subtree ? { subtree } : {}
})

export const SteerDialog = ({ onClose, task }: { readonly task: Task; readonly onClose: () => void }) => {
  const [draft, setDraft] = useState(nothing)
  const id = useId()
  const steer = useMutation({
    mutationFn: () => send<Task>("POST", taskPath(task.id, "/steer"), requestOf(draft)),
    onSuccess: onClose
  })
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change })
  const isEmpty = draft.message === "" && draft.priority === "" && draft.minutes === ""
  return (
    <Dialog title={`Steer ${task.agent}`} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          steer.mutate()
        }}
      >
        <div className="field">
          <label htmlFor={`${id}-message`}>Message</label>
          <p className="field-about">Read by the code of the task when it next looks.</p>
          <textarea
            id={`${id}-message`}
            className="field-input"
            maxLength={65_536}
            value={draft.message}
            onChange={({ target }) => set({ message: target.value })}
          />
        </div>
        <div className="two">
          <div className="field">
            <label htmlFor={`${id}-priority`}>Priority, now {task.spec.priority}</label>
            <input
              id={`${id}-priority`}
              className="field-input num"
              type="number"
              min={-1_000}
              max={1_000}
              value={draft.priority}
              onChange={({ target }) => set({ priority: target.value })}
            />
          </div>
          <div className="field">
            <label htmlFor={`${id}-deadline`}>Deadline, minutes from now</label>
            <input
              id={`${id}-deadline`}
              className="field-input num"
              type="number"
              min={1}
              value={draft.minutes}
              onChange={({ target }) => set({ minutes: target.value })}
            />
          </div>
        </div>
        <label className="radio">
          <input type="checkbox" checked={draft.subtree} onChange={() => set({ subtree: !draft.subtree })} />
          Everything below it, too
        </label>
        {steer.isError ? <ErrorNote error={steer.error} /> : null}
        <div className="dialog-actions">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" disabled={isEmpty || steer.isPending}>Tell it</Button>
        </div>
      </form>
    </Dialog>
  )
}
