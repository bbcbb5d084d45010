import type { Task } from "@coppice/api/Api"
import type { Question } from "@coppice/api/InboxApi"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useId, useState } from "react"
import { send, taskPath } from "../api/Http.ts"
import { keys } from "../api/Keys.ts"
import { Button } from "../ui/Button.tsx"
import { ErrorNote } from "../ui/Note.tsx"

/** Gives the right to answer to somebody else. */
export const DelegateForm = ({ question: { request, task } }: { readonly question: Question }) => {
  const id = useId()
  const client = useQueryClient()
  const [to, setTo] = useState("")
  const delegate = useMutation({
    mutationFn: () => send<Task>("POST", taskPath(task, "/delegate"), { key: request.key, to: to.trim() }),
    onSuccess: () => setTo(""),
    onSettled: () => client.invalidateQueries({ queryKey: keys.inbox })
  })
  return (
    <details className="delegate">
      <summary className="muted">Let somebody else answer</summary>
      <form
        className="row delegate-form"
        onSubmit={(event) => {
          event.preventDefault()
          delegate.mutate()
        }}
      >
        <label htmlFor={id} className="hidden-visually">Who</label>
        <input
          id={id}
          className="field-input"
          placeholder="Name"
          required
          autoComplete="off"
          value={to}
          onChange={({ target }) => setTo(target.value)}
        />
        <Button type="submit" disabled={delegate.isPending}>Delegate</Button>
      </form>
      {delegate.error === null ? null : <ErrorNote error={delegate.error} />}
    </details>
  )
}
