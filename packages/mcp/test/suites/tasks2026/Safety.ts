/**
 * 2026-07-28: refusals, headers, and whose tasks are whose.
 */
import { strict as assert } from "node:assert"
import { type Case, idOf } from "../Case.ts"

const extension = "io.modelcontextprotocol/tasks"
const needsTasks = { requiredCapabilities: { extensions: { [extension]: {} } } }
const methods = ["tasks/get", "tasks/update", "tasks/cancel"]

export const safety: ReadonlyArray<Case> = [
  {
    points: [29, 34],
    name: "a client that does not declare the extension is refused with its name: -32021",
    run: async ({ modern }) => {
      const { taskId } = await (await modern()).start("always", [])
      const peer = await modern({ capabilities: { elicitation: { form: {} }, tasks: { cancel: {} } } })
      const requests = [
        ...methods.map((method) => peer.request(method, { taskId })),
        peer.request("tasks/get", { taskId: "nothing" }),
        peer.request("subscriptions/listen", { notifications: { taskIds: [taskId] } })
      ]
      for (const asked of requests) {
        const { error } = await asked.response
        assert.deepEqual([error?.code, error?.data], [-32021, needsTasks])
        assert.equal((await asked.head)?.status ?? 400, 400)
      }
    }
  },
  {
    points: [31],
    name: "Mcp-Name is the task's id, or the request is refused: -32020",
    only: "HTTP",
    run: async ({ modern }) => {
      const peer = await modern()
      const [one, other] = [await peer.start("always", []), await peer.start("always", [])]
      const encoded = `=?base64?${Buffer.from(one.taskId).toString("base64")}?=`
      for (const method of methods) {
        for (const name of [other.taskId, "", `${one.taskId}x`, "=?base64?%%?=", one.taskId.toUpperCase()]) {
          const asked = peer.request(method, { taskId: one.taskId }, { "mcp-name": name })
          const { error } = await asked.response
          assert.deepEqual([(await asked.head)?.status, error?.code], [400, -32020], `${method} ${name}`)
        }
      }
      const asked = peer.request("tasks/get", { taskId: one.taskId }, { "mcp-name": encoded })
      assert.equal((await asked.response).result.status, "working")
    }
  },
  {
    points: [21, 25, 32, 35],
    name: "a task that is not there is -32602, for every request, and the message says so",
    run: async ({ modern }) => {
      const peer = await modern()
      const { taskId } = await peer.start("always", [])
      for (const method of methods) {
        for (const id of ["nothing", taskId.slice(0, 20), `${taskId.slice(0, -1)}!`, `${taskId}.`]) {
          const { code, message } = await peer.refused(method, { taskId: id, inputResponses: {} })
          assert.deepEqual([code, message], [-32602, "Failed to retrieve task: Task not found"])
        }
      }
    }
  },
  {
    points: [33, 35],
    name: "what cannot be read is -32603, and says nothing of the inside",
    run: async ({ faults, modern, run, tasks }) => {
      const peer = await modern()
      const task = await peer.start("always", [["complete"]])
      await run(tasks.result(idOf(task)))
      faults.fail("load", { reason: "Io", times: 9 })
      const { code, message } = await peer.refused("tasks/get", { taskId: task.taskId })
      assert.equal(code, -32603)
      assert.notEqual(message, "")
      assert.doesNotMatch(message, /\bat \/|\.ts|SQL/)
    }
  },
  {
    points: [39],
    name: "a task's id cannot be made from what stands in logs, nor from another id",
    run: async ({ modern }) => {
      const peer = await modern({ as: null })
      const tasks = await Promise.all(Array.from({ length: 50 }, () => peer.start("always", [])))
      const secrets = tasks.map(({ taskId }) => taskId.slice(21))
      assert.equal(new Set(secrets).size, 50)
      for (const secret of secrets) assert.match(secret, /^[\w-]{22}$/) // 132 bits
      for (const other of secrets.slice(1)) {
        const { code } = await peer.refused("tasks/get", { taskId: `${idOf(tasks[0])}-${other}` })
        assert.equal(code, -32602)
      }
    }
  },
  {
    points: [40],
    name: "somebody else's task is not there, for any request or subscription",
    run: async ({ hand, modern }) => {
      const [alice, bob] = [await modern({ as: "alice" }), await modern({ as: "bob" })]
      const { taskId } = await alice.start("always", [["ask", "q"]])
      const inputResponses = { q: { action: "accept", content: { name: "Bob" } } }
      for (const method of methods) {
        const foreign = await bob.refused(method, { taskId, inputResponses })
        assert.deepEqual(foreign, await bob.refused(method, { taskId: "nothing", inputResponses }))
        assert.equal(foreign.code, -32602)
      }
      bob.request("subscriptions/listen", { notifications: { taskIds: [taskId] } })
      const { message } = await bob.next("notifications/subscriptions/acknowledged")
      assert.deepEqual(message.params.notifications, { taskIds: [] })
      assert.deepEqual(Object.keys((await alice.call("tasks/get", { taskId })).inputRequests), ["q"])
      assert.deepEqual(hand.held(), [idOf({ taskId })])
    }
  }
]
