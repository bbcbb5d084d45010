/**
 * What people tell a running task, in the order of the log; each is read once.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Execution } from "./Execution.ts"
import { type Fact, toldKey } from "./Journal.ts"

type Told = Fact & { readonly _tag: "Told" }

export class Messages {
  private readonly execution: Execution
  private unread: Array<Told> = []
  /** Keys of those who wait, longest first. */
  private readonly waiting = new Set<string>()
  private asked = 0

  constructor(execution: Execution) {
    this.execution = execution
  }

  /** Under which key it is waited for; whoever asks later finds it otherwise. */
  take(told: Told): string {
    const [key] = this.waiting
    if (key === undefined) this.unread.push(told)
    else this.waiting.delete(key)
    return key ?? toldKey
  }

  /** All that were told and not read. */
  rest(): ReadonlyArray<Told> {
    const rest = this.unread
    this.unread = []
    return rest
  }

  /** The next one, now or when it comes. Waiting writes nothing. */
  next(): Effect.Effect<Told> {
    const { execution } = this
    const first = this.unread.shift()
    if (first !== undefined) return Effect.succeed(first)
    if (execution.isUnwinding) return Effect.interrupt
    const key = `${toldKey}:${this.asked++}`
    const leave = () => Effect.sync(() => void this.waiting.delete(key))
    return Effect.suspend(() => {
      this.waiting.add(key)
      return execution.operation<Told, never>({
        key,
        begin: () => {},
        interpret: (fact) =>
          fact._tag === "Told"
            ? Effect.succeed(fact)
            : Effect.die(new Error(`A message was answered by a ${fact._tag}`)),
        withdraw: leave,
        halt: leave,
        orphaned: () => execution.answer(key, Exit.interrupt())
      })
    })
  }
}
