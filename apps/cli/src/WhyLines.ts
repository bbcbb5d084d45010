/**
 * Why a task has not ended: what it waits for, since when, and who can change that.
 *
 * ```text
 * ● migrate  01kb2x9f4q0000a1b2c3  working for 12m 04s
 *
 *   waits for
 *   ├─ child review: reviewing src/a.ts, since 3m
 *   └─ a person: Apply 12 changes?, since 2m
 *         → coppice answer 01kb2x9f9s0000a1b2c3
 * ```
 */
import type { Wait, Why } from "@coppice/api/TasksApi"
import { budgetLine } from "./BudgetLine.ts"
import { empty, type Line, line, muted, type Role, spaced, type Span, span, strong } from "./Line.ts"
import { failureOf, isActive, settlementOf, sign, stateOf, tookOf } from "./Nodes.ts"
import { age, duration } from "./Times.ts"

/** The task that was asked about, and when. */
interface Asked {
  readonly asked: string
  readonly now: number
}

const roles: Readonly<Record<Wait["on"], Role>> = {
  child: "busy",
  person: "wait",
  timer: "busy",
  step: "busy",
  backoff: "wait",
  provider: "wait",
  slot: "muted",
  owner: "bad",
  nothing: "muted"
}

const names: Readonly<Record<Wait["on"], string>> = {
  child: "a child",
  person: "a person",
  timer: "a timer",
  step: "a step's body",
  backoff: "its next attempt",
  provider: "another server",
  slot: "a free place",
  owner: "its owner",
  nothing: "nothing: it is running"
}

const dueOf = ({ due, on }: Wait, now: number): Span | undefined => {
  if (due === null) return undefined
  if (on === "step" || on === "nothing") {
    return span(`ends in ${duration(Math.max(0, due - now))} without a sign of life`, "wait")
  }
  return muted(due > now ? `fires in ${duration(due - now)}` : "due now")
}

/** Whom it is about: the child waited for, or the waiting task when that is another one than was asked for. */
const subject = (wait: Wait, asked: string): ReadonlyArray<Span> => {
  if (wait.child !== null) return [muted(wait.child)]
  return wait.task === asked ? [] : [strong(wait.agent), muted(wait.task)]
}

const waitLines = (wait: Wait, { asked, now }: Asked, isLast: boolean): ReadonlyArray<Line> => {
  const since = age(now - wait.since)
  const head = spaced(
    span(names[wait.on], roles[wait.on]),
    ...subject(wait, asked),
    muted(since === "now" ? "just now" : `for ${since}`),
    dueOf(wait, now)
  )
  const stem = isLast ? "     " : "  │  "
  const said = wait.message === "" ? [] : [line(muted(stem), wait.message)]
  const who = wait.who === "" || wait.child !== null ? undefined : muted(`it is up to ${wait.who}`)
  const advice = spaced(who, wait.fix === null ? undefined : span(`→ ${wait.fix}`, "accent"))
  return [
    [muted(isLast ? "  └─ " : "  ├─ "), ...head],
    ...said,
    ...(advice.length > 0 ? [[muted(stem), ...advice]] : [])
  ]
}

const group = (title: string, waits: ReadonlyArray<Wait>, about: Asked): ReadonlyArray<Line> =>
  waits.length === 0
    ? []
    : [empty, line(`  ${title}`), ...waits.flatMap((wait, index) => waitLines(wait, about, index === waits.length - 1))]

const isSame = (a: Wait, b: Wait): boolean => a.task === b.task && a.on === b.on && a.key === b.key

const endLine = ({ task }: Why): Line => {
  const how = task.status === "failed" ? span(failureOf(task), "bad") : undefined
  const rest = task.status === "cancelled" ? settlementOf(task.settlement) : undefined
  return spaced("  It has ended and waits for nothing.", how, rest, task.statusMessage ?? undefined)
}

/** The whole explanation. */
export const whyLines = (why: Why, now: number): ReadonlyArray<Line> => {
  const { causes, task, waits } = why
  const took = duration(tookOf(task, now))
  const head: Line = [
    sign(task),
    span(" "),
    ...spaced(
      strong(task.agent),
      muted(task.id),
      stateOf(task),
      muted(isActive(task) ? `for ${took}` : `after ${took}`)
    )
  ]
  const budget = budgetLine(task)
  const top = budget === undefined ? [head] : [head, budget]
  // what its code did to others is told although it has ended
  const blocks = waits.filter(({ fix, on }) => on === "nothing" && fix !== null)
  if (!isActive(task)) return [...top, empty, endLine(why), ...blocks.map(({ message }) => line(`  ${message}`))]
  const further = causes.filter((cause) => !waits.some((wait) => isSame(wait, cause)))
  const about = { asked: task.id, now }
  return [...top, ...group("waits for", waits, about), ...group("and in the end for", further, about)]
}
