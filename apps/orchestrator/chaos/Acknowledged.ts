/**
 * What a client was told must hold: I1 to I5 of the reliability page, as functions of a history.
 *
 * They trust the witnesses and read the log as a stranger would: none of them uses the code that wrote it.
 */
import type { Envelope } from "@coppice/api/Api"
import type { CancelReport } from "@coppice/api/TasksApi"
import { isDeepStrictEqual } from "node:util"
import { acks, facts, isRest, taskOf } from "./History.ts"
import type { Checker } from "./Verdict.ts"

const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(normal(a), normal(b))
const normal = (value: unknown): unknown => value === undefined ? undefined : JSON.parse(JSON.stringify(value))
const show = (value: unknown): string => JSON.stringify(value)
const isEnding = (tag: string): boolean => tag === "Completed" || tag === "Failed" || tag === "Cancelled"

/** I1: what was acknowledged as created is there, once per idempotency key. */
export const created: Checker = (history) => {
  const roots = facts(history, "Created").filter(({ event }) => event.parent === null)
  const known = new Set(history.tasks.map(({ id }) => id as string))
  const submitted = acks(history, "Submitted")
  const broken = submitted.flatMap(({ agent, input, key, task }) => {
    const root = roots.find((fact) => fact.task === task)
    if (root === undefined || !known.has(task)) return [`task ${task} was acknowledged for key ${key} and is lost`]
    const { event } = root
    const isIt = event.agent === agent && event.spec.idempotencyKey === key && same(event.input, input)
    return isIt ? [] : [`task ${task} is not what was submitted with key ${key}: ${show(event)}`]
  })
  const twice = [...Map.groupBy(roots, ({ event }) => `${event.agent} ${event.spec.idempotencyKey}`)]
    .filter(([, group]) => group.length > 1)
    .map(([key, group]) => `key ${key} made ${group.length} tasks: ${group.map(({ task }) => task).join(", ")}`)
  return {
    promise: "I1",
    what: "acknowledged submits",
    isAcknowledged: true,
    looked: submitted.length,
    broken: [...broken, ...twice]
  }
}

/** I1: every event a stream has told is in the log as it was told, and none was left out or told twice. */
export const told: Checker = (history) => {
  const { log, resets, seen } = history
  const stored = new Map(log.map((envelope) => [envelope.seq, envelope]))
  const broken = seen.flatMap((envelope, i) => {
    const before = seen[i - 1]?.seq ?? 0
    const gap = envelope.seq === before + 1 ? [] : [`the stream told ${envelope.seq} after ${before}`]
    const fact = stored.get(envelope.seq)
    if (fact === undefined) return [...gap, `event ${envelope.seq} was told and is lost: ${show(envelope)}`]
    return same(fact, envelope)
      ? gap
      : [...gap, `event ${envelope.seq} was told as ${show(envelope)}, it is ${show(fact)}`]
  })
  const short = seen.length < log.length ? [`the stream told ${seen.length} of ${log.length} events`] : []
  const forgot = resets > 0 ? [`the stream did not know ${resets} ids it had given out`] : []
  return {
    promise: "I1",
    what: "events told by the stream",
    isAcknowledged: true,
    looked: seen.length,
    broken: [...broken, ...short, ...forgot]
  }
}

const historyOfOne = (task: string, events: ReadonlyArray<Envelope>): ReadonlyArray<string> => {
  const broken: Array<string> = []
  let ending: string | undefined
  let isSettled = false
  /** Its server was to be told again. */
  let isOpen = false
  let attempt = 0
  events.forEach(({ event, seq }, i) => {
    const say = (what: string) => broken.push(`task ${task}, event ${seq}: ${what}`)
    if ((event._tag === "Created") !== (i === 0)) say(`${event._tag} as fact ${i + 1} of it`)
    if (event._tag === "Settled") {
      if (ending === undefined) say("settled before its end")
      if (isSettled && !isOpen) say("settled twice")
      isOpen = event.retryAt !== undefined
    } else if (ending !== undefined) say(`${event._tag} after ${ending}`)
    if (event._tag === "Created") attempt = event.attempt
    if (event._tag === "Started") {
      if (event.attempt !== attempt + 1) say(`attempt ${event.attempt} after ${attempt}`)
      attempt = event.attempt
    }
    if (isEnding(event._tag)) ending ??= event._tag
    isSettled ||= event._tag === "Settled" || isRest({ event })
  })
  return broken
}

/** I2: a task's facts follow each other as they may, and a terminal state never changes. */
export const histories: Checker = (history) => {
  const tasks = Map.groupBy(history.log, ({ task }) => task)
  const broken = [...tasks].flatMap(([task, events]) => historyOfOne(task, events))
  const status = history.tasks.flatMap((task) => {
    const end = tasks.get(task.id)?.find(({ event }) => isEnding(event._tag))?.event._tag.toLowerCase()
    const isActive = task.status === "working" || task.status === "input_required"
    return isActive === (end === undefined) && (isActive || end === task.status)
      ? []
      : [`task ${task.id} reads as ${task.status}, its log says ${end ?? "active"}`]
  })
  const readable = new Set(history.tasks.map(({ id }) => id as string))
  const lost = [...tasks.keys()].filter((id) => !readable.has(id)).map((id) =>
    `task ${id} is in the log and cannot be read`
  )
  return {
    promise: "I2",
    what: "tasks from their first fact to their last",
    looked: tasks.size,
    broken: [...broken, ...status, ...lost]
  }
}

/** I2: a result that was read once reads the same ever after. */
export const results: Checker = (history) => {
  const read = acks(history, "Result")
  const broken = read.flatMap(({ result, task }) => {
    const now = history.results.get(task)
    const isSame = same([now?.completed, now?.failed, now?.cancelled, now?.task.status], [
      result.completed,
      result.failed,
      result.cancelled,
      result.task.status
    ])
    return isSame ? [] : [`the result of ${task} was ${show(result)}, it is ${show(now)}`]
  })
  return { promise: "I2", what: "results read and read again", isAcknowledged: true, looked: read.length, broken }
}

/** I3: a question is asked once and answered at most once. A question a client has seen is in the log. */
export const questions: Checker = (history) => {
  const asked = Map.groupBy(facts(history, "InputRequested"), ({ event, task }) => `${task} ${event.request.key}`)
  const answered = Map.groupBy(facts(history, "InputReceived"), ({ event, task }) => `${task} ${event.key}`)
  const twice = (groups: ReadonlyMap<string, ReadonlyArray<unknown>>, what: string) =>
    [...groups].filter(([, group]) => group.length > 1).map(([key, group]) =>
      `${key} was ${what} ${group.length} times`
    )
  const unasked = [...answered.keys()].filter((key) => !asked.has(key)).map((key) => `${key} was answered, not asked`)
  const lost = acks(history, "Asked").filter(({ key, task }) => !asked.has(`${task} ${key}`))
    .map(({ key, task }) => `question ${task} ${key} stood in the inbox and is lost`)
  return {
    promise: "I3",
    what: "questions",
    looked: asked.size,
    broken: [...twice(asked, "asked"), ...twice(answered, "answered"), ...unasked, ...lost]
  }
}

/** I4: an answer that was acknowledged is the one the task got. */
export const answers: Checker = (history) => {
  const received = facts(history, "InputReceived")
  const answered = acks(history, "Answered")
  const broken = answered.flatMap(({ content, key, task }) => {
    const facts = received.filter((fact) => fact.task === task && fact.event.key === key)
    const isIt = facts.length === 1 && same(facts[0]!.event.response.content, content)
    return isIt ? [] : [`answer ${show(content)} to ${task} ${key} was acknowledged, the log has ${show(facts)}`]
  })
  return { promise: "I4", what: "acknowledged answers", isAcknowledged: true, looked: answered.length, broken }
}

/** How long after an acknowledged cancel an effect that had begun may still end, milliseconds. */
const cancelDeadline = 5_000

const unfinished = (report: CancelReport | undefined): ReadonlyArray<string> =>
  (report?.nodes ?? []).filter(({ status }) => status === "working" || status === "input_required").map(({ id }) => id)

/** I5: an acknowledged cancel holds, reaches everything below, and nothing is begun there any more. */
export const cancels: Checker = (history) => {
  const runs = Map.groupBy(history.log, ({ run }): string => run)
  const cancelled = acks(history, "Cancelled")
  const broken = cancelled.flatMap(({ at, report, task }) => {
    const events = runs.get(task) ?? []
    const end = events.find((fact) => fact.task === task && fact.event._tag === "Cancelled")
    const last = history.reports.get(task)
    if (end === undefined) return [`the cancel of ${task} was acknowledged and is lost`]
    const late = events.filter(({ event, seq }) => seq > end.seq && event._tag === "Created")
    const tree = new Set(events.map(({ task }) => task as string))
    const effects = history.effects.filter((line) => tree.has(taskOf(line.key)) && line.at > at + cancelDeadline)
    return [
      ...unfinished(report).map((id) => `task ${id} went on when the cancel of ${task} was acknowledged`),
      ...late.map((fact) => `task ${fact.task} was created after its run ${task} was cancelled`),
      ...last?.converged === true ? [] : [`the cancelled run ${task} never came to rest: ${show(last)}`],
      ...effects.map(({ key }) => `${key} had an effect after its cancel deadline`)
    ]
  })
  return { promise: "I5", what: "acknowledged cancels", isAcknowledged: true, looked: cancelled.length, broken }
}

/** Whatever happens to the service, it never answers that something went wrong in it. */
export const replies: Checker = ({ journal }) => ({
  promise: "api",
  what: "replies, lost ones included",
  looked: journal.length,
  broken: journal.flatMap((ack) =>
    ack._tag === "Unknown" && ack.why.startsWith("internal") ? [`${ack.what} was answered with ${ack.why}`] : []
  )
})
