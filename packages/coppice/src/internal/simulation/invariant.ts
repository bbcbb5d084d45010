/**
 * What a checker is given, what it says, and how it looks things up.
 */
import type { TaskId } from "@coppice/task/Task"
import type { TaskEventType } from "@coppice/task/TaskEvent"
import type { TaskRow } from "@coppice/task/TaskStore"
import type { Fact, History, Told } from "./history.ts"

/** What a node is like when everything has come to rest, or should have. */
export interface NodeEnd {
  readonly rows: ReadonlyMap<TaskId, TaskRow>
  /** Unsettled tasks that wait for a person. */
  readonly waits: ReadonlySet<TaskId>
  /** Tasks with a timer in the store. */
  readonly timers: ReadonlyArray<TaskId>
  /** Tasks and executions in memory. */
  readonly residents: number
  readonly executions: number
}

export interface End {
  /** Everything came to rest within `bound` milliseconds after the last fault. */
  readonly atRest: boolean
  readonly bound: number
  readonly nodes: ReadonlyMap<string, NodeEnd>
}

/** What a checker found: how many things it looked at, and those that are not as promised. */
export interface Finding {
  readonly checked: number
  readonly broken: ReadonlyArray<string>
}

export interface Verdict extends Finding {
  readonly name: string
}

export interface Invariant {
  readonly name: string
  readonly check: (history: History, end: End) => Finding
}

// ---------------------------------------------------------------- looking things up

export const idOf = ({ node, task }: { readonly node: string; readonly task: string }): string => `${node}/${task}`

export const factsByTask = (history: History) =>
  Map.groupBy(history.facts(), ({ envelope: { task }, node }) => idOf({ node, task }))

export const tagOf = ({ envelope }: Fact): TaskEventType => envelope.event._tag

export const endings: ReadonlySet<TaskEventType> = new Set(["Completed", "Failed", "Cancelled"])

/** What only code of a live task may write. */
export const ofTheLiving: ReadonlySet<TaskEventType> = new Set([
  "Started",
  "AttemptFailed",
  "Progressed",
  "Logged",
  "StepRecorded",
  "TimerSet",
  "TimerFired",
  "InputRequested",
  "InputReceived",
  "Completed",
  "Failed",
  "Cancelled"
])

interface Told_<Tag extends Told["reply"]["_tag"]> extends Told {
  readonly reply: Extract<Told["reply"], { readonly _tag: Tag }>
}

export const told = <Tag extends Told["reply"]["_tag"]>(history: History, verb: Told["wish"]["verb"], tag: Tag) =>
  history.of("Told").filter((entry): entry is Told_<Tag> => entry.wish.verb === verb && entry.reply._tag === tag)

export const finding = (checked: number, broken: ReadonlyArray<string>): Finding => ({ checked, broken })

/** A task and the tasks above it. */
export const lineOf = (end: NodeEnd | undefined, task: TaskId): ReadonlyArray<TaskId> => {
  const line: Array<TaskId> = []
  for (let row = end?.rows.get(task); row !== undefined;) {
    line.push(row.state.id)
    row = row.state.parent === null ? undefined : end!.rows.get(row.state.parent)
  }
  return line
}

export const isReleased = (history: History, node: string, task: TaskId): boolean =>
  history.facts(node).some(({ envelope }) => envelope.task === task && envelope.event._tag === "Released")

/** Attempts whose code did not stop when it was told to: it goes on, and nobody listens to it. By task and number. */
export const abandoned = (history: History): ReadonlySet<string> =>
  new Set(
    history.facts().flatMap(({ envelope: { event, task }, node }) =>
      event._tag === "AttemptFailed" && event.message.endsWith("and was abandoned")
        ? [`${idOf({ node, task })} ${event.attempt}`]
        : []
    )
  )
