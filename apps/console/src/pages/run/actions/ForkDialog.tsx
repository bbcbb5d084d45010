/**
 * A new run from a part of a recorded one: from some point on, with another input, or with another answer.
 */
import type { Envelope, Task } from "@coppice/api/Api"
import type { ForkRequest } from "@coppice/api/TasksApi"
import { useMutation } from "@tanstack/react-query"
import { useId, useState } from "react"
import { useLocation } from "wouter"
import { send, taskPath } from "../../../api/Http.ts"
import { useEvents } from "../../../api/useEvents.ts"
import { useAgents } from "../../../api/useService.ts"
import { JsonInput } from "../../../schema/JsonInput.tsx"
import { SchemaForm } from "../../../schema/SchemaForm.tsx"
import { noErrors } from "../../../schema/Validation.ts"
import type { Value } from "../../../schema/Values.ts"
import { Button } from "../../../ui/Button.tsx"
import { Dialog } from "../../../ui/Dialog.tsx"
import { ErrorNote } from "../../../ui/Note.tsx"
import { Skeleton } from "../../../ui/Skeleton.tsx"
import { type Answered, answered, points } from "./ForkPoints.ts"

type Change = "nothing" | "input" | "answer"

const Choice = ({ change, is, onChange, title }: {
  readonly change: Change
  readonly is: Change
  readonly title: string
  readonly onChange: (change: Change) => void
}) => (
  <label className="radio">
    <input type="radio" name="change" checked={change === is} onChange={() => onChange(is)} /> {title}
  </label>
)

const useFork = (task: Task, onClose: () => void) => {
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: (request: ForkRequest) => send<Task>("POST", taskPath(task.id, "/fork"), request),
    onSuccess: ({ run }) => {
      onClose()
      navigate(`/runs/${run}`)
    }
  })
}

interface Draft {
  readonly at: string
  readonly change: Change
  readonly input: Value
  readonly key: string
  readonly content: Value
}

const requestOf = ({ at, change, content, input, key }: Draft): ForkRequest => ({
  ...at === "" ? {} : { at },
  ...change === "input" ? { input: (input ?? null) as never } : {},
  ...change === "answer" ? { answer: { key, content: (content ?? null) as never } } : {}
})

const Difference = ({ answers, draft, onChange, task }: {
  readonly task: Task
  readonly draft: Draft
  readonly answers: ReadonlyArray<Answered>
  readonly onChange: (change: Partial<Draft>) => void
}) => {
  const id = useId()
  const contract = useAgents().data?.agents.find(({ contract }) => contract.name === task.agent)?.contract
  const { change, content, input, key } = draft
  const choose = (change: Change) => onChange({ change })
  return (
    <fieldset className="field field-group">
      <legend>What is different</legend>
      <div className="radios">
        <Choice is="nothing" title="nothing" change={change} onChange={choose} />
        <Choice is="input" title="its input" change={change} onChange={choose} />
        {answers.length === 0 ? null : <Choice is="answer" title="an answer" change={change} onChange={choose} />}
      </div>
      {change !== "input" ? null : contract === undefined
        ? <JsonInput id={`${id}-input`} label="Input as JSON" value={input} onChange={(input) => onChange({ input })} />
        : (
          <SchemaForm
            schema={contract.input}
            value={input}
            onChange={(input) => onChange({ input })}
            errors={noErrors}
            label="Input"
          />
        )}
      {change !== "answer" ? null : (
        <div className="stack">
          <select
            className="field-input"
            aria-label="Question"
            value={key}
            onChange={({ target }) => onChange({ key: target.value })}
          >
            {answers.map((answer) => <option key={answer.key} value={answer.key}>{answer.message}</option>)}
          </select>
          <JsonInput
            id={`${id}-answer`}
            label="Answer as JSON"
            value={content}
            onChange={(content) => onChange({ content })}
          />
        </div>
      )}
    </fieldset>
  )
}

const ForkForm = ({ events, onClose, task }: {
  readonly task: Task
  readonly events: ReadonlyArray<Envelope>
  readonly onClose: () => void
}) => {
  const id = useId()
  const fork = useFork(task, onClose)
  const answers = answered(events)
  const [draft, setDraft] = useState((): Draft => {
    const first = events[0]?.event
    const input = first?._tag === "Created" ? first.input as Value : undefined
    return { at: "", change: "nothing", input, key: answers[0]?.key ?? "", content: {} }
  })
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change })
  return (
    <form
      noValidate
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        fork.mutate(requestOf(draft))
      }}
    >
      <p className="muted">A new run that takes over what was recorded before a point, and does the rest anew.</p>
      <div className="field">
        <label htmlFor={id}>Anew from</label>
        <select id={id} className="field-input" value={draft.at} onChange={({ target }) => set({ at: target.value })}>
          <option value="">the first thing that changes</option>
          {points(events).map((point) => <option key={point.at} value={point.at}>{point.title}</option>)}
        </select>
      </div>
      <Difference task={task} draft={draft} answers={answers} onChange={set} />
      {fork.isError ? <ErrorNote error={fork.error} /> : null}
      <div className="dialog-actions">
        <Button onClick={onClose}>Close</Button>
        <Button type="submit" look="primary" disabled={fork.isPending}>Fork</Button>
      </div>
    </form>
  )
}

export const ForkDialog = ({ onClose, task }: { readonly task: Task; readonly onClose: () => void }) => {
  const { error, events } = useEvents(task.id)
  return (
    <Dialog title={`Fork ${task.agent}`} onClose={onClose}>
      {error === null ? null : <ErrorNote error={error} />}
      {events === undefined ? <Skeleton rows={4} /> : <ForkForm task={task} events={events} onClose={onClose} />}
    </Dialog>
  )
}
