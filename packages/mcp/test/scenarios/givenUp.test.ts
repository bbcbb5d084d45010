/**
 * A call that its caller gives up by its key, in both revisions: its task is stopped, and none is ever started by that.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { idOf } from "../suites/Case.ts"
import * as Bench from "../support/Bench.ts"

const key = "dev.coppice/idempotency-key"
const withdrawn = "dev.coppice/withdrawn"
const reported = "dev.coppice/cancel-report"

const keyed = { _meta: { [key]: "k1" } }
const givenUp = { _meta: { [key]: "k1", [withdrawn]: true, [reported]: { wait: 1_000 } } }

const story = (name: string, tell: (bench: Bench.Bench) => Promise<void>) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const bench = yield* Bench.make("HTTP")
      yield* Effect.promise(() => tell(bench))
    }).pipe(Effect.provide(Bench.layerOf({ offer: { trusted: ["alice"] } }))))

const peers = {
  "2025-11-25": (bench: Bench.Bench, as: string) => bench.session({ as }),
  "2026-07-28": (bench: Bench.Bench, as: string) => bench.modern({ as })
}

/** The roots there are, and how often each was begun. */
const roots = (bench: Bench.Bench) =>
  bench.run(Effect.map(bench.tasks.list({ limit: 10, rootsOnly: true }), (all) => all.map(({ attempt }) => attempt)))

describe.each(Object.entries(peers))("%s", (revision, open) => {
  const task = revision === "2025-11-25" ? { task: {} } : {}

  for (const name of ["always", "slow", "never"]) {
    story(
      `a call of a tool that becomes a task ${name} is given up before it arrives, and does not run then`,
      async (bench) => {
        const peer = await open(bench, "alice")
        const { _meta, content } = await bench.hasten(peer.tool(name, [], givenUp).response).then(({ result }) =>
          result
        )
        assert.deepStrictEqual([content, _meta[withdrawn]], [[], "cancelled"])
        assert.deepStrictEqual([_meta[reported].converged, _meta[reported].totals.stopped], [true, 1])
        assert.deepStrictEqual(bench.hand.held(), [])
        const late = await bench.hasten(peer.tool(name, [], keyed).response)
        // where it is a task whatever becomes of it, the task says so
        assert.strictEqual(late.error?.data.reason ?? late.result.status, "cancelled")
        assert.deepStrictEqual(bench.hand.held(), [])
        assert.deepStrictEqual(await roots(bench), [0])
      }
    )
  }

  story("a call that is under way is stopped with all below it, however often it is given up", async (bench) => {
    const peer = await open(bench, "alice")
    const started = await peer.start("always", [["child", "c", []], ["child", "d", []]], { ...task, ...keyed })
    const give = () => bench.hasten(peer.tool("always", [["child", "c", []], ["child", "d", []]], givenUp).response)
    for (const { result } of [await give(), await give()]) {
      assert.strictEqual(result._meta[withdrawn], "cancelled")
      assert.deepStrictEqual([result._meta[reported].converged, result._meta[reported].totals.stopped], [true, 3])
    }
    assert.strictEqual((await peer.call("tasks/get", { taskId: started.taskId })).status, "cancelled")
    assert.deepStrictEqual(await roots(bench), [1])
  })

  story("a call that has ended stays as it ended", async (bench) => {
    const peer = await open(bench, "bob")
    const started = await peer.start("always", [], { ...task, ...keyed })
    await bench.act(started, ["complete", 1])
    await bench.run(bench.tasks.result(idOf(started)))
    const { result } = await peer.tool("always", [], givenUp).response
    assert.strictEqual(result._meta[withdrawn], "completed")
    // a stranger is told no more than that
    assert.notProperty(result._meta, reported)
  })

  story("nobody gives up the call of another", async (bench) => {
    const alice = await open(bench, "alice")
    const started = await alice.start("always", [], { ...task, ...keyed })
    const bob = await open(bench, "bob")
    await bench.hasten(bob.tool("always", [], givenUp).response)
    assert.strictEqual((await alice.call("tasks/get", { taskId: started.taskId })).status, "working")
  })

  story("without a key there is nothing to give up, and the call is made", async (bench) => {
    const peer = await open(bench, "alice")
    const started = await peer.start("always", [], { ...task, _meta: { [withdrawn]: true } })
    assert.strictEqual(started.status, "working")
  })
})
