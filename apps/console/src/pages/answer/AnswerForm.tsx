/**
 * The form of a question behind an answer link: what is asked, of whom, and the three ways to end it.
 */
import type { LinkAnswered, LinkedQuestion } from "@coppice/api/LinkApi"
import { useMutation } from "@tanstack/react-query"
import { useState } from "react"
import { Failure, send } from "../../api/Http.ts"
import { SchemaForm } from "../../schema/SchemaForm.tsx"
import { type Errors, fromService, noErrors, validate } from "../../schema/Validation.ts"
import { initial, type Value } from "../../schema/Values.ts"
import { Button } from "../../ui/Button.tsx"
import { Json } from "../../ui/Json.tsx"
import { ErrorNote } from "../../ui/Note.tsx"

export type Answered = typeof LinkAnswered.Type

export interface AnswerFormProps {
  readonly token: string
  readonly question: LinkedQuestion
  readonly onAnswered: (answered: Answered) => void
}

const noForm = { type: "object", properties: {} } as const

/** The address in full, its host apart from the rest; it opens by a click and never by itself. */
const Address = ({ url }: { readonly url: string }) => {
  const { host } = new URL(url)
  const [before, after] = [url.slice(0, url.indexOf(host)), url.slice(url.indexOf(host) + host.length)]
  return (
    <p>
      <a className="mono" href={url} target="_blank" rel="noopener noreferrer">
        {before}
        <strong>{host}</strong>
        {after}
      </a>
    </p>
  )
}

const isAddress = (url: string | null): url is string => url !== null && /^https?:\/\//i.test(url) && URL.canParse(url)

const isAboutContent = (error: unknown): error is Failure =>
  error instanceof Failure && error.problem.code === "invalid_answer"

export const AnswerForm = ({ onAnswered, question, token }: AnswerFormProps) => {
  const { approval, mode, schema, url } = question.request
  const form = schema ?? noForm
  const hasFields = mode === "form" && Object.keys(form["properties"] ?? {}).length > 0
  const [value, setValue] = useState<Value>(() => initial(form, form))
  const [own, setOwn] = useState<Errors>(noErrors)
  const answer = useMutation({
    mutationFn: (body: object) => send<Answered>("POST", "/link/answer", { token, ...body }),
    onSuccess: onAnswered
  })
  const errors = own.size === 0 && isAboutContent(answer.error) ? fromService(answer.error.problem) : own
  const accept = () => {
    if (mode !== "form") return answer.mutate({ action: "accept" })
    const found = hasFields ? validate(form, value, form) : noErrors
    setOwn(found)
    if (found.size > 0) return answer.reset()
    answer.mutate({ action: "accept", content: value ?? {} })
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        accept()
      }}
    >
      {approval === undefined ? null : <Json label={`The action: ${approval.tool}`} value={approval.arguments} />}
      {mode === "url" && isAddress(url) ? <Address url={url} /> : null}
      {hasFields
        ? <SchemaForm schema={form} value={value} onChange={setValue} errors={errors} label="Your answer" />
        : null}
      {answer.isError && !(hasFields && isAboutContent(answer.error)) ? <ErrorNote error={answer.error} /> : null}
      <div className="dialog-actions">
        <Button look="quiet" disabled={answer.isPending} onClick={() => answer.mutate({ action: "cancel" })}>
          Dismiss
        </Button>
        <Button disabled={answer.isPending} onClick={() => answer.mutate({ action: "decline" })}>Decline</Button>
        <Button look="primary" type="submit" disabled={answer.isPending}>
          {mode === "url" ? "Done" : hasFields ? "Send" : "Accept"}
        </Button>
      </div>
    </form>
  )
}
