/**
 * Cancelling: first what it would do, then how each task came to rest.
 */
import type { Task } from "@coppice/api/Api"
import type { CancelPreview, CancelReport } from "@coppice/api/TasksApi"
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useId, useState } from "react"
import { get, send, taskPath } from "../../../api/Http.ts"
import { keys } from "../../../api/Keys.ts"
import { Button } from "../../../ui/Button.tsx"
import { Dialog } from "../../../ui/Dialog.tsx"
import { ErrorNote, Note } from "../../../ui/Note.tsx"
import { Skeleton } from "../../../ui/Skeleton.tsx"
import { ReportView } from "./ReportView.tsx"

const Counts = ({ counts, title }: { readonly title: string; readonly counts: Readonly<Record<string, number>> }) => {
  const entries = Object.entries(counts).toSorted(([, a], [, b]) => b - a)
  return entries.length === 0 ? null : (
    <div>
      <h3>{title}</h3>
      <ul className="counts">
        {entries.map(([name, count]) => (
          <li key={name}>
            <span className="num">{count}</span> {name}
          </li>
        ))}
      </ul>
    </div>
  )
}

const Preview = (
  { preview: { agents, cancelled, ended, people, released, servers } }: { readonly preview: CancelPreview }
) => (
  <div className="stack">
    <p className="blast">
      <strong className="num">{cancelled.length.toLocaleString()}</strong>
      {cancelled.length === 1 ? " task stops" : " tasks stop"}
      {ended === 0 ? "" : `, ${ended.toLocaleString()} have ended and stay as they are`}
      {released.length === 0 ? "" : `, ${released.length.toLocaleString()} go on`}.
    </p>
    <div className="blast-grid">
      <Counts title="By agent" counts={agents} />
      <Counts title="On other servers" counts={servers} />
    </div>
    {people.length === 0 ? null : (
      <div>
        <h3>Questions nobody will answer</h3>
        <ul className="counts">
          {people.map(({ agent, message, task }) => (
            <li key={`${task} ${message}`}>
              <strong>{agent}</strong> {message}
            </li>
          ))}
        </ul>
      </div>
    )}
    {released.length === 0 ? null : (
      <div>
        <h3>Goes on</h3>
        <ul className="counts">
          {released.map(({ agent, below, id, rule, to }) => (
            <li key={id}>
              <strong>{agent}</strong>
              {rule === "adopt" && to !== undefined ? ` adopted by ${to}` : " by itself"}
              {below === 0 ? "" : `, with ${below} below it`}
            </li>
          ))}
        </ul>
      </div>
    )}
  </div>
)

const Ask = ({ onCancelled, onClose, task }: {
  readonly task: Task
  readonly onCancelled: () => void
  readonly onClose: () => void
}) => {
  const client = useQueryClient()
  const [reason, setReason] = useState("")
  const id = useId()
  const preview = useQuery({
    queryKey: ["preview", task.id],
    queryFn: ({ signal }) => get<CancelPreview>(taskPath(task.id, "/cancel/preview"), {}, signal),
    staleTime: 0
  })
  const cancel = useMutation({
    mutationFn: () => send<CancelReport>("POST", taskPath(task.id, "/cancel"), reason === "" ? {} : { reason }),
    onSuccess: (report) => {
      client.setQueryData(keys.report(task.id), report)
      onCancelled()
    }
  })
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        cancel.mutate()
      }}
    >
      {preview.data === undefined
        ? preview.error === null ? <Skeleton rows={4} /> : <ErrorNote error={preview.error} />
        : <Preview preview={preview.data} />}
      <div className="field">
        <label htmlFor={id}>
          Why <span className="faint">optional</span>
        </label>
        <input
          id={id}
          className="field-input"
          maxLength={4_096}
          value={reason}
          onChange={({ target }) => setReason(target.value)}
        />
      </div>
      {cancel.isError ? <ErrorNote error={cancel.error} /> : null}
      <div className="dialog-actions">
        <Button onClick={onClose}>Keep it running</Button>
        <Button type="submit" look="danger" disabled={cancel.isPending}>
          {preview.data === undefined
            ? "Cancel it"
            : `Cancel ${preview.data.cancelled.length.toLocaleString()} task${
              preview.data.cancelled.length === 1 ? "" : "s"
            }`}
        </Button>
      </div>
    </form>
  )
}

const Report = ({ onClose, task }: { readonly task: Task; readonly onClose: () => void }) => {
  const { data } = useQuery({
    queryKey: keys.report(task.id),
    queryFn: ({ signal }) => get<CancelReport>(taskPath(task.id, "/cancel"), {}, signal),
    // a server elsewhere is told again without a fact of ours
    refetchInterval: ({ state }) => state.data?.converged === true ? false : 2_000
  })
  return (
    <div className="stack">
      {data === undefined ? <Skeleton /> : (
        <>
          {data.converged
            ? <Note tone="good">Everything has come to rest.</Note>
            : (
              <Note>
                {data.totals.stopping > 0
                  ? `${data.totals.stopping} still stopping…`
                  : "A server has not answered yet; it is told again."}
              </Note>
            )}
          <ReportView report={data} />
        </>
      )}
      <div className="dialog-actions">
        <Button onClick={onClose}>Close</Button>
      </div>
    </div>
  )
}

export const CancelDialog = ({ onClose, task }: { readonly task: Task; readonly onClose: () => void }) => {
  const [isCancelled, setCancelled] = useState(task.status === "cancelled")
  return (
    <Dialog wide title={isCancelled ? `How ${task.agent} came to rest` : `Cancel ${task.agent}?`} onClose={onClose}>
      {isCancelled
        ? <Report task={task} onClose={onClose} />
        : (
          <Ask
            task={task}
            onClose={onClose}
            onCancelled={() => setCancelled(true)}
          />
        )}
    </Dialog>
  )
}
