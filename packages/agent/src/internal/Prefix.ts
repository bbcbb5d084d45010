import type { Delivery } from "./Journal.ts"

/**
 * What a fork takes over from the run it was forked of: given to whoever asks, in the order of the first run as long as
 * the code asks as it did then. Nobody has to ask.
 */
export class Prefix {
  private readonly rest: Map<string, Delivery>

  constructor(deliveries: ReadonlyArray<Delivery>) {
    this.rest = new Map(deliveries.map((delivery) => [delivery.key, delivery]))
  }

  has(key: string): boolean {
    return this.rest.has(key)
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
