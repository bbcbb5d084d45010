/**
 * The faults a person can ask for, by what is typed into one line.
 */
import type { FaultRequest } from "@coppice/api/DevApi"

export interface NetworkFault {
  readonly kind: "delay" | "too-many-requests" | "drop-network" | "duplicate"
  readonly label: string
  /** What the number is, and what it is when nobody changes it. */
  readonly unit: string
  readonly initial: number
  readonly about: string
}

export const networkFaults: ReadonlyArray<NetworkFault> = [
  { kind: "delay", label: "Delay", unit: "seconds", initial: 3, about: "every request to it begins later" },
  {
    kind: "too-many-requests",
    label: "Answer 429",
    unit: "times",
    initial: 5,
    about: "the next requests are refused and do not reach it"
  },
  {
    kind: "drop-network",
    label: "Cut",
    unit: "seconds",
    initial: 30,
    about: "no request reaches it, and what is open is cut"
  },
  { kind: "duplicate", label: "Send twice", unit: "times", initial: 1, about: "the next requests reach it twice" }
]

/** Within what the service takes: 1 ms to an hour, 1 to 1,000 times. */
const within = (value: number, most: number): number => Math.max(1, Math.min(most, Math.round(value)))

export const requestOf = (kind: NetworkFault["kind"], target: string, amount: number): FaultRequest => {
  switch (kind) {
    case "delay":
    case "drop-network":
      return { kind, target, millis: within(amount * 1_000, 3_600_000) }
    case "too-many-requests":
    case "duplicate":
      return { kind, target, times: within(amount, 1_000) }
  }
}

const hour = 3_600_000

export const jumps: ReadonlyArray<{ readonly label: string; readonly millis: number }> = [
  { label: "1 hour", millis: hour },
  { label: "1 day", millis: 24 * hour },
  { label: "3 days", millis: 72 * hour }
]
