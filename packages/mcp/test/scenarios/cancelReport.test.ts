/**
 * The report of a cancelled tree as a peer gets it: on request, once the tree is at rest, and only a peer that is trusted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Bench from "../support/Bench.ts"

const key = "dev.coppice/cancel-report"
const asking = { _meta: { [key]: { wait: 1_000 } } }
const tree = [["child", "c", []], ["child", "d", []]]

const story = (name: string, tell: (bench: Bench.Bench) => Promise<void>) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const bench = yield* Bench.make("HTTP")
      yield* Effect.promise(() => tell(bench))
    }).pipe(Effect.provide(Bench.layerOf({ offer: { trusted: ["alice"] } }))))

/** A task with two below it, and its handle. */
const begun = {
  "2025-11-25": async (bench: Bench.Bench, as: string) => {
    const peer = await bench.session({ as })
    const { task } = await peer.call("tools/call", { name: "always", arguments: { script: tree }, task: {} })
    return { peer, taskId: task.taskId as string }
  },
  "2026-07-28": async (bench: Bench.Bench, as: string) => {
    const peer = await bench.modern({ as })
    const { taskId } = await peer.call("tools/call", { name: "always", arguments: { script: tree } })
    return { peer, taskId: taskId as string }
  }
}

describe.each(Object.entries(begun))("%s", (_, begin) => {
  story("a trusted peer that asks is told with the answer to its cancellation", async (bench) => {
    const { peer, taskId } = await begin(bench, "alice")
    const { _meta } = await bench.hasten(peer.call("tasks/cancel", { taskId, ...asking }))
    const report = _meta[key]
    assert.isTrue(report.converged)
    assert.strictEqual(report.totals.stopped, 3)
    assert.lengthOf(report.nodes, 3)
    // and whenever it asks again
    const again = await bench.hasten(peer.call("tasks/get", { taskId, ...asking }))
    assert.deepStrictEqual(again._meta[key], report)
  })

  story("a peer that does not ask is told nothing of it", async (bench) => {
    const { peer, taskId } = await begin(bench, "alice")
    assert.isUndefined((await peer.call("tasks/cancel", { taskId }))._meta?.[key])
  })

  story("a peer that is not trusted is told nothing of it, and cancels like any other", async (bench) => {
    const { peer, taskId } = await begin(bench, "bob")
    assert.isUndefined((await peer.call("tasks/cancel", { taskId, ...asking }))._meta?.[key])
    assert.strictEqual((await peer.call("tasks/get", { taskId, ...asking })).status, "cancelled")
  })
})
