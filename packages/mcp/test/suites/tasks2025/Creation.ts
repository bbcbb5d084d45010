/**
 * 2025-11-25: what is agreed on when a session begins, and how a task comes to be.
 */
import { strict as assert } from "node:assert"
import { type Case, idOf } from "../Case.ts"

const immediate = "io.modelcontextprotocol/model-immediate-response"

const supportOf = (tools: ReadonlyArray<any>) =>
  Object.fromEntries(tools.map(({ execution, name }) => [name, execution?.taskSupport]))

export const creation: ReadonlyArray<Case> = [
  {
    points: [1, 4],
    name: "a session begins with what may become a task: calls of tools, and nothing else",
    run: async ({ session }) => {
      const { initialized } = await session()
      assert.equal(initialized.protocolVersion, "2025-11-25")
      assert.deepEqual(initialized.capabilities.tasks, { list: {}, cancel: {}, requests: { tools: { call: {} } } })
    }
  },
  {
    points: [2, 3],
    name: "a client that declares no tasks is asked without one",
    run: async ({ session }) => {
      const peer = await session()
      await peer.start("always", [["ask", "q"], ["ask", { key: "s", mode: "sampling", params: { maxTokens: 1 } }]])
      const form = await peer.next("elicitation/create")
      assert.equal(form.message.params.task, undefined)
      await peer.answer(form, { action: "accept", content: { name: "Ada" } })
      assert.equal((await peer.next("sampling/createMessage")).message.params.task, undefined)
    }
  },
  {
    points: [7],
    name: "a tool that never becomes a task answers -32601 to a call with one",
    run: async ({ hand, session }) => {
      const peer = await session()
      const { tools } = await peer.call("tools/list")
      const expected = { never: "forbidden", slow: "optional", always: "optional", required: "required" }
      assert.deepEqual(supportOf(tools), { ...expected, narrow: "optional" })
      const { code } = await peer.refused("tools/call", { name: "never", arguments: {}, task: {} })
      assert.equal(code, -32601)
      assert.deepEqual(hand.held(), [])
    }
  },
  {
    points: [8, 12],
    name: "an optional tool is called either way",
    run: async ({ session }) => {
      const peer = await session()
      const plain = await peer.tool("slow", [["complete", "here"]]).response
      assert.deepEqual(plain.result, { content: [{ type: "text", text: "here" }] })
      assert.equal((await peer.start("slow", [])).status, "working")
    }
  },
  {
    points: [9],
    name: "a required tool called without a task answers -32601",
    run: async ({ hand, session }) => {
      const peer = await session()
      const { code } = await peer.refused("tools/call", { name: "required", arguments: {} })
      assert.equal(code, -32601)
      assert.deepEqual(hand.held(), [])
      assert.equal((await peer.start("required", [])).status, "working")
    }
  },
  {
    points: [11],
    name: "a request that cannot become a task is served as if nobody had asked for one",
    run: async ({ session }) => {
      const peer = await session()
      const { messages } = await peer.call("prompts/get", { name: "hello", task: { ttl: 1_000 } })
      assert.equal(messages.length, 1)
      assert.ok(Array.isArray((await peer.call("tools/list", { task: {} })).tools))
    }
  },
  {
    points: [13],
    name: "the answer is a task, while the work goes on",
    run: async ({ hand, session }) => {
      const peer = await session()
      const { result } = await peer.tool("always", [], { task: {} }).response
      assert.deepEqual(Object.keys(result).sort(), ["_meta", "task"])
      assert.equal(typeof result._meta[immediate], "string")
      assert.deepEqual(hand.held(), [idOf(result.task)])
    }
  },
  {
    points: [14, 15, 16],
    name: "every task has an id of its own, a text the server made",
    run: async ({ session }) => {
      const peer = await session({ stands: false })
      const mine = { taskId: "mine", task: { taskId: "mine", ttl: 60_000 } }
      const tasks = await Promise.all(Array.from({ length: 100 }, () => peer.start("always", [], mine)))
      const ids = new Set(tasks.map(({ taskId }) => taskId))
      assert.equal(ids.size, 100)
      for (const id of ids) assert.match(id, /^[\w-]{40,}$/)
    }
  },
  {
    points: [17],
    name: "a task begins in working, also one that asks or ends at once",
    run: async ({ session }) => {
      const peer = await session()
      for (const script of [[], [["ask", "q"]], [["complete"]], [["fail", "no"]], [["child", "c", [["ask", "q"]]]]]) {
        assert.equal((await peer.start("always", script)).status, "working", JSON.stringify(script))
      }
    }
  },
  {
    points: [18, 43, 45],
    name: "every change of status is told on the standing stream, in order and without related-task",
    run: async ({ act, session }) => {
      const peer = await session()
      const task = await peer.start("always", [])
      const told = async () => {
        const { message } = await peer.next("notifications/tasks/status")
        assert.equal(message.params.taskId, task.taskId)
        assert.equal(message.params._meta?.["io.modelcontextprotocol/related-task"], undefined)
        assert.ok(Object.hasOwn(message.params, "createdAt") && Object.hasOwn(message.params, "ttl"))
        return message.params.status
      }
      await act(task, ["ask", "q"])
      assert.equal(await told(), "input_required")
      await peer.answer(await peer.next("elicitation/create"), { action: "accept", content: { name: "Ada" } })
      assert.equal(await told(), "working")
      await act(task, ["complete"])
      assert.equal(await told(), "completed")
    }
  },
  {
    points: [19],
    name: "what has ended stays as it ended",
    run: async ({ hand, session }) => {
      const peer = await session()
      for (
        const [op, status] of [[["complete"], "completed"], [["fail", "no"], "failed"], [["break", "x"], "failed"]]
      ) {
        const task = await peer.start("always", [op])
        await peer.request("tasks/result", task).response
        assert.equal(hand.finishLate(idOf(task)), false)
        await peer.refused("tasks/cancel", { taskId: task.taskId })
        assert.equal((await peer.call("tasks/get", { taskId: task.taskId })).status, status)
      }
    }
  },
  {
    points: [10, 29, 30, 31, 32, 34],
    name: "a task says when it was made and changed, how long it is kept, and how often to ask",
    run: async ({ advance, session }) => {
      const peer = await session()
      await advance(1_000)
      const asked = await peer.start("always", [], { task: { ttl: 60_000 } })
      const { taskId } = await peer.start("always", [])
      const { tasks } = await peer.call("tasks/list")
      const seen = [
        asked,
        await peer.call("tasks/get", asked),
        tasks.find((task: any) => task.taskId === asked.taskId),
        await peer.call("tasks/cancel", asked)
      ]
      for (const task of seen) {
        assert.equal(task.createdAt, "1970-01-01T00:00:01.000Z")
        assert.match(task.lastUpdatedAt, /^1970-01-01T00:00:01/)
        assert.equal(task.ttl, 60_000)
        assert.ok(task.pollInterval >= 250)
      }
      assert.equal((await peer.call("tasks/get", { taskId })).ttl, null)
    }
  },
  {
    points: [31, 33],
    name: "a requested ttl never ends live work, and shortens how long a result is kept",
    run: async ({ act, advance, prune, session }) => {
      const peer = await session()
      const short = await peer.start("always", [], { task: { ttl: 1_000 } })
      const long = await peer.start("always", [], { task: { ttl: 10 ** 12 } })
      const plain = await peer.start("always", [])
      await advance(60_000)
      assert.equal(await prune(), 0)
      assert.equal((await peer.call("tasks/get", short)).status, "working")
      for (const task of [short, long, plain]) {
        await act(task, ["complete"])
        await peer.request("tasks/result", task).response
      }
      const week = 7 * 24 * 60 * 60 * 1_000
      assert.equal((await peer.call("tasks/get", long)).ttl, 60_000 + week)
      assert.equal((await peer.call("tasks/get", plain)).ttl, 60_000 + week)
      await advance(60_000)
      const { code } = await peer.refused("tasks/get", { taskId: short.taskId })
      assert.equal(code, -32602)
      assert.equal((await peer.call("tasks/get", plain)).status, "completed")
    }
  }
]
