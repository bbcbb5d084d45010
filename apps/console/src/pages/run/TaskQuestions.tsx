import { useState } from "react"
import { useInbox } from "../../api/useService.ts"
import { AnswerForm } from "../../questions/AnswerForm.tsx"
import { ApprovalPanel } from "../../questions/ApprovalPanel.tsx"
import { UrlPanel } from "../../questions/UrlPanel.tsx"
import { useMay } from "../../session/useSession.ts"
import { Icon } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"

/** What a task asks a person, and the form to answer it right here. */
export const TaskQuestions = ({ task }: { readonly task: string }) => {
  const mayAnswer = useMay("approve")
  const [refused, setRefused] = useState<Error | undefined>()
  const questions = useInbox().data?.questions.filter((question) => question.task === task) ?? []
  // somebody was faster, and the form that could say so is gone with the question
  if (questions.length === 0 && refused !== undefined) return <ErrorNote error={refused} />
  return questions.map(({ request }) => (
    <section key={request.key} className="question" aria-label="Question">
      <div className="row tone-text-waiting">
        <Icon name="question" />
        <strong>Asks a person</strong>
      </div>
      <p className="question-message">{request.message}</p>
      {request.approval === undefined ? null : <ApprovalPanel approval={request.approval} />}
      {request.mode === "url" ? <UrlPanel url={request.url ?? ""} /> : null}
      {mayAnswer
        ? <AnswerForm task={task} request={request} onRefused={setRefused} />
        : <p className="muted">You may look, not answer.</p>}
    </section>
  ))
}
