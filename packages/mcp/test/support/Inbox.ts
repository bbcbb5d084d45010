/**
 * Messages that came in and nobody has taken yet, and whoever waits for one.
 */

/** A JSON-RPC message as it came over the wire. */
export interface Message {
  readonly jsonrpc?: string
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: any
  readonly result?: any
  readonly error?: { readonly code: number; readonly message: string; readonly data?: any }
}

/** Where it came: on the stream of a request (its id), on the standing one, or by the pipe. */
export type Via = string | number

export interface Arrived {
  readonly message: Message
  readonly via: Via
}

export class Inbox {
  private readonly arrived: Array<Arrived> = []
  private readonly waiting: Array<{ readonly wants: (at: Arrived) => boolean; readonly take: (at: Arrived) => void }> =
    []

  add(at: Arrived): void {
    const index = this.waiting.findIndex(({ wants }) => wants(at))
    if (index < 0) this.arrived.push(at)
    else this.waiting.splice(index, 1)[0]!.take(at)
  }

  /** The next message that is wanted, taken out; one that has arrived already counts. */
  take(wants: (at: Arrived) => boolean): Promise<Arrived> {
    const index = this.arrived.findIndex(wants)
    if (index >= 0) return Promise.resolve(this.arrived.splice(index, 1)[0]!)
    return new Promise((take) => this.waiting.push({ wants, take }))
  }

  /** What of this kind lies here untaken. */
  left(method: string): ReadonlyArray<Arrived> {
    return this.arrived.filter(({ message }) => message.method === method)
  }
}
