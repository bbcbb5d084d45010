/**
 * Everything the harness knows when the faults are over: what each witness saw, and what the log says in the end.
 *
 * The checkers are functions of this value and of nothing else, so that a test can hand them a history with one thing
 * wrong. Times are Unix milliseconds of one machine.
 */
import type { Envelope, Task } from "@coppice/api/Api"
import type { CancelReport, TaskResult } from "@coppice/api/TasksApi"

/** How a process of the service ended. */
export type LifeEnd =
  | "killed"
  | "failpoint"
  | "killed while stopping"
  | "killed after a freeze"
  | "interrupted twice"
  | "stopped"
  | "died"

/** One process of the service. Processes of one history follow each other, they never overlap. */
export interface Life {
  readonly pid: number
  /** What was planned for it, for people. */
  readonly plan: string
  readonly startedAt: number
  /** When it took work; `null` when it ended before. */
  readonly readyAt: number | null
  readonly endedAt: number
  readonly end: LifeEnd
}

/** A line the body of a step left behind: it happened in the world, whatever the log says. */
export interface EffectLine {
  readonly key: string
  readonly at: number
  readonly pid: number
}

/** What the service told a client. A reply that was lost is `Unknown`: it may have happened or not. */
export type Ack =
  | {
    readonly _tag: "Submitted"
    readonly at: number
    readonly key: string
    readonly agent: string
    readonly input: unknown
    readonly task: string
  }
  | { readonly _tag: "Asked"; readonly at: number; readonly task: string; readonly key: string }
  | {
    readonly _tag: "Answered"
    readonly at: number
    readonly task: string
    readonly key: string
    readonly content: unknown
  }
  | { readonly _tag: "Cancelled"; readonly at: number; readonly task: string; readonly report: CancelReport }
  | { readonly _tag: "Settled"; readonly at: number; readonly task: string; readonly report: CancelReport }
  | { readonly _tag: "Result"; readonly at: number; readonly task: string; readonly result: TaskResult }
  | { readonly _tag: "Unknown"; readonly at: number; readonly what: string; readonly why: string }

/** How long a run took to rest that had a whole life without faults for it. */
export interface CalmRun {
  readonly name: string
  readonly took: number
  readonly bound: number
}

/** A run's result beside that of the same run without faults. */
export interface Comparison {
  readonly name: string
  readonly differences: ReadonlyArray<string>
}

export interface History {
  readonly journal: ReadonlyArray<Ack>
  /** The events of the stream, in the order they came. */
  readonly seen: ReadonlyArray<Envelope>
  /** How often the stream said that it does not know an id it had given out. */
  readonly resets: number
  readonly effects: ReadonlyArray<EffectLine>
  readonly lives: ReadonlyArray<Life>
  readonly calm: ReadonlyArray<CalmRun>
  readonly comparisons: ReadonlyArray<Comparison>
  /** The whole log, all tasks, all results and reports, as they read at the end. */
  readonly log: ReadonlyArray<Envelope>
  readonly tasks: ReadonlyArray<Task>
  readonly results: ReadonlyMap<string, TaskResult>
  readonly reports: ReadonlyMap<string, CancelReport>
}

/** What the service told a client, of one kind. */
export const acks = <Tag extends Ack["_tag"]>({ journal }: History, tag: Tag) =>
  journal.filter((ack): ack is Extract<Ack, { readonly _tag: Tag }> => ack._tag === tag)

type EventOf<Tag extends Envelope["event"]["_tag"]> = Envelope & { readonly event: { readonly _tag: Tag } }

/** Facts of the log, of one kind. */
export const facts = <Tag extends Envelope["event"]["_tag"]>({ log }: Pick<History, "log">, tag: Tag) =>
  log.filter((envelope): envelope is EventOf<Tag> => envelope.event._tag === tag)

/** True for a fact after which nothing of its task runs any more. Failures from outside are settled by a later one. */
export const isRest = ({ event }: Pick<Envelope, "event">): boolean =>
  event._tag === "Completed" || event._tag === "Settled" ||
  (event._tag === "Failed" && ["agent_error", "defect", "replay_mismatch"].includes(event.reason))

/** The task whose step left an effect: a key is the task, a slash, and the step's own key. */
export const taskOf = (key: string): string => key.slice(0, key.indexOf("/"))
