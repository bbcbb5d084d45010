/**
 * What is done to each process of the service: decided by the seed before anything starts.
 */
import type { TaskEventType } from "@coppice/task/TaskEvent"
import type * as Seeded from "./Seeded.ts"

/** What ends one process. Times in milliseconds from the moment it took work. */
export type Plan =
  /** SIGKILL before it takes work, this long after its start. */
  | { readonly _tag: "Starting"; readonly after: number }
  /** SIGKILL at an instant. */
  | { readonly _tag: "Instant"; readonly after: number }
  /** It kills itself at a write of the log, on its `count`-th time there; SIGKILL when it has not come there. */
  | { readonly _tag: "Failpoint"; readonly name: string; readonly count: number; readonly patience: number }
  /** SIGTERM, then SIGKILL before it has stopped. */
  | { readonly _tag: "Stopping"; readonly after: number; readonly grace: number }
  /** SIGSTOP for a while, during which a second process asks for the store; then SIGCONT, and later SIGKILL. */
  | { readonly _tag: "Frozen"; readonly after: number; readonly length: number; readonly rest: number }
  /** SIGINT, and once more before it has stopped. */
  | { readonly _tag: "Twice"; readonly after: number; readonly grace: number }
  /** SIGTERM, and it stops by itself. */
  | { readonly _tag: "Stop"; readonly after: number }
  /** Nothing, until the work at hand is done; then SIGKILL. */
  | { readonly _tag: "Calm"; readonly after: number }

/** Facts that occur with one configuration, and how often in one round of work, roughly. */
export type Facts = Partial<Readonly<Record<TaskEventType | "commit", number>>>

interface Failpoint {
  readonly name: string
  /** How often it is passed in one round of work, roughly. */
  readonly times: number
}

/** Both sides of every write: `before:Created`, `after:Created`, …, `commit.before`, `commit.after`. */
export const failpoints = (facts: Facts): ReadonlyArray<Failpoint> =>
  Object.entries(facts).flatMap(([fact, times]) =>
    ["before", "after"].map((side) => ({ name: fact === "commit" ? `commit.${side}` : `${side}:${fact}`, times }))
  )

export const describe = (plan: Plan): string => {
  switch (plan._tag) {
    case "Starting":
      return `SIGKILL ${plan.after} ms after its start`
    case "Instant":
      return `SIGKILL after ${plan.after} ms`
    case "Failpoint":
      return `${plan.name}, time ${plan.count}`
    case "Stopping":
      return `SIGTERM after ${plan.after} ms, SIGKILL ${plan.grace} ms later`
    case "Frozen":
      return `SIGSTOP after ${plan.after} ms, SIGCONT ${plan.length} ms later, SIGKILL ${plan.rest} ms after that`
    case "Twice":
      return `SIGINT after ${plan.after} ms, again ${plan.grace} ms later`
    case "Stop":
      return `SIGTERM after ${plan.after} ms`
    case "Calm":
      return `SIGKILL ${plan.after} ms after a run`
  }
}

/**
 * Of ten kills five are at a write, one of them of a cancellation, and one each at an instant, after a calm run, in a
 * start, in a stop, after a freeze and by two interrupts.
 */
const kinds = [
  "Failpoint",
  "Instant",
  "Failpoint",
  "Calm",
  "Cancel",
  "Starting",
  "Frozen",
  "Stopping",
  "Failpoint",
  "Twice"
] as const

/**
 * The plans of as many kills. Every failpoint comes once before one comes again. `length` is how long a round of work
 * takes without faults: instants are spread over it, half of them over its first fifth, where most is written.
 */
export const plans = (kills: number, facts: Facts, length: number, seeded: Seeded.Seeded): ReadonlyArray<Plan> => {
  const patience = Math.max(8_000, 3 * length)
  let bag: ReadonlyArray<Failpoint> = []
  const failpoint = (): Plan => {
    if (bag.length === 0) bag = seeded.shuffle(failpoints(facts))
    const [first, ...rest] = bag
    const { name, times } = first!
    bag = rest
    return { _tag: "Failpoint", name, count: seeded.between(1, times), patience }
  }
  /** In the middle of a cancellation: before or after it is written, or how one of its tasks came to rest. */
  const inCancel = (): Plan => {
    const name = `${seeded.pick(["before", "after"])}:${seeded.pick(["Cancelled", "Settled"])}`
    return { _tag: "Failpoint", name, count: seeded.between(1, facts.Cancelled ?? 1), patience }
  }
  const instant = (): number => seeded.between(0, seeded.next() < 0.5 ? length / 5 : length)
  const make = (kind: typeof kinds[number]): Plan => {
    switch (kind) {
      case "Failpoint":
        return failpoint()
      case "Cancel":
        return inCancel()
      case "Starting":
        return { _tag: kind, after: seeded.between(100, 800) }
      case "Frozen":
        return { _tag: kind, after: instant(), length: seeded.between(200, 2_000), rest: seeded.between(0, 500) }
      case "Twice":
        return { _tag: kind, after: instant(), grace: seeded.between(0, 50) }
      case "Instant":
        return { _tag: kind, after: instant() }
      case "Calm":
        return { _tag: kind, after: seeded.between(0, 300) }
      case "Stopping":
        return { _tag: kind, after: instant(), grace: seeded.between(0, 100) }
    }
  }
  return Array.from({ length: kills }, (_, i) => make(kinds[i % kinds.length]!)).flatMap((plan, i) =>
    i % 10 === 9 ? [plan, { _tag: "Stop", after: instant() }] : [plan]
  )
}
