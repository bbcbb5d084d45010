/**
 * What all seeds together did and saw.
 */
import type { Failure, Report } from "../../Simulation.ts"
import type { FaultKind } from "./faults.ts"
import type { Outcome } from "./trial.ts"

const count = <K>(map: Map<K, number>, key: K, by: number): void => void map.set(key, (map.get(key) ?? 0) + by)

export class Tally {
  private seeds = 0
  private readonly faults = new Map<FaultKind, number>()
  private readonly checked = new Map<string, number>()
  private readonly states = new Set<string>()
  private readonly transitions = new Set<string>()
  private readonly failpoints = new Set<string>()
  private readonly sums = { facts: 0, effects: 0, messages: 0, virtual: 0 }

  add({ elapsed, history, messages, verdicts }: Outcome): void {
    this.seeds++
    this.sums.messages += messages
    this.sums.virtual += elapsed
    for (const { checked, name } of verdicts) count(this.checked, name, checked)
    const last = new Map<string, string>()
    for (const entry of history.entries) {
      switch (entry._tag) {
        case "Struck":
          count(this.faults, entry.fault.kind, 1)
          break
        case "Lived":
          if (/^(before|after):/.test(entry.why)) this.failpoints.add(entry.why)
          break
        case "Acted":
          if (entry.phase === "happens") this.sums.effects++
          break
        case "Fact": {
          const { envelope: { event, task }, node } = entry
          const id = `${node} ${task}`
          const before = last.get(id) ?? "nothing"
          this.sums.facts++
          this.transitions.add(`${before} → ${event._tag}`)
          this.states.add(
            event._tag === "Failed"
              ? `Failed (${event.reason})`
              : event._tag === "Settled"
              ? `Settled (${event.how})`
              : event._tag
          )
          last.set(id, event._tag)
        }
      }
    }
  }

  report(failures: ReadonlyArray<Failure>, real: number): Report {
    const { checked, failpoints, faults, seeds, states, sums, transitions } = this
    return { seeds, failures, faults, checked, states, transitions, failpoints, ...sums, real }
  }
}
