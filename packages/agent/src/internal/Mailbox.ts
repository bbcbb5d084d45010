import type { Delivery } from "./Journal.ts"

/** Facts on their way to the code, in the order of the log. */
export class Mailbox {
  private facts: Array<Delivery>
  private head = 0
  private readonly lastSeq: number
  /** Made when it is first asked for. */
  private keys: Set<string> | undefined

  /** `facts` are those up to `lastSeq`. */
  constructor(facts: ReadonlyArray<Delivery>, lastSeq: number) {
    this.facts = facts.length === 0 ? [] : [...facts]
    this.lastSeq = lastSeq
  }

  get isEmpty(): boolean {
    return this.head === this.facts.length
  }

  get first(): Delivery | undefined {
    return this.facts[this.head]
  }

  /** False when the fact was known already. */
  push(delivery: Delivery): boolean {
    if (delivery.seq <= this.lastSeq) return false
    this.facts.push(delivery)
    this.keys?.add(delivery.key)
    return true
  }

  shift(): void {
    const { key } = this.facts[this.head++]!
    this.keys?.delete(key)
    if (this.isEmpty) this.facts = []
    else if (this.head > 1_024) this.facts = this.facts.slice(this.head)
    else return
    this.head = 0
  }

  has(key: string): boolean {
    this.keys ??= new Set(this.facts.slice(this.head).map((fact) => fact.key))
    return this.keys.has(key)
  }

  /** The first key for which `isWanted`. */
  find(isWanted: (key: string) => boolean): string | undefined {
    return this.facts.slice(this.head).find(({ key }) => isWanted(key))?.key
  }
}
