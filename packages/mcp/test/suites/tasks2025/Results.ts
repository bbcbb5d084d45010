/**
 * 2025-11-25: results, errors, lists and cancellation.
 */
import { strict as assert } from "node:assert"
import { type Case, idOf } from "../Case.ts"

const related = "io.modelcontextprotocol/related-task"
const ends = [
  [["complete", "text"]],
  [["complete", { a: [1, null] }]],
  [["complete", null]],
  [["fail", "declared", { code: 7 }]],
  [["break", "boom"]]
]

export const results: ReadonlyArray<Case> = [
  {
    points: [35, 37, 42, 52],
    name: "tasks/result is what the call itself would have returned, result or error, and names the task",
    run: async ({ session }) => {
      const peer = await session()
      for (const script of ends) {
        const plain = await peer.tool("slow", script).response
        const task = await peer.start("slow", script)
        const { error, result } = await peer.request("tasks/result", task).response
        assert.deepEqual(error, plain.error, JSON.stringify(script))
        if (result === undefined) continue
        assert.deepEqual(result._meta[related], { taskId: task.taskId })
        const { [related]: _, ...meta } = result._meta
        assert.deepEqual({ ...result, _meta: meta }, { ...plain.result, _meta: plain.result._meta ?? {} })
      }
    }
  },
  {
    points: [36],
    name: "tasks/result waits for the end, also through a question",
    run: async ({ act, advance, session }) => {
      const peer = await session()
      const task = await peer.start("always", [["ask", "q"]])
      let isOver = false
      const waiting = peer.request("tasks/result", task)
      const response = waiting.response.finally(() => {
        isOver = true
      })
      const question = await peer.next("elicitation/create")
      // as long as a person needs to read it
      await advance(1_000)
      await peer.answer(question, { action: "decline" })
      await peer.next("notifications/tasks/status", ({ params }) => params.status === "working")
      assert.equal((await peer.call("tasks/get", task)).status, "working")
      assert.equal(isOver, false)
      await act(task, ["complete", "late"])
      assert.equal((await response).result.content[0].text, "late")
    }
  },
  {
    points: [23],
    name: "whoever leaves tasks/result leaves the task alone",
    run: async ({ act, session }) => {
      const peer = await session({ stands: false })
      const task = await peer.start("always", [])
      for (let i = 0; i < 3; i++) {
        const waiting = peer.request("tasks/result", task)
        await waiting.head
        waiting.leave()
        assert.equal((await peer.call("tasks/get", task)).status, "working")
      }
      const waiting = peer.request("tasks/result", task)
      await act(task, ["complete", "still here"])
      assert.equal((await waiting.response).result.content[0].text, "still here")
    }
  },
  {
    points: [24],
    name: "tasks/get, tasks/list and tasks/cancel answer with one message and no stream",
    only: "HTTP",
    run: async ({ session }) => {
      const peer = await session()
      const task = await peer.start("always", [])
      for (const method of ["tasks/get", "tasks/list", "tasks/cancel"]) {
        const asked = peer.request(method, method === "tasks/list" ? {} : task)
        assert.match((await asked.head)!.type, /^application\/json/, method)
        assert.equal((await asked.response).error, undefined, method)
      }
    }
  },
  {
    points: [40, 41],
    name: "taskId decides which task is meant, whatever related-task says; results do not name it again",
    run: async ({ session }) => {
      const peer = await session()
      const [one, other] = [await peer.start("always", []), await peer.start("always", [])]
      const asked = { taskId: one.taskId, _meta: { [related]: { taskId: other.taskId } } }
      const got = await peer.call("tasks/get", asked)
      const cancelled = await peer.call("tasks/cancel", asked)
      const listed = await peer.call("tasks/list", { _meta: { [related]: { taskId: other.taskId } } })
      assert.deepEqual([got.taskId, cancelled.taskId], [one.taskId, one.taskId])
      assert.equal((await peer.call("tasks/get", { taskId: other.taskId })).status, "working")
      for (const result of [got, cancelled, listed, ...listed.tasks]) assert.equal(result._meta?.[related], undefined)
      const { error } = await peer.request("tasks/result", asked).response
      assert.match(error!.message, /cancelled/)
    }
  },
  {
    points: [48, 49, 51],
    name: "a list comes in pages, and every task that can be got is in one of them",
    run: async ({ session }) => {
      const peer = await session({ stands: false })
      const ids = new Set<string>()
      for (let i = 0; i < 200; i++) ids.add((await peer.start("always", i % 2 === 0 ? [] : [["complete"]])).taskId)
      const pages: Array<ReadonlyArray<string>> = []
      let cursor: string | undefined
      do {
        const page = await peer.call("tasks/list", cursor === undefined ? {} : { cursor })
        pages.push(page.tasks.map(({ taskId }: any) => taskId))
        cursor = page.nextCursor
      } while (cursor !== undefined)
      assert.deepEqual(pages.map(({ length }) => length), [100, 100])
      assert.deepEqual(new Set(pages.flat()), ids)
    }
  },
  {
    points: [53],
    name: "a failed task says why; a result that is an error is a failed task",
    run: async ({ session }) => {
      const peer = await session()
      for (const script of [[["fail", "declared"]], [["break", "boom"]]]) {
        const task = await peer.start("always", script)
        await peer.request("tasks/result", task).response
        const { status, statusMessage } = await peer.call("tasks/get", task)
        assert.deepEqual([status, statusMessage], ["failed", script[0]![1]])
      }
    }
  },
  {
    points: [54],
    name: "what is not there is -32602, what cannot be read is -32603, and both say something",
    run: async ({ faults, session }) => {
      const peer = await session()
      const { taskId } = await peer.start("always", [])
      const wrong = [undefined, null, 7, "", taskId.slice(0, 20), `${taskId}x`, `${taskId.slice(0, -1)}!`, {}, [taskId]]
      for (const method of ["tasks/get", "tasks/result", "tasks/cancel"]) {
        for (const id of wrong) {
          const { code, message } = await peer.refused(method, { taskId: id })
          assert.deepEqual([code, message], [-32602, "Failed to retrieve task: Task not found"])
        }
      }
      for (const cursor of ["", "7", "x.y", taskId]) {
        const { code, message } = await peer.refused("tasks/list", { cursor })
        assert.equal(code, -32602)
        assert.notEqual(message, "")
      }
      faults.fail("list", { reason: "Io" })
      const { code, message } = await peer.refused("tasks/list")
      assert.equal(code, -32603)
      assert.notEqual(message, "")
    }
  },
  {
    points: [55],
    name: "what has ended cannot be cancelled: -32602",
    run: async ({ session }) => {
      const peer = await session()
      const cancelled = await peer.start("always", [])
      await peer.call("tasks/cancel", cancelled)
      const ended = [cancelled]
      for (const script of ends) ended.push(await peer.start("always", script))
      for (const task of ended) {
        const { code, message } = await peer.refused("tasks/cancel", { taskId: task.taskId })
        assert.equal(code, -32602)
        assert.match(message, /already in terminal status '(completed|failed|cancelled)'/)
      }
    }
  },
  {
    points: [56, 57, 58],
    name: "a cancelled task has stopped when the answer comes, and stays cancelled whatever its work does then",
    run: async ({ advance, hand, session }) => {
      const peer = await session()
      const task = await peer.start("always", [["child", "c", []], ["ask", "q"]])
      assert.equal(hand.held().length, 2)
      const cancelled = await peer.call("tasks/cancel", task)
      assert.equal(cancelled.status, "cancelled")
      assert.deepEqual(hand.held(), [])
      assert.equal(hand.finishLate(idOf(task)), false)
      await advance(60_000)
      const { status, statusMessage } = await peer.call("tasks/get", task)
      assert.equal(status, "cancelled")
      assert.equal(typeof statusMessage, "string")
      const { error } = await peer.request("tasks/result", task).response
      assert.equal(error?.code, -32603)
    }
  },
  {
    points: [59],
    name: "notifications/cancelled does not end a task; it does end a call that waits",
    run: async ({ hand, run, session, tasks }) => {
      const peer = await session()
      const asked = peer.tool("slow", [], { task: {} })
      const { task } = (await asked.response).result
      await hand.started()
      await peer.notify("notifications/cancelled", { requestId: asked.id })
      assert.equal((await peer.call("tasks/get", task)).status, "working")
      const plain = peer.tool("slow", [])
      const id = await hand.started()
      await peer.notify("notifications/cancelled", { requestId: plain.id })
      assert.equal((await run(tasks.result(id))).ending._tag, "Cancelled")
      assert.equal((await peer.call("tasks/get", task)).status, "working")
    }
  }
]
