/**
 * A host that declines before anybody can have read the question has not delivered it: the question stays open, waits for
 * another door, and is not asked again and again.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { idOf } from "../suites/Case.ts"
import * as Bench from "../support/Bench.ts"

const no = { action: "decline" }
const asksOnce = [["ask", "q"], ["complete", "done"]]

/** What became of the task's question: what doors said of it, and how it ended. */
const course = async ({ run, tasks }: Bench.Bench, task: { readonly taskId: string }) => {
  const events = await run(tasks.events({ run: idOf(task), since: 0, limit: 1_000 }))
  return events.flatMap(({ event }) => {
    if (event._tag === "InputReceived") return [`${event.response.action} by ${event.response.by}`]
    return event._tag === "InputOffered" ? [`${event.how} at ${event.door}`] : []
  })
}

/** The same, once there is something to tell. */
const told = async (bench: Bench.Bench, task: { readonly taskId: string }) => {
  while ((await course(bench, task)).length === 0) await bench.advance(0)
  return course(bench, task)
}

const unread = "undelivered at mcp:alice"
const read = "delivered at mcp:alice"

/** Runs a case over both wires. */
const each = (name: string, run: (bench: Bench.Bench) => Promise<void>) =>
  it.effect.each(Bench.wires)(`${name}, over %s`, (wire) =>
    Effect.gen(function*() {
      const bench = yield* Bench.make(wire)
      yield* Effect.promise(() => run(bench))
    }).pipe(Effect.provide(Bench.layer)))

describe("a host of 2025-11-25", () => {
  each(
    "that declines at once leaves the question open, and is asked again only when it comes again, once",
    async (bench) => {
      const peer = await bench.session()
      const task = await peer.start("always", asksOnce)
      await peer.answer(await peer.next("elicitation/create"), no)
      await told(bench, task)
      assert.strictEqual((await peer.call("tasks/get", task)).status, "input_required")
      assert.deepStrictEqual(peer.inbox.left("elicitation/create"), [])
      const waiting = peer.request("tasks/result", task)
      await peer.answer(await peer.next("elicitation/create"), no)
      while ((await course(bench, task)).length < 2) await bench.advance(0)
      const more = peer.request("tasks/result", task)
      await peer.call("tasks/get", task)
      assert.deepStrictEqual(peer.inbox.left("elicitation/create"), [])
      assert.deepStrictEqual(await course(bench, task), [unread, unread])
      await bench.run(bench.tasks.respond({
        id: idOf(task),
        response: { action: "accept", content: { name: "Ada" }, by: "ada" }
      }))
      for (const { response } of [waiting, more]) assert.isUndefined((await response).error)
    }
  )

  each("whose question has been there for a while is believed, however fast it is", async (bench) => {
    const peer = await bench.session()
    const task = await peer.start("always", asksOnce)
    const question = await peer.next("elicitation/create")
    await bench.advance(399)
    assert.deepStrictEqual(await course(bench, task), [])
    await bench.advance(1)
    assert.deepStrictEqual(await told(bench, task), [read])
    await peer.answer(question, no)
    await peer.request("tasks/result", task).response
    assert.deepStrictEqual(await course(bench, task), [read, "decline by alice"])
  })

  each("may accept as fast as it likes", async (bench) => {
    const peer = await bench.session()
    const task = await peer.start("always", asksOnce)
    await peer.answer(await peer.next("elicitation/create"), { action: "accept", content: { name: "Ada" } })
    await peer.request("tasks/result", task).response
    assert.deepStrictEqual(await course(bench, task), ["accept by alice"])
  })

  each("that cannot ask, or answers with an error, has not delivered", async (bench) => {
    const mute = await bench.session({ capabilities: {} })
    const task = await mute.start("always", asksOnce)
    assert.strictEqual((await mute.call("tasks/get", task)).status, "input_required")
    assert.deepStrictEqual(await told(bench, task), [unread])
    const broken = await bench.session()
    const other = await broken.start("always", asksOnce)
    await broken.reject(await broken.next("elicitation/create"), -32601)
    assert.strictEqual((await broken.call("tasks/get", other)).status, "input_required")
    assert.deepStrictEqual(await told(bench, other), [unread])
  })

  each("that declines at once does not speak for another session of the same principal", async (bench) => {
    const [first, second] = [await bench.session(), await bench.session()]
    const task = await first.start("always", asksOnce)
    await first.answer(await first.next("elicitation/create"), no)
    await second.call("tasks/get", task)
    const question = await second.next("elicitation/create")
    await bench.advance(1_000)
    await second.answer(question, no)
    await second.request("tasks/result", task).response
    assert.deepStrictEqual(await course(bench, task), [unread, read, "decline by alice"])
  })
})

describe("a host of 2026-07-28", () => {
  const decline = (task: { readonly taskId: string }) => ({ taskId: task.taskId, inputResponses: { q: no } })

  each("that declines in the same breath is not believed, and is not asked a third time", async (bench) => {
    const peer = await bench.modern()
    const task = await peer.start("always", asksOnce)
    for (let asked = 1; asked <= 2; asked++) {
      const { inputRequests, status } = await peer.call("tasks/get", task)
      assert.deepStrictEqual([status, Object.keys(inputRequests)], ["input_required", ["q"]])
      await peer.call("tasks/update", decline(task))
    }
    const { inputRequests, status } = await peer.call("tasks/get", task)
    assert.deepStrictEqual([status, inputRequests], ["working", undefined])
    assert.deepStrictEqual(await course(bench, task), [unread, unread])
    assert.strictEqual((await bench.run(bench.tasks.get(idOf(task)))).status, "input_required")
  })

  each("that polls and declines later is believed", async (bench) => {
    const peer = await bench.modern()
    const task = await peer.start("always", asksOnce)
    await peer.call("tasks/get", task)
    await bench.advance(300)
    await peer.call("tasks/get", task)
    await bench.advance(100)
    await peer.call("tasks/update", decline(task))
    assert.deepStrictEqual(await course(bench, task), [read, "decline by alice"])
  })

  each("that knows no tasks is asked in two rounds, then its call waits for another door", async (bench) => {
    const peer = await bench.modern({ capabilities: { elicitation: { form: {} } } })
    const { requestState } = (await peer.tool("never", asksOnce).response).result
    const again = { requestState, inputResponses: { q: no } }
    const { inputRequests, requestState: next } = (await peer.tool("never", asksOnce, again).response).result
    assert.deepStrictEqual(Object.keys(inputRequests), ["q"])
    const last = peer.tool("never", asksOnce, { requestState: next, inputResponses: { q: no } })
    const task = { taskId: await bench.hand.started() }
    while ((await course(bench, task)).length < 2) await bench.advance(0)
    await bench.run(bench.tasks.respond({
      id: idOf(task),
      response: { action: "accept", content: { name: "Ada" }, by: "ada" }
    }))
    assert.deepStrictEqual((await last.response).result.content, [{ type: "text", text: "done" }])
  })
})
