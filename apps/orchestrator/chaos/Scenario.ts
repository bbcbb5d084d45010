/**
 * What clients do with the service, one run at a time, and what they compare afterwards.
 */
import type { TaskResult } from "@coppice/api/TasksApi"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { isDeepStrictEqual } from "node:util"
import type { Client } from "./Client.ts"
import * as Witness from "./Witness.ts"

/** One run to submit. */
export interface Order {
  /** Unique in the history; also the idempotency key. */
  readonly name: string
  readonly agent: string
  readonly input: { readonly [name: string]: Json }
  /** The folder the run writes, when it writes one. */
  readonly output: string | undefined
  /** What the person says to a question; several say different things at once. `undefined` leaves it open. */
  readonly say: (message: string) => ReadonlyArray<Json> | undefined
  /** Milliseconds before the person answers. */
  readonly thinks: number
  /** Milliseconds after which the client cancels. */
  readonly cancelAfter: number | undefined
}

/** What came out of a run: its result without what names the run, and what it wrote. */
export interface Product {
  readonly result: Json
  readonly files: ReadonlyMap<string, string>
}

/** Answers what the person answers, until interrupted. */
const answering = Effect.fnUntraced(function*(client: Client, order: Order, run: string) {
  const answered = new Set<string>()
  while (true) {
    for (const { request, task } of yield* client.questions(run)) {
      const sayings = order.say(request.message)
      const id = `${task} ${request.key}`
      if (sayings === undefined || answered.has(id)) continue
      answered.add(id)
      yield* Effect.sleep(order.thinks)
      yield* Effect.forEach(sayings, (content) => client.answer(task, request.key, content), {
        concurrency: "unbounded",
        discard: true
      })
    }
    yield* Effect.sleep("40 millis")
  }
})

/** What is said of a run must be the same whatever its folder and the person's choice were. */
const neutral = (order: Order, { completed, failed }: TaskResult): Json => {
  if (completed === null) return { failed: failed?.message ?? "cancelled" }
  const { choice: _, ...output } = completed.output as Record<string, Json>
  if (order.output !== undefined) output["output"] = "its folder"
  return output
}

/** Submits the order and sees it through: to its result, or to the rest after its cancellation. */
export const carryOut = Effect.fnUntraced(function*(client: Client, order: Order, began: (run: string) => void) {
  const run = yield* client.submit(order.agent, order.input, order.name)
  began(run)
  const end = Effect.gen(function*() {
    if (order.cancelAfter !== undefined) {
      yield* Effect.sleep(order.cancelAfter)
      yield* client.cancel(run)
    }
    return yield* client.result(run)
  })
  const result = yield* Effect.raceFirst(end, answering(client, order, run))
  yield* client.settled(run)
  const files = order.output === undefined ? new Map<string, string>() : Witness.digests(order.output)
  return { result: neutral(order, result), files, isCancelled: result.cancelled !== null }
})

/** What is not the same as in the run nobody disturbed. */
export const differences = (reference: Product, actual: Product): ReadonlyArray<string> => [
  ...isDeepStrictEqual(reference.result, actual.result)
    ? []
    : [`the result is ${JSON.stringify(actual.result)}, it should be ${JSON.stringify(reference.result)}`],
  ...Witness.differing(reference.files, actual.files)
]
