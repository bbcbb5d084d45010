/**
 * The network between clients, nodes and the outside: every message takes its time, and some do not arrive.
 */
import type { Dice } from "./dice.ts"
import { dice } from "./dice.ts"
import type { Injector } from "./injector.ts"
import type { Process, World } from "./world.ts"

/** How long a sender waits before it gives a connection up that brings nothing, milliseconds. */
const resetAfter = 10_000

export interface Message {
  readonly from: string
  readonly to: string
  /** Whose turn it is when it arrives; `undefined`: nobody is there. */
  readonly receiver: () => Process | undefined
  readonly deliver: () => void
  /** The sender learns that the message did not arrive, or may not have. */
  readonly failed?: ((code: "ECONNREFUSED" | "ECONNRESET") => void) | undefined
  /** It will not arrive, which nobody knows yet. */
  readonly lost?: (() => void) | undefined
  readonly sender: Process
  /** Messages of one connection arrive in order. */
  readonly connection?: Connection | undefined
  /** It may arrive twice. */
  readonly repeatable?: boolean | undefined
}

/** What keeps messages in order. */
export class Connection {
  private last = 0
  arrival(at: number): number {
    this.last = Math.max(at, this.last + 0.001)
    return this.last
  }
}

export class Network {
  private readonly world: World
  private readonly injector: Injector
  private readonly dice: Dice
  private readonly process: Process
  /** Links that are cut, with the time at which they are whole again. */
  private readonly cuts = new Map<string, number>()
  sent = 0

  constructor(world: World, injector: Injector) {
    this.world = world
    this.injector = injector
    this.dice = dice(world.seed, "network")
    this.process = world.process("network")
  }

  cut(a: string, b: string, millis: number): void {
    this.cuts.set(link(a, b), this.world.elapsed + millis)
  }

  heal(): void {
    this.cuts.clear()
  }

  send(message: Message): void {
    const nth = this.sent++
    if (this.injector.nth("lose", nth) !== undefined) return this.lost(message)
    const late = this.injector.nth("delay", nth)?.millis ?? 0
    const wait = this.wait(message) + late
    if (wait > resetAfter) return this.lost(message)
    this.deliver(message, wait)
    if (message.repeatable === true && this.injector.nth("duplicate", nth) !== undefined) {
      this.deliver({ ...message, failed: undefined, connection: undefined }, wait + this.dice.next() * 500)
    }
  }

  /** Between 50 microseconds and a few milliseconds, and until a cut is over. */
  private wait({ from, to }: Message): number {
    const end = this.cuts.get(link(from, to)) ?? 0
    return Math.max(0, end - this.world.elapsed) + 0.05 + this.dice.next() ** 3 * 5
  }

  private lost({ failed, lost, sender }: Message): void {
    lost?.()
    if (failed !== undefined) this.world.after(sender, resetAfter, () => failed("ECONNRESET"))
  }

  private deliver(message: Message, wait: number): void {
    const { connection, failed, receiver, sender } = message
    const at = connection === undefined ? wait : connection.arrival(this.world.elapsed + wait) - this.world.elapsed
    this.world.after(this.process, at, () => {
      const target = receiver()
      if (target !== undefined) return void this.world.after(target, 0, message.deliver)
      if (failed !== undefined) this.world.after(sender, this.dice.next(), () => failed("ECONNREFUSED"))
    })
  }
}

const link = (a: string, b: string): string => a < b ? `${a} ${b}` : `${b} ${a}`
