/** Recorded effects: their keys, their results, and the key to hand to the other side. */
import { Agent, Orchestrator, Step } from "coppice"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const charged = new Map<string, number>()

/** Stands for a payment service that knows idempotency keys. */
const charge = (key: string, cents: number) =>
  Effect.sync(() => {
    if (!charged.has(key)) charged.set(key, cents)
    return { receipt: charged.size }
  })

const Order = Agent.make("order", {
  description: "Charges for items and writes down when",
  input: Schema.Struct({ items: Schema.Array(Schema.Struct({ name: Schema.String, cents: Schema.Int })) }),
  output: Schema.Struct({ receipts: Schema.Array(Schema.Int), year: Schema.Int })
})

// #region handler
const OrderLive = Order.toLayer(
  Effect.fn("order")(function*({ items }) {
    const receipts = yield* Effect.forEach(
      items,
      (item) => Step.run("charge", item, Effect.flatMap(Step.idempotencyKey, (key) => charge(key, item.cents)))
    )
    const at = yield* Step.run("now", null, DateTime.nowAsDate, { success: Schema.Date })
    return { receipts: receipts.map(({ receipt }) => receipt), year: at.getUTCFullYear() }
  })
)
// #endregion handler

const orchestrator = Orchestrator.make({ agents: [OrderLive] })
const items = [{ name: "tea", cents: 300 }, { name: "tea", cents: 300 }, { name: "cup", cents: 900 }]
const program = Orchestrator.run("order", { items })

const { ending, task } = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
assert(ending._tag === "Completed", JSON.stringify(ending))
const { receipts, year } = ending.result as { readonly receipts: ReadonlyArray<number>; readonly year: number }
assert.deepEqual(receipts, [1, 2, 3])
assert(year >= 2026)
// equal inputs are told apart by their order, and every key begins with the task's id
assert.equal(charged.size, 3)
assert([...charged.keys()].every((key) => key.startsWith(`${task.id}/`)))
console.log([...charged.keys()].map((key) => key.slice(task.id.length)).join("\n"))
