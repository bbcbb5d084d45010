/**
 * What the Coppice that does a task's work is told while it runs: in the order it was said here, one after the other, each
 * until that one has said what became of it. What it said is a step of the task, so that a later process goes on where
 * this one ended.
 */
import * as Backoff from "@coppice/task/Backoff"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import type { Entry } from "@coppice/task/TaskLog"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Json } from "effect/Schema"
import type { McpClient } from "../../McpClient.ts"
import { type Reply, writeSaid } from "../steering.ts"
import { Bell } from "./Bell.ts"
import type { TaskReference } from "./task.ts"
import { isTrouble } from "./verdict.ts"

const prefix = "remote:steer:"

/** How long to wait before it is told again. */
const patience: Backoff.Backoff = { first: "1 second", most: "1 minute" }

export type Steered = TaskEvent & { readonly _tag: "Steered" }

const saidOf = (nth: number, { budget, by, deadline, message, priority, subtree }: Steered, entry: Entry) => ({
  nth,
  by,
  ...message === undefined ? {} : { message },
  ...priority === undefined ? {} : { priority },
  // what was said later may have left it less time
  ...deadline === undefined ? {} : { deadline: Math.min(deadline, entry.state.deadline ?? deadline) },
  ...budget === undefined ? {} : { budget },
  ...subtree === undefined ? {} : { subtree }
})

/** What the task keeps of the reply. */
const outcomeOf = (server: string, reply: Reply | undefined): Json => {
  if (reply === undefined) {
    return { how: "cannot", why: `server "${server}" does not take it from this service: it has to be trusted there` }
  }
  const { omitted, refused, told = [] } = reply
  if (refused !== undefined) return { how: "refused", why: refused }
  const there = told.map((one) => ({
    ...one,
    task: `${server}/${one.task}`,
    ...one.server === undefined ? {} : { server: `${server}/${one.server}` }
  }))
  return { how: "applied", told: there, ...omitted === undefined ? {} : { omitted } }
}

export interface TellingsOptions {
  readonly client: McpClient
  readonly entry: Entry
  /** What the task is called at the server; `undefined` before it has a name there. */
  readonly reference: () => TaskReference | undefined
  readonly record: (key: string, value: Json) => void
  /** What the task may use has changed: what it may use more counts as used before anybody is told. */
  readonly reserve: (nth: number) => Effect.Effect<void>
}

export class Tellings {
  private readonly options: TellingsOptions
  private readonly said = new Map<number, Steered>()
  /** What the server has answered to. */
  private readonly over: Set<number>
  private readonly bell = new Bell()

  constructor(options: TellingsOptions, steps: ReadonlyMap<string, Json>) {
    this.options = options
    this.over = new Set(
      [...steps].flatMap(([key, value]) =>
        key.startsWith(prefix) && value !== null ? [Number(key.slice(prefix.length))] : []
      )
    )
  }

  /** Something was said; its place in the log tells it apart. */
  add(nth: number, event: Steered): void {
    if (event.undeliverable === undefined) this.said.set(nth, event)
    this.bell.ring()
  }

  /** Whether there is anything to tell, now or later. */
  get isNeeded(): boolean {
    return this.said.size > 0
  }

  /** The task has a name at the server. */
  readonly begin = (): void => this.bell.ring()

  /** The server has lost the task: the next one has heard nothing. */
  forget(): void {
    for (const nth of this.over) this.options.record(`${prefix}${nth}`, null)
    this.over.clear()
  }

  private get next(): readonly [number, Steered] | undefined {
    for (const one of this.said) if (!this.over.has(one[0])) return one
    return undefined
  }

  /** Tells for as long as the task runs. */
  readonly run: Effect.Effect<never> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*(): Effect.fn.Return<never> {
      let failures = 0
      for (;;) {
        const reference = this.options.reference()
        const next = this.next
        if (reference === undefined || next === undefined) {
          yield* this.bell.wait("1 day")
        } else if (yield* this.tell(reference, ...next)) {
          failures = 0
        } else {
          yield* Effect.sleep(Backoff.delay(patience, ++failures, yield* Random.next))
        }
      }
    })
  )

  /** False when it has to be told again. */
  private tell(reference: TaskReference, nth: number, event: Steered): Effect.Effect<boolean> {
    const { client, entry, record, reserve } = this.options
    const said = writeSaid(saidOf(nth, event, entry))
    const told = Effect.map(client.steer(reference, said), (reply) => outcomeOf(client.name, reply))
    return (event.budget === undefined ? told : Effect.andThen(reserve(nth), told)).pipe(
      Effect.catch((error) =>
        error.isTransient || isTrouble(error)
          ? Effect.undefined
          : Effect.succeed<Json>({ how: "cannot", why: error.message })
      ),
      Effect.map((outcome) => {
        // another task has taken its place meanwhile
        if (outcome === undefined || this.options.reference() !== reference) return outcome !== undefined
        this.over.add(nth)
        record(`${prefix}${nth}`, outcome)
        return true
      })
    )
  }
}
