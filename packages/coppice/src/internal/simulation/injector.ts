/**
 * Hands out the faults of a seed, and notes which ones took effect.
 */
import type { Fault, FaultKind } from "./faults.ts"
import type { History } from "./history.ts"
import type { World } from "./world.ts"

export class Injector {
  private readonly world: World
  private readonly history: History
  readonly faults: ReadonlyArray<Fault>
  /** No more faults from here on. */
  isOver = false

  constructor(world: World, history: History, faults: ReadonlyArray<Fault>) {
    this.world = world
    this.history = history
    this.faults = faults
  }

  /** The fault of the `nth` message, call or question. */
  nth(kind: FaultKind, nth: number): Fault | undefined {
    return this.find((fault) => fault.kind === kind && fault.nth === nth)
  }

  /** The fault of a node's commit, of which `counts` says the how-manieth it is, of all and of those with a certain fact. */
  atCommit(kind: FaultKind, node: string, counts: ReadonlyMap<string, number>): Fault | undefined {
    return this.find((fault) =>
      fault.kind === kind && fault.node === node && counts.get(fault.fact ?? "") === fault.nth
    )
  }

  /** Those that happen at a time. */
  get timed(): ReadonlyArray<Fault> {
    return this.faults.filter(({ at }) => at > 0)
  }

  strike(fault: Fault): void {
    this.history.add({ _tag: "Struck", at: this.world.elapsed, fault })
  }

  private find(matches: (fault: Fault) => boolean): Fault | undefined {
    const found = this.isOver ? undefined : this.faults.find(matches)
    if (found !== undefined) this.strike(found)
    return found
  }
}
