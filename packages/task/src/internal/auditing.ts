import type { AuditEntry, Decision } from "../Audit.ts"
import { canonical } from "../Payload.ts"
import type { TaskEvent } from "../TaskEvent.ts"
import type { TaskState } from "../TaskMachine.ts"
import { digest } from "./digest.ts"

/** Who cancels without having been asked by anybody. */
const own = new Set(["parent", "self", "deadline"])

type Told = Pick<TaskState, "id" | "run" | "parent" | "agent" | "spec">

const of = ({ agent, id, run }: Told, at: number, said: Pick<Decision, "kind" | "by" | "detail">): Decision => ({
  at,
  task: id,
  run,
  agent,
  ...said
})

const submitted = (task: Told, at: number): Decision => {
  const { forkOf, principal, retryOf } = task.spec
  const detail = {
    ...retryOf === null ? {} : { retryOf },
    ...forkOf === undefined ? {} : { forkOf: forkOf.task }
  }
  return of(task, at, { kind: "submitted", by: principal, detail })
}

const answered = (
  task: Told,
  at: number,
  { _tag, key, response }: TaskEvent & { readonly _tag: "InputReceived" | "InputVoted" }
): Decision => {
  const { action, by, content, voters } = response
  const detail = {
    key,
    action,
    ...content === null ? {} : { content: digest(canonical(content)) },
    ...voters === undefined ? {} : { voters }
  }
  return of(task, at, { kind: _tag === "InputVoted" ? "voted" : "answered", by, detail })
}

/**
 * The decision a fact tells of; `undefined` for what the runtime or an agent did by itself. `isBelow` says whether the task
 * above was cancelled with it: of a tree one entry is kept.
 */
export const decisionOf = (task: Told, event: TaskEvent, at: number, isBelow: boolean): Decision | undefined => {
  switch (event._tag) {
    case "Created":
      return task.parent === null ? submitted(task, at) : undefined
    case "InputDelegated": {
      const { by, key, to } = event
      return of(task, at, { kind: "delegated", by, detail: { key, to } })
    }
    case "InputVoted":
    case "InputReceived":
      return answered(task, at, event)
    case "Steered": {
      const { _tag, by, nth: _, subtree: __, undeliverable: ___, ...changed } = event
      return of(task, at, { kind: "steered", by, detail: { changed: Object.keys(changed) } })
    }
    case "Cancelled": {
      const { by, reason } = event
      if (own.has(by) || isBelow) return undefined
      return of(task, at, { kind: "cancelled", by, detail: reason === null ? {} : { reason } })
    }
    default:
      return undefined
  }
}

/** What the chain begins with. */
const origin = ""

/** Gives decisions their places after the last entry. */
export const chain = (
  last: Pick<AuditEntry, "n" | "hash"> | undefined,
  decisions: ReadonlyArray<Decision>
): ReadonlyArray<AuditEntry> => {
  const entries: Array<AuditEntry> = []
  let { hash, n } = last ?? { n: 0, hash: origin }
  for (const decision of decisions) {
    n++
    hash = digest(`${hash}\n${canonical({ n, ...decision })}`)
    entries.push({ n, ...decision, hash })
  }
  return entries
}

/** The first entry, oldest first, that does not follow from the one before it; the first one given is believed. */
export const brokenAt = (entries: ReadonlyArray<AuditEntry>): AuditEntry | undefined =>
  entries.find((entry, i) => {
    const before = entries[i - 1]
    if (before === undefined) return entry.n === 1 && chain(undefined, [decisionIn(entry)])[0]!.hash !== entry.hash
    const [expected] = chain(before, [decisionIn(entry)])
    return expected!.n !== entry.n || expected!.hash !== entry.hash
  })

const decisionIn = ({ agent, at, by, detail, kind, run, task }: AuditEntry): Decision => ({
  agent,
  at,
  by,
  detail,
  kind,
  run,
  task
})
