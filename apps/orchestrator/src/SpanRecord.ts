/**
 * The spans of a task, read from its log: what happened, as a trace viewer draws it.
 *
 * ```text
 *   invoke_workflow migrate                    the task; its ids were given when it was created
 *     ├─ step list files                       ids derived from the task and the step's key
 *     ├─ invoke_agent review                   a child task, from its own log
 *     ├─ await_human                           a question until its answer
 *     └─ attempt 2                             an execution after a crash
 * ```
 *
 * Ids come from the log alone, so whichever process emits a span emits the same one, and twice is once. No input,
 * output, message or answer becomes part of a span.
 */
import type { Task, TaskId } from "@coppice/task/Task"
import type { Envelope, RecordedExit, TaskEvent } from "@coppice/task/TaskEvent"
import { replay } from "@coppice/task/TaskMachine"
import { attribute, operation, service, spanEvent, spanName } from "@coppice/task/Telemetry"
import { createHash } from "node:crypto"

/** One finished span. Times in Unix milliseconds. */
export interface SpanRecord {
  readonly name: string
  readonly kind: "internal" | "producer"
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly start: number
  readonly end: number
  /** `error.type` when it failed. */
  readonly error: string | null
  readonly attributes: Readonly<Record<string, string | number>>
  readonly events: ReadonlyArray<{ readonly name: string; readonly at: number }>
  readonly links: ReadonlyArray<string>
}

/** How a task is drawn. */
export interface Options {
  readonly kind: "agent" | "workflow"
  /** Spans this task may still have in its run; steps beyond are counted, not drawn. */
  readonly limit: number
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex")

/** A span id for a part of a task, the same in every process. */
const spanIdOf = (task: TaskId, part: string): string => {
  const id = digest(`${task}/${part}`).slice(0, 16)
  return id === "0000000000000000" ? "0000000000000001" : id
}

const longestName = 128

/** A declared error's tag, when it has a plain one. */
const tagOf = (error: unknown, fallback: string): string => {
  const tag = (error as { readonly _tag?: unknown } | null | undefined)?._tag
  return typeof tag === "string" && /^[\w.-]{1,64}$/.test(tag) ? tag : fallback
}

const exitError = (exit: RecordedExit): string | null =>
  exit._tag === "Success"
    ? null
    : exit.givenUpBy === undefined
    ? tagOf(exit.error, "step_error")
    : "outcome_unknown"

const endError = (ending: TaskEvent | undefined): string | null => {
  if (ending?._tag === "Cancelled") return "cancelled"
  return ending?._tag === "Failed" ? tagOf(ending.error, ending.reason) : null
}

/** What all spans of one task share. */
interface Shared {
  readonly task: Task
  readonly end: number
  readonly service: string
}

const within = ({ end, task }: Shared, at: number): number => Math.min(Math.max(at, task.createdAt), end)

const part = (
  shared: Shared,
  id: string,
  span: Pick<SpanRecord, "name" | "start" | "end"> & Partial<SpanRecord>
): SpanRecord => ({
  kind: "internal",
  service: shared.service,
  traceId: shared.task.spec.trace.traceId,
  spanId: spanIdOf(shared.task.id, id),
  parentSpanId: shared.task.spec.trace.spanId,
  error: null,
  events: [],
  links: [],
  ...span,
  name: span.name.slice(0, longestName),
  start: within(shared, span.start),
  end: within(shared, span.end),
  attributes: {
    [attribute.run]: shared.task.run,
    [attribute.task]: shared.task.id,
    ...span.attributes,
    ...typeof span.error === "string" ? { [attribute.errorType]: span.error } : {}
  }
})

const steps = (shared: Shared, events: ReadonlyArray<Envelope>): ReadonlyArray<SpanRecord> =>
  events.flatMap(({ at, event }) =>
    event._tag !== "StepRecorded" ? [] : [part(shared, `step/${event.key}`, {
      name: spanName.step(event.name),
      start: event.startedAt,
      end: at,
      error: exitError(event.exit),
      attributes: {
        [attribute.stepKey]: digest(event.key).slice(0, 16),
        [attribute.attempt]: event.attempt
      }
    })]
  )

const questions = (shared: Shared, events: ReadonlyArray<Envelope>): ReadonlyArray<SpanRecord> =>
  events.flatMap(({ at, event }) => {
    if (event._tag !== "InputRequested") return []
    const { key } = event.request
    const answer = events.find(({ event }) =>
      (event._tag === "InputReceived" || event._tag === "InputWithdrawn") && event.key === key
    )
    const end = answer?.at ?? shared.task.endedAt ?? shared.end
    const received = answer?.event._tag === "InputReceived" ? answer.event.response : undefined
    return [part(shared, `human/${key}`, {
      name: spanName.awaitHuman,
      start: at,
      end,
      attributes: {
        [attribute.waitReason]: "person",
        ...received === undefined ? {} : { [attribute.humanAction]: received.action }
      },
      events: [
        { name: spanEvent.inputRequired, at },
        ...received === undefined ? [] : [{ name: spanEvent.inputReceived, at: end }]
      ]
    })]
  })

const attemptId = (attempt: number): string => `attempt/${attempt}`

const attempts = (shared: Shared, events: ReadonlyArray<Envelope>): ReadonlyArray<SpanRecord> => {
  const starts = events.flatMap(({ at, event }) => event._tag === "Started" ? [{ at, attempt: event.attempt }] : [])
  return starts.filter(({ attempt }) => attempt > 1).map(({ at, attempt }) => {
    const died = events.find(({ event }) => event._tag === "AttemptFailed" && event.attempt === attempt)
    const next = starts.find((other) => other.attempt === attempt + 1)
    return part(shared, attemptId(attempt), {
      name: spanName.attempt(attempt),
      start: at,
      end: died?.at ?? next?.at ?? shared.task.endedAt ?? shared.end,
      error: died === undefined ? null : "defect",
      attributes: { [attribute.attempt]: attempt },
      links: attempt > 2 ? [spanIdOf(shared.task.id, attemptId(attempt - 1))] : []
    })
  })
}

const nullable = (name: string, value: string | null): Record<string, string> => value === null ? {} : { [name]: value }

/** What was done to the task from outside, and when. */
const marks = (events: ReadonlyArray<Envelope>): SpanRecord["events"] =>
  events.flatMap(({ at, event }) => event._tag === "Steered" ? [{ name: spanEvent.steered, at }] : [])

const whole = (
  shared: Shared,
  { ending, marks }: { readonly ending: TaskEvent | undefined; readonly marks: SpanRecord["events"] },
  options: Options,
  summarised: number
): SpanRecord => {
  const { task } = shared
  const isWorkflow = options.kind === "workflow"
  const error = endError(ending)
  return {
    ...part(shared, "", {
      name: isWorkflow ? spanName.invokeWorkflow(task.agent) : spanName.invokeAgent(task.agent),
      start: task.createdAt,
      end: shared.end,
      error,
      attributes: {
        [attribute.operation]: isWorkflow ? operation.invokeWorkflow : operation.invokeAgent,
        [isWorkflow ? attribute.workflowName : attribute.agentName]: task.agent,
        [attribute.agentVersion]: task.spec.version,
        [attribute.conversation]: task.run,
        [attribute.status]: task.status,
        [attribute.attempt]: task.attempt,
        ...nullable(attribute.parentTask, task.parent),
        ...nullable(attribute.settlement, task.settlement),
        ...nullable(attribute.retryOf, task.spec.retryOf),
        ...nullable(attribute.forkOf, task.spec.forkOf?.task ?? null),
        ...ending?._tag === "Cancelled" ? { [attribute.cancelOrigin]: ending.by } : {},
        ...summarised > 0 ? { [attribute.stepsSummarised]: summarised } : {}
      },
      events: [
        ...marks,
        ...ending?._tag === "Cancelled" ? [{ name: spanEvent.cancelled, at: task.endedAt ?? shared.end }] : []
      ]
    }),
    spanId: task.spec.trace.spanId,
    parentSpanId: task.spec.trace.parentSpanId
  }
}

/** The spans of a task that has come to rest, from all of its facts. The last one is the task's own. */
export const ofTask = (events: ReadonlyArray<Envelope>, options: Options): ReadonlyArray<SpanRecord> => {
  const first = events[0]
  const task = first === undefined ? undefined : replay(first.task, events)
  if (task === undefined) return []
  const shared: Shared = {
    task,
    // a span has no negative length, although the clock may have been set back
    end: Math.max(task.createdAt, task.settledAt ?? task.endedAt ?? task.updatedAt),
    service: options.kind === "workflow" ? service.orchestrator : service.agent(task.agent)
  }
  const ending = events.find(({ event }) =>
    event._tag === "Completed" || event._tag === "Failed" || event._tag === "Cancelled"
  )?.event
  const parts = [...attempts(shared, events), ...questions(shared, events), ...steps(shared, events)]
  const drawn = parts.slice(0, Math.max(0, options.limit))
  return [...drawn, whole(shared, { ending, marks: marks(events) }, options, parts.length - drawn.length)]
}

/** The mark that a run has begun: all that can be seen of it until tasks of it end. */
export const ofBeginning = ({ at, event, task }: Envelope): SpanRecord | undefined => {
  if (event._tag !== "Created" || event.parent !== null) return undefined
  return {
    name: spanName.taskCreated,
    kind: "producer",
    service: service.orchestrator,
    traceId: event.spec.trace.traceId,
    spanId: spanIdOf(task, "created"),
    parentSpanId: event.spec.trace.spanId,
    start: at,
    end: at,
    error: null,
    attributes: { [attribute.run]: task, [attribute.task]: task },
    events: [],
    links: []
  }
}
