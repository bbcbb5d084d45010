import type { Task } from "@coppice/api/Api"
import { useMutation } from "@tanstack/react-query"
import { useState } from "react"
import { useLocation } from "wouter"
import { queryOf, send, taskPath } from "../../../api/Http.ts"
import { Button } from "../../../ui/Button.tsx"
import { Dialog } from "../../../ui/Dialog.tsx"
import { ErrorNote } from "../../../ui/Note.tsx"

/** Does an ended task again, from where it failed or from the beginning. */
export const RetryDialog = ({ onClose, task }: { readonly task: Task; readonly onClose: () => void }) => {
  const [fresh, setFresh] = useState(false)
  const [, navigate] = useLocation()
  const retry = useMutation({
    mutationFn: () => send<Task>("POST", taskPath(task.id, `/retry${queryOf({ fresh: fresh ? true : undefined })}`)),
    onSuccess: ({ run }) => {
      onClose()
      navigate(`/runs/${run}`)
    }
  })
  return (
    <Dialog title={`Do ${task.agent} again?`} onClose={onClose}>
      <div className="stack">
        <p className="muted">A new run with the same input. This one stays as it is.</p>
        <div className="radios radios-down" role="radiogroup" aria-label="From where">
          <label className="radio">
            <input type="radio" name="fresh" checked={!fresh} onChange={() => setFresh(false)} />
            Use what its steps and calls had returned
          </label>
          <label className="radio">
            <input type="radio" name="fresh" checked={fresh} onChange={() => setFresh(true)} />
            Do everything again
          </label>
        </div>
        {retry.isError ? <ErrorNote error={retry.error} /> : null}
        <div className="dialog-actions">
          <Button onClick={onClose}>Close</Button>
          <Button look="primary" disabled={retry.isPending} onClick={() => retry.mutate()}>Retry</Button>
        </div>
      </div>
    </Dialog>
  )
}
