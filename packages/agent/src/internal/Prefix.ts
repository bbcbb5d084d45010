import type { Delivery } from "./Journal.ts"

/**
 * What is there before it is asked for: what a fork takes over from the run it was forked of, and what came while the code
 * was busy outside of the log. Given to whoever asks, in this order as long as the code asks in it. Nobody has to ask.
 */
export class Prefix {
  private readonly rest: Map<string, Delivery>

  constructor(deliveries: ReadonlyArray<Delivery>) {
    this.rest = new Map(deliveries.map((delivery) => [delivery.key, delivery]))
  }

  has(key: string): boolean {
    return this.rest.has(key)
  }

  add(delivery: Delivery): "on" {
    this.rest.set(delivery.key, delivery)
    return "on"
  }

  /** The first of those that are asked for. */
  take(isAsked: (key: string) => boolean): Delivery | undefined {
    for (const [key, delivery] of this.rest) {
      if (!isAsked(key)) continue
      this.rest.delete(key)
      return delivery
    }
    return undefined
  }
}
