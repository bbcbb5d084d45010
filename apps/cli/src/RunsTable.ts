/**
 * The runs of a service as a table, and as a board that fits a screen.
 *
 * ```text
 * RUN                   AGENT    STATUS       AGE  PROGRESS           WAITING FOR
 * 01kb2x9f4q0000a1b2c3  migrate  ? asks       12m  ▕██████░░░░▏ 6/10  Apply 12 changes? (approve)
 * ```
 */
import type { Task } from "@coppice/api/Api"
import type { Question } from "@coppice/api/InboxApi"
import { empty, type Line, line, muted, spaced, span, strong } from "./Line.ts"
import { isActive, progressBar, remarkOf, sign, stateOf } from "./Nodes.ts"
import { type Column, table } from "./Table.ts"
import { age } from "./Times.ts"

/** What is known of the runs at one moment. */
export interface Runs {
  readonly tasks: ReadonlyArray<Task>
  /** Open questions of any run. */
  readonly questions: ReadonlyArray<Question>
}

export interface Drawing {
  readonly now: number
  readonly width: number
  readonly beat?: number | undefined
  /** The service does not answer: what is drawn is what was known last. */
  readonly isOffline?: boolean
}

const columns: ReadonlyArray<Column> = [
  { title: "RUN" },
  { title: "AGENT", shrinks: 8 },
  { title: "STATUS" },
  { title: "AGE", align: "right" },
  { title: "PROGRESS" },
  { title: "WAITING FOR", shrinks: 12 }
]

const waitingFor = (task: Task, questions: ReadonlyArray<Question>): Line => {
  const own = questions.filter(({ run }) => run === task.run)
  const [first] = own
  if (isActive(task) && first !== undefined) {
    const more = own.length > 1 ? muted(` and ${own.length - 1} more`) : span("")
    return line(span(first.request.message, "wait"), muted(` (${first.agent})`), more)
  }
  if (task.status === "working" && task.attempt === 0) return line(muted("a free place"))
  const remark = remarkOf(task)
  return remark === undefined ? empty : [remark]
}

const statusOf = (task: Task, questions: ReadonlyArray<Question>, beat: number | undefined): Line => {
  const isAsking = task.status === "working" && questions.some(({ run }) => run === task.run)
  if (isAsking) return line(span("? ", "wait"), span("needs input", "wait"))
  return [sign(task, beat), span(" "), stateOf(task)]
}

const row = (task: Task, { questions }: Runs, drawing: Drawing): ReadonlyArray<Line> => [
  line(task.id),
  line(strong(task.agent)),
  statusOf(task, questions, drawing.beat),
  line(muted(age(drawing.now - task.createdAt))),
  task.progress !== null && isActive(task) ? progressBar(task.progress) : empty,
  waitingFor(task, questions)
]

/** The table; one friendly line when there is nothing. */
export const runsTable = (runs: Runs, drawing: Drawing): ReadonlyArray<Line> =>
  runs.tasks.length === 0
    ? [line(muted("No runs yet. Start one: coppice run <agent>; `coppice agents` lists them."))]
    : table(columns, runs.tasks.map((task) => row(task, runs, drawing)), drawing.width)

/** The table under a summary, cut to `rows` lines: what `watch` shows without an id. */
export const board = (runs: Runs, drawing: Drawing, rows: number): ReadonlyArray<Line> => {
  const active = runs.tasks.filter(isActive).length
  const head = spaced(
    strong("Coppice"),
    span(`${active} active`, active > 0 ? "busy" : "muted"),
    runs.questions.length > 0 ? span(`${runs.questions.length} to answer: coppice inbox`, "wait") : undefined,
    drawing.isOffline === true ? span("the service does not answer", "bad") : undefined,
    muted("q leave")
  )
  const lines = runsTable(runs, drawing)
  const most = Math.max(3, rows - 4)
  const more = lines.length > most ? [line(muted(`… ${lines.length - most} more`))] : []
  return [head, empty, ...lines.slice(0, most), ...more]
}
