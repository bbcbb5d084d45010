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
    case "Stop":
      return `SIGTERM after ${plan.after} ms`
    case "Calm":
      return `SIGKILL ${plan.after} ms after a run`
  }
}

/** Of ten kills six are at a write, and one each at an instant, after a calm run, in a stop and in a start. */
const kinds = [
  "Failpoint",
  "Instant",
  "Failpoint",
  "Calm",
  "Failpoint",
  "Starting",
  "Failpoint",
  "Stopping",
  "Failpoint",
  "Failpoint"
] as const

/**
 * The plans of as many kills. Every failpoint comes once before one comes again. `length` is how long a round of work
 * takes without faults: instants are spread over it, half of them over its first fifth, where most is written.
 */
export const plans = (kills: number, facts: Facts, length: number, seeded: Seeded.Seeded): ReadonlyArray<Plan> => {
  let bag: ReadonlyArray<Failpoint> = []
  const failpoint = (): Plan => {
    if (bag.length === 0) bag = seeded.shuffle(failpoints(facts))
    const [first, ...rest] = bag
    const { name, times } = first!
    bag = rest
    return { _tag: "Failpoint", name, count: seeded.between(1, times), patience: Math.max(8_000, 3 * length) }
  }
  const instant = (): number => seeded.between(0, seeded.next() < 0.5 ? length / 5 : length)
  const make = (kind: typeof kinds[number]): Plan => {
    switch (kind) {
      case "Failpoint":
        return failpoint()
      case "Starting":
        return { _tag: kind, after: seeded.between(100, 800) }
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
