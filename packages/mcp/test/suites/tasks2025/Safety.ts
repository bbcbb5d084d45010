/**
 * 2025-11-25: whose tasks are whose, and how much anybody may have.
 */
import { strict as assert } from "node:assert"
import { type Case, idOf } from "../Case.ts"

export const safety: ReadonlyArray<Case> = [
  {
    points: [60, 64],
    name: "somebody else's task is not there, for any request, and stands in no list but its owner's",
    run: async ({ hand, session }) => {
      const [alice, bob] = [await session({ as: "alice" }), await session({ as: "bob" })]
      const task = await alice.start("always", [["ask", "q"]])
      for (const method of ["tasks/get", "tasks/result", "tasks/cancel"]) {
        const [foreign, unknown] = [await bob.refused(method, task), await bob.refused(method, { taskId: "nothing" })]
        assert.deepEqual(foreign, unknown)
        assert.equal(foreign.code, -32602)
      }
      assert.deepEqual((await bob.call("tasks/list")).tasks, [])
      assert.deepEqual((await alice.call("tasks/list")).tasks.map(({ taskId }: any) => taskId), [task.taskId])
      assert.deepEqual(bob.inbox.left("elicitation/create"), [])
      assert.deepEqual(hand.held(), [idOf(task)])
    }
  },
  {
    points: [60],
    name: "somebody else's session is not there either",
    only: "HTTP",
    run: async ({ session }) => {
      const [alice, bob] = [await session({ as: "alice" }), await session({ as: "bob" })]
      const task = await alice.start("always", [])
      const taken = bob.request("tasks/get", task, { "mcp-session-id": alice.session! })
      assert.equal((await taken.head)?.status, 404)
    }
  },
  {
    points: [62],
    name: "a task's id cannot be made from what stands in logs, nor from another id",
    run: async ({ session }) => {
      const peer = await session({ as: null, stands: false })
      const tasks = await Promise.all(Array.from({ length: 50 }, () => peer.start("always", [])))
      const secrets = tasks.map(({ taskId }) => taskId.slice(21))
      assert.equal(new Set(secrets).size, 50)
      for (const secret of secrets) assert.match(secret, /^[\w-]{22}$/) // 132 bits
      for (const other of secrets.slice(1)) {
        const { code } = await peer.refused("tasks/get", { taskId: `${idOf(tasks[0])}-${other}` })
        assert.equal(code, -32602)
      }
      assert.equal((await peer.call("tasks/get", tasks[0])).status, "working")
    }
  },
  {
    points: [63],
    name: "callers nobody can tell apart cannot list tasks",
    run: async ({ session }) => {
      const peer = await session({ as: null })
      assert.deepEqual(peer.initialized.capabilities.tasks, { cancel: {}, requests: { tools: { call: {} } } })
      const { code } = await peer.refused("tasks/list")
      assert.equal(code, -32601)
    }
  },
  {
    points: [66],
    name: "an agent that has as many tasks as it may have refuses more, with a hint when to come again",
    run: async ({ hand, session }) => {
      const peer = await session()
      await peer.start("narrow", [])
      const { code, data } = await peer.refused("tools/call", { name: "narrow", arguments: {}, task: {} })
      assert.equal(code, -32603)
      assert.equal(data.retryable, true)
      assert.ok(data.retryAfterMs > 0)
      assert.equal(hand.held().length, 1)
    }
  },
  {
    points: [67],
    name: "making and ending a task are facts that say who",
    run: async ({ run, session, tasks }) => {
      const peer = await session()
      const task = await peer.start("always", [])
      await peer.call("tasks/cancel", task)
      const facts = await run(tasks.events({ run: idOf(task), since: 0, limit: 10 }))
      const whos = facts.flatMap(({ event }) =>
        event._tag === "Created" ? [event.spec.principal] : event._tag === "Cancelled" ? [event.by] : []
      )
      assert.deepEqual(whos, ["alice", "alice"])
    }
  }
]
