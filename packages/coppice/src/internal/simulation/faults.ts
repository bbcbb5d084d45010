/**
 * What can go wrong, as data: each fault names a place and a time, so that a seed's list can be printed and shortened.
 */
import type { Dice } from "./dice.ts"

/** Every kind of fault a simulation knows. */
export const faultKinds = [
  /** The process dies at some time, in the middle of anything. */
  "crash",
  /** It dies at a commit, before it or right after it. */
  "crash-before-write",
  "crash-after-write",
  /** It is told to stop, and is started again. */
  "stop",
  /** It is frozen for a while, as by SIGSTOP. */
  "pause",
  "clock-forward",
  "clock-back",
  /** Commits fail until there is room again. */
  "disk-full",
  /** A commit fails for good, written or not: the service ends. */
  "disk-error",
  "disk-slow",
  /** Of messages between clients and nodes, and between nodes. */
  "lose",
  "duplicate",
  "delay",
  "partition",
  /** Of outside services: an error before anything happened, a reply lost after it, too many requests, slowness. */
  "outside-error",
  "outside-lost-reply",
  "outside-429",
  "outside-slow",
  /** Of the person: never answers, answers much later, answers twice. */
  "silent-human",
  "late-human",
  "double-answer"
] as const

export type FaultKind = typeof faultKinds[number]

export interface Fault {
  readonly kind: FaultKind
  /** The node it happens to, or one end of a link. */
  readonly node: string
  /** The other end. */
  readonly to: string
  /** Milliseconds after the beginning. */
  readonly at: number
  /** Which one of the node's commits, of all messages, calls or questions. */
  readonly nth: number
  /** Counts only commits that hold such a fact. */
  readonly fact?: string | undefined
  /** Milliseconds it lasts, or by which a clock is set. */
  readonly millis: number
}

const counted: ReadonlySet<FaultKind> = new Set([
  "crash-before-write",
  "crash-after-write",
  "disk-error",
  "lose",
  "duplicate",
  "delay",
  "outside-error",
  "outside-lost-reply",
  "outside-429",
  "outside-slow",
  "silent-human",
  "late-human",
  "double-answer"
])

const lengths: Partial<Record<FaultKind, readonly [number, number]>> = {
  "pause": [10, 20_000],
  // at least two seconds: less is what clocks differ by anyway
  "clock-forward": [2_000, 7_200_000],
  "clock-back": [2_000, 7_200_000],
  "disk-full": [10, 5_000],
  "disk-slow": [1, 200],
  "delay": [1, 8_000],
  "partition": [100, 40_000],
  "outside-slow": [100, 20_000],
  "outside-429": [100, 5_000],
  "late-human": [60_000, 7_200_000]
}

const positions: Partial<Record<FaultKind, number>> = {
  "crash-before-write": 40,
  "crash-after-write": 40,
  "disk-error": 40,
  "lose": 60,
  "duplicate": 60,
  "delay": 60,
  "silent-human": 4,
  "late-human": 4,
  "double-answer": 4
}

/** Facts at whose commits it is worth dying. */
const facts = [
  "Created",
  "Started",
  "StepRecorded",
  "InputRequested",
  "InputReceived",
  "TimerSet",
  "TimerFired",
  "Completed",
  "Cancelled",
  "Settled"
]

/** Small numbers are as likely as large ones: most of what happens happens early. */
const skewed = (dice: Dice, from: number, to: number): number => Math.round(from * (to / from) ** dice.next())

/** Up to twelve faults of these kinds. `span`: milliseconds within which the scenario is expected to do its work. */
export const planFaults = (
  dice: Dice,
  { kinds, nodes, span }: {
    readonly kinds: ReadonlyArray<FaultKind>
    readonly nodes: ReadonlyArray<string>
    readonly span: number
  }
): ReadonlyArray<Fault> => {
  if (kinds.length === 0) return []
  const count = dice.chance(0.1) ? 0 : 1 + dice.below(12)
  // a few kinds at a time: some bugs need the same fault again and again
  const chosen = Array.from({ length: 1 + dice.below(5) }, () => dice.pick(kinds))
  return Array.from({ length: count }, () => {
    const kind = dice.pick(chosen)
    const [from, to] = lengths[kind] ?? [1, 1]
    const fact = kind.endsWith("-write") && dice.chance(0.6) ? dice.pick(facts) : undefined
    return {
      kind,
      node: dice.pick(nodes),
      to: dice.pick(nodes),
      at: counted.has(kind) ? 0 : skewed(dice, 1, span),
      nth: counted.has(kind) ? dice.below(fact === undefined ? positions[kind] ?? 30 : 4) : 0,
      ...fact === undefined ? {} : { fact },
      millis: skewed(dice, from, to)
    }
  })
}

export const describeFault = ({ at, fact, kind, millis, node, nth, to }: Fault): string => {
  const lasts = kind in lengths ? `, ${millis} ms` : ""
  if (kind === "partition") return `partition between ${node} and ${to === node ? "clients" : to} at ${at} ms${lasts}`
  if (!counted.has(kind)) return `${kind} of ${node} at ${at} ms${lasts}`
  if (kind.startsWith("crash") || kind === "disk-error") {
    return `${kind} of ${node}, commit ${nth}${fact === undefined ? "" : ` with ${fact}`}`
  }
  const what = kind.startsWith("outside")
    ? "call"
    : kind.includes("human") || kind === "double-answer"
    ? "question"
    : "message"
  return `${kind} of ${what} ${nth}${lasts}`
}
