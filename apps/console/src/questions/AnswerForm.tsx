/**
 * The answer to one question: its form, and the three things a person may do with it.
 */
import type { InputRequest } from "@coppice/api/Api"
import { type ReactNode, useState } from "react"
import { Failure } from "../api/Http.ts"
import type { JsonObject } from "../schema/JsonSchema.ts"
import { SchemaForm } from "../schema/SchemaForm.tsx"
import { type Errors, fromService, noErrors, validate } from "../schema/Validation.ts"
import { initial } from "../schema/Values.ts"
import { Button } from "../ui/Button.tsx"
import { ErrorNote, Note } from "../ui/Note.tsx"
import { useAnswer } from "./useAnswer.ts"

const empty: JsonObject = { type: "object", properties: {} }

const isAboutContent = (error: unknown): error is Failure =>
  error instanceof Failure && error.problem.field === "content"

const Fields = ({ children, answer, request }: {
  readonly request: InputRequest
  readonly answer: ReturnType<typeof useAnswer>
  readonly children: ReactNode
}) => {
  const schema: JsonObject = request.schema ?? empty
  const [value, setValue] = useState(() => initial(schema, schema))
  const [own, setOwn] = useState<Errors>(noErrors)
  const errors = own.size === 0 && isAboutContent(answer.error) ? fromService(answer.error.problem) : own
  const submit = () => {
    const found = validate(schema, value, schema)
    setOwn(found)
    if (found.size > 0) return answer.reset()
    answer.mutate({ key: request.key, action: "accept", content: (value ?? {}) as never })
  }
  return (
    <form
      noValidate
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <SchemaForm schema={schema} value={value} onChange={setValue} errors={errors} label="Answer" />
      {children}
    </form>
  )
}

export const AnswerForm = ({ request, task }: { readonly task: string; readonly request: InputRequest }) => {
  const answer = useAnswer(task)
  if (request.mode === "sampling" || request.mode === "roots") {
    return <Note>Only the client that called can answer this.</Note>
  }
  const say = (action: "accept" | "decline" | "cancel") =>
    answer.mutate({ key: request.key, action, ...action === "accept" ? { content: {} } : {} })
  const actions = (
    <>
      {answer.isError && !isAboutContent(answer.error) ? <ErrorNote error={answer.error} /> : null}
      <div className="row">
        {request.mode === "form"
          ? <Button type="submit" look="primary" disabled={answer.isPending}>Answer</Button>
          : <Button look="primary" disabled={answer.isPending} onClick={() => say("accept")}>I have done that</Button>}
        <Button disabled={answer.isPending} onClick={() => say("decline")}>Decline</Button>
        <Button look="quiet" disabled={answer.isPending} onClick={() => say("cancel")}>Dismiss</Button>
      </div>
    </>
  )
  return request.mode === "form"
    ? <Fields request={request} answer={answer}>{actions}</Fields>
    : <div className="stack">{actions}</div>
}
