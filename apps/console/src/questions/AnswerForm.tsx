/**
 * The answer to one question: its form, and the three things a person may do with it.
 */
import type { InputRequest } from "@coppice/api/Api"
import type { Answer } from "@coppice/api/InboxApi"
import { type ReactNode, useState } from "react"
import { Failure } from "../api/Http.ts"
import type { JsonObject } from "../schema/JsonSchema.ts"
import { SchemaForm } from "../schema/SchemaForm.tsx"
import { type Errors, fromService, noErrors, validate } from "../schema/Validation.ts"
import { initial } from "../schema/Values.ts"
import { Button } from "../ui/Button.tsx"
import { ErrorNote, Note } from "../ui/Note.tsx"
import { kindOf } from "./QuestionKind.ts"
import { useAnswer } from "./useAnswer.ts"
import { useShown } from "./useShown.ts"

const empty: JsonObject = { type: "object", properties: {} }

const isAboutContent = (error: unknown): error is Failure =>
  error instanceof Failure && error.problem.field === "content"

const Fields = ({ answer, children, onAccept, schema }: {
  readonly schema: JsonObject
  readonly answer: ReturnType<typeof useAnswer>
  readonly onAccept: (content: Answer["content"]) => void
  readonly children: ReactNode
}) => {
  const [value, setValue] = useState(() => initial(schema, schema))
  const [own, setOwn] = useState<Errors>(noErrors)
  const errors = own.size === 0 && isAboutContent(answer.error) ? fromService(answer.error.problem) : own
  const submit = () => {
    const found = validate(schema, value, schema)
    setOwn(found)
    if (found.size > 0) return answer.reset()
    onAccept((value ?? {}) as Answer["content"])
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

/** A question with nothing to fill in is answered by its buttons alone. */
const hasFields = ({ mode, schema }: InputRequest): boolean =>
  mode === "form" && Object.keys((schema?.["properties"] ?? {}) as object).length > 0

/** `onAnswered` hears of an answer that was taken, `onRefused` of one that was not. */
export const AnswerForm = ({ link, onAnswered, onRefused, request, task }: {
  readonly task: string
  /** The token of the answer link it is answered by, where there is no session. */
  readonly link?: string
  readonly request: InputRequest
  readonly onAnswered?: (answer: Answer) => void
  readonly onRefused?: (error: Error) => void
}) => {
  const answer = useAnswer(task, link)
  useShown(link === undefined ? task : undefined, request.key)
  const kind = kindOf(request)
  if (kind.name === "client") return <Note>{kind.hint}</Note>
  const say = (said: Omit<Answer, "key">) => {
    const whole = { key: request.key, ...said }
    answer.mutate(whole, { onSuccess: () => onAnswered?.(whole), onError: (error) => onRefused?.(error) })
  }
  const withFields = hasFields(request)
  const actions = (
    <>
      {answer.isError && !isAboutContent(answer.error) ? <ErrorNote error={answer.error} /> : null}
      <div className="answer-actions">
        <Button
          type={withFields ? "submit" : "button"}
          look="primary"
          disabled={answer.isPending}
          onClick={withFields ? undefined : () => say({ action: "accept", content: {} })}
        >
          {kind.accept}
        </Button>
        <Button
          disabled={answer.isPending}
          onClick={() => say({ action: "decline" })}
          title="Say no; the agent learns it"
        >
          Decline
        </Button>
        <Button
          look="quiet"
          disabled={answer.isPending}
          onClick={() => say({ action: "cancel" })}
          title="Close the question without saying yes or no"
        >
          Cancel
        </Button>
      </div>
    </>
  )
  return withFields
    ? (
      <Fields
        schema={request.schema ?? empty}
        answer={answer}
        onAccept={(content) => say({ action: "accept", ...content === undefined ? {} : { content } })}
      >
        {actions}
      </Fields>
    )
    : <div className="stack">{actions}</div>
}
