/**
 * What a task is told by the Coppice that called it: heard once, from a peer that is trusted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { idOf } from "../suites/Case.ts"
import * as Bench from "../support/Bench.ts"
import type { RawPeer } from "../support/RawPeer.ts"

const key = "dev.coppice/steer"
const tree = [["child", "c", []]]

const story = (name: string, tell: (bench: Bench.Bench) => Promise<void>) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const bench = yield* Bench.make("HTTP")
      yield* Effect.promise(() => tell(bench))
    }).pipe(Effect.provide(Bench.layerOf({ offer: { trusted: ["alice"] } }))))

/** A task with one below it, and how it is told something. */
const begun = {
  "2025-11-25": async (bench: Bench.Bench, as: string) => {
    const peer = await bench.session({ as })
    const { task } = await peer.call("tools/call", { name: "always", arguments: { script: tree }, task: {} })
    return telling(bench, peer, task.taskId)
  },
  "2026-07-28": async (bench: Bench.Bench, as: string) => {
    const peer = await bench.modern({ as })
    const { taskId } = await peer.call("tools/call", { name: "always", arguments: { script: tree } })
    return telling(bench, peer, taskId)
  }
}

const telling = (
  bench: Bench.Bench,
  peer: RawPeer,
  taskId: string
) => {
  const id = idOf({ taskId })
  const tell = async (said: object) => (await peer.call("tasks/get", { taskId, _meta: { [key]: said } }))._meta?.[key]
  const heard = async () => {
    const facts = await bench.run(bench.tasks.events({ run: id, since: 0, limit: 100 }))
    return facts.flatMap(({ event, task }) =>
      event._tag === "Steered" ? [`${task === id ? "root" : "child"} ${event.by}: ${event.message}`] : []
    )
  }
  return { id, tell, heard, bench, taskId }
}

describe.each(Object.entries(begun))("%s", (_, begin) => {
  story("a trusted peer tells it and all below it, and what is told again is nothing new", async (bench) => {
    const { heard, id, tell } = await begin(bench, "alice")
    const first = { nth: 5, by: "ada", message: "one", subtree: true }
    const { told } = await tell(first)
    assert.deepStrictEqual(told.map(({ how }: { readonly how: string }) => how), ["applied", "applied"])
    assert.strictEqual(told[0].task, id)
    assert.deepStrictEqual(await tell(first), { told: [] })
    await tell({ nth: 7, by: "ada", message: "two" })
    // the answer to an earlier one was lost, and it comes late
    assert.deepStrictEqual(await tell(first), { told: [] })
    assert.deepStrictEqual(await heard(), ["root ada: one", "child ada: one", "root ada: two"])
  })

  story("what makes no sense is answered, or is as if it were not there", async (bench) => {
    const { heard, id, taskId, tell } = await begin(bench, "alice")
    assert.match((await tell({ nth: 1, by: "ada", budget: { calls: 3 } })).refused, /started without one/)
    assert.isUndefined(await tell({ by: "ada", message: "no number" }))
    assert.isUndefined(await tell({ nth: 1, by: "ada", message: 7 }))
    await bench.act({ taskId }, ["complete"])
    assert.match((await tell({ nth: 2, by: "ada", message: "late" })).refused, /already completed/)
    assert.deepStrictEqual(await heard(), [], id)
  })

  story("a peer that is not trusted tells nobody anything", async (bench) => {
    const { heard, tell } = await begin(bench, "bob")
    assert.isUndefined(await tell({ nth: 1, by: "ada", message: "one" }))
    assert.deepStrictEqual(await heard(), [])
  })
})
