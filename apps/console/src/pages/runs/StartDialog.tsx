/**
 * Starts a run: an agent, what it is given, and until when it has to be done.
 */
import type { Contract, Task } from "@coppice/api/Api"
import { useMutation } from "@tanstack/react-query"
import { useId, useState } from "react"
import { useLocation } from "wouter"
import { Failure, send } from "../../api/Http.ts"
import * as ServerClock from "../../api/ServerClock.ts"
import { useAgents } from "../../api/useService.ts"
import { SchemaForm } from "../../schema/SchemaForm.tsx"
import { type Errors, fromService, noErrors, validate } from "../../schema/Validation.ts"
import { initial } from "../../schema/Values.ts"
import { Button } from "../../ui/Button.tsx"
import { Dialog } from "../../ui/Dialog.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"

const minute = 60_000

const useStart = (onStarted: () => void) => {
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: (body: object) => send<Task>("POST", "/tasks", body),
    onSuccess: ({ run }) => {
      onStarted()
      navigate(`/runs/${run}`)
    }
  })
}

const isAboutInput = (error: unknown): error is Failure =>
  error instanceof Failure && error.problem.field?.startsWith("input") === true

const StartForm = ({ contract, onClose }: { readonly contract: Contract; readonly onClose: () => void }) => {
  const schema = contract.input
  const [value, setValue] = useState(() => initial(schema, schema))
  const [own, setOwn] = useState<Errors>(noErrors)
  const [minutes, setMinutes] = useState("")
  const start = useStart(onClose)
  const id = useId()
  const errors = own.size === 0 && isAboutInput(start.error) ? fromService(start.error.problem) : own
  const submit = () => {
    const found = validate(schema, value, schema)
    setOwn(found)
    if (found.size > 0) return start.reset()
    const deadline = Number(minutes) > 0 ? { deadline: Math.round(ServerClock.now() + Number(minutes) * minute) } : {}
    start.mutate({ agent: contract.name, input: value ?? null, ...deadline })
  }
  return (
    <form
      noValidate
      className="stack start-form"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <p className="muted">{contract.description}</p>
      <SchemaForm schema={schema} value={value} onChange={setValue} errors={errors} label="Input" />
      <div className="field start-deadline">
        <label htmlFor={id}>
          Deadline, minutes <span className="faint">optional</span>
        </label>
        <input
          id={id}
          className="field-input num"
          type="number"
          min={1}
          value={minutes}
          onChange={({ target }) => setMinutes(target.value)}
        />
      </div>
      {start.isError && !isAboutInput(start.error) ? <ErrorNote error={start.error} /> : null}
      <div className="dialog-actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" disabled={start.isPending}>Start</Button>
      </div>
    </form>
  )
}

export const StartDialog = ({ agent, onClose }: { readonly agent?: string; readonly onClose: () => void }) => {
  const { data, error } = useAgents()
  const [chosen, setChosen] = useState(agent ?? "")
  const id = useId()
  const contracts = data?.agents.map(({ contract }) => contract)
  const contract = contracts?.find(({ name }) => name === chosen) ??
    contracts?.find(({ kind }) => kind === "workflow") ?? contracts?.[0]
  const option = ({ name }: Contract) => <option key={name}>{name}</option>
  return (
    <Dialog title="Start a run" onClose={onClose}>
      <div className="stack">
        {error === null ? null : <ErrorNote error={error} />}
        {contracts === undefined ? <Skeleton rows={3} /> : null}
        {contracts?.length === 0
          ? <Empty title="No agent is here">Add one to the configuration of the service.</Empty>
          : null}
        {contract === undefined ? null : (
          <>
            <div className="field">
              <label htmlFor={id}>Agent</label>
              <select
                id={id}
                className="field-input"
                value={contract.name}
                onChange={({ target }) => setChosen(target.value)}
              >
                <optgroup label="Workflows">
                  {contracts?.filter(({ kind }) => kind === "workflow").map(option)}
                </optgroup>
                <optgroup label="Agents">{contracts?.filter(({ kind }) => kind === "agent").map(option)}</optgroup>
              </select>
            </div>
            <StartForm key={contract.name} contract={contract} onClose={onClose} />
          </>
        )}
      </div>
    </Dialog>
  )
}
