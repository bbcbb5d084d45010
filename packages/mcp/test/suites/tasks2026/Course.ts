/**
 * 2026-07-28: a task while it works: polled, answered, cancelled, listened to.
 */
import { strict as assert } from "node:assert"
import { type Case, deep, idOf, orders } from "../Case.ts"

const accept = (name: unknown) => ({ action: "accept", content: { name } })
const asksTwo = [["ask", "a", "b"], ["complete", "done"]]

export const course: ReadonlyArray<Case> = [
  {
    points: [14, 15],
    name: "tasks/get says all there is to say in each status",
    run: async ({ act, modern }) => {
      const peer = await modern()
      const look = async (task: any) => {
        const { inputRequests, error, result, resultType, status } = await peer.call("tasks/get", task)
        assert.equal(resultType, "complete")
        return { status, ...inputRequests === undefined ? {} : { inputRequests }, error, result }
      }
      const none = { error: undefined, result: undefined }
      const task = await peer.start("always", [])
      assert.deepEqual(await look(task), { status: "working", ...none })
      await act(task, ["ask", "a", "b"])
      const asked = await look(task)
      assert.deepEqual([asked.status, Object.keys(asked.inputRequests)], ["input_required", ["a", "b"]])
      for (const request of Object.values<any>(asked.inputRequests)) assert.equal(request.method, "elicitation/create")
      await peer.call("tasks/cancel", task)
      assert.deepEqual(await look(task), { status: "cancelled", ...none })
    }
  },
  {
    points: [36, 37, 38],
    name: "an outcome is the result or the error of the call itself; only a JSON-RPC error is a failure",
    run: async ({ modern, run, tasks }) => {
      const peer = await modern()
      const plain = await modern({ capabilities: {} })
      const ends = [[["complete", "text"]], [["complete", { a: 1 }]], [["complete", 7]], [["fail", "no", { code: 1 }]]]
      const ended = async (script: ReadonlyArray<unknown>) => {
        const task = await peer.start("always", script)
        await run(tasks.result(idOf(task)))
        return peer.call("tasks/get", task)
      }
      for (const script of ends) {
        const expected = (await plain.tool("always", script).response).result
        const { error, result, status } = await ended(script)
        delete expected._meta?.["io.modelcontextprotocol/serverInfo"]
        assert.deepEqual([status, error], ["completed", undefined])
        assert.deepEqual({ _meta: {}, ...result }, { _meta: {}, ...expected }, JSON.stringify(script))
      }
      const broken = (await plain.tool("always", [["break", "boom"]]).response).error
      const { error, result, status, statusMessage } = await ended([["break", "boom"]])
      assert.deepEqual([status, statusMessage, error, result], ["failed", "boom", broken, undefined])
    }
  },
  {
    points: [17, 21, 22, 23],
    name: "answers may come one by one, and are acknowledged; what nobody asks is passed over",
    run: async ({ modern, run, tasks }) => {
      const peer = await modern()
      const { taskId } = await peer.start("always", asksTwo)
      const answer = async (inputResponses: object) => {
        const { _meta, ...ack } = await peer.call("tasks/update", { taskId, inputResponses })
        assert.deepEqual(ack, { resultType: "complete" })
        return Object.keys((await peer.call("tasks/get", { taskId })).inputRequests ?? {})
      }
      assert.deepEqual(await answer({ c: accept("Eve"), "": accept("Eve"), "/x/a": accept("Eve") }), ["a", "b"])
      assert.deepEqual(await answer({ a: accept(7), b: { action: "perhaps" } }), ["a", "b"])
      assert.deepEqual(await answer({ a: accept("Ada") }), ["b"])
      assert.deepEqual(await answer({ a: accept("Eve") }), ["b"])
      assert.deepEqual(await answer({ a: accept("Eve"), b: accept("Bob") }), [])
      await run(tasks.result(idOf({ taskId })))
      assert.deepEqual(await answer({ b: accept("Eve") }), [])
      const events = await run(tasks.events({ run: idOf({ taskId }), since: 0, limit: 100 }))
      const applied = events.flatMap(({ event }) => event._tag === "InputReceived" ? [event.response.content] : [])
      assert.deepEqual(applied, [{ name: "Ada" }, { name: "Bob" }])
    }
  },
  {
    points: [20],
    name: "questions from different tasks of a tree have different keys, and each key finds its own",
    run: async ({ modern, run, tasks }) => {
      const peer = await modern()
      const below = [["ask", "q"], ["complete"]]
      const script = [["child", "one", below], ["child", "two", below], ["ask", "q"], ["complete"]]
      const task = await peer.start("always", script)
      const keys = Object.keys((await peer.call("tasks/get", task)).inputRequests).sort()
      assert.equal(new Set(keys).size, 3)
      for (const [index, key] of keys.entries()) {
        const inputResponses = { [key]: accept(key) }
        await peer.call("tasks/update", { taskId: task.taskId, inputResponses })
        const left = Object.keys((await peer.call("tasks/get", task)).inputRequests ?? {}).sort()
        if (index < 2) assert.deepEqual(left, keys.slice(index + 1))
      }
      assert.equal((await run(tasks.result(idOf(task)))).ending._tag, "Completed")
    }
  },
  {
    points: [20],
    name: "five questions of three levels are answered in any order, each for its own asker",
    run: async ({ modern, run, tasks }) => {
      const peer = await modern()
      for (const order of orders) {
        const task = await peer.start("always", deep)
        const open = async () => Object.keys((await peer.call("tasks/get", task)).inputRequests ?? {}).sort()
        const keys = await open()
        assert.equal(keys.length, 5)
        const left = new Set(keys)
        for (const index of order) {
          const key = keys[index]!
          await peer.call("tasks/update", { taskId: task.taskId, inputResponses: { [key]: accept(key) } })
          left.delete(key)
          assert.deepEqual(await open(), [...left].sort())
        }
        const events = await run(tasks.events({ run: idOf(task), since: 0, limit: 100 }))
        const applied = events.flatMap(({ event, task: asker }) =>
          event._tag === "InputReceived" ? [[asker === idOf(task) ? "q" : `/${asker}/q`, event.response.content]] : []
        )
        assert.deepEqual(applied, order.map((index) => [keys[index], { name: keys[index] }]))
      }
    }
  },
  {
    points: [24],
    name: "notifications/cancelled does not end a task",
    run: async ({ modern }) => {
      const peer = await modern()
      const asked = peer.tool("always", [])
      const { result } = await asked.response
      await peer.notify("notifications/cancelled", { requestId: asked.id })
      assert.equal((await peer.call("tasks/get", { taskId: result.taskId })).status, "working")
    }
  },
  {
    points: [25, 26],
    name: "a cancellation is acknowledged with nothing, whether there was something to cancel or not",
    run: async ({ hand, modern }) => {
      const peer = await modern()
      const task = await peer.start("always", [["child", "c", []], ["ask", "q"]])
      for (let i = 0; i < 2; i++) {
        const { _meta, ...ack } = await peer.call("tasks/cancel", task)
        assert.deepEqual(ack, { resultType: "complete" })
      }
      assert.deepEqual(hand.held(), [])
      const { error, inputRequests, result, status } = await peer.call("tasks/get", task)
      assert.deepEqual([status, error, result, inputRequests], ["cancelled", undefined, undefined, undefined])
    }
  },
  {
    points: [28, 30],
    name: "a subscription tells every change with the whole task, and nothing but tasks",
    run: async ({ act, modern, wire }) => {
      const peer = await modern()
      const task = await peer.start("always", [], { _meta: { progressToken: "mine" } })
      const asked = { notifications: { taskIds: [task.taskId, "nothing"] } }
      const listen = peer.request("subscriptions/listen", asked)
      const told = async (method: string) => {
        const { message: { params }, via } = await peer.inbox.take(() => true)
        assert.equal(params._meta["io.modelcontextprotocol/subscriptionId"], listen.id)
        assert.equal(via, wire === "HTTP" ? listen.id : "pipe")
        assert.equal(params.taskId, method === "notifications/tasks" ? task.taskId : undefined)
        return params
      }
      const { notifications } = await told("notifications/subscriptions/acknowledged")
      assert.deepEqual(notifications, { taskIds: [task.taskId] })
      assert.equal((await told("notifications/tasks")).status, "working")
      await act(task, ["ask", "q"])
      const { inputRequests, status } = await told("notifications/tasks")
      assert.deepEqual([status, Object.keys(inputRequests)], ["input_required", ["q"]])
      await peer.call("tasks/update", { taskId: task.taskId, inputResponses: { q: accept("Ada") } })
      assert.equal((await told("notifications/tasks")).status, "working")
      await act(task, ["log", "a line"], ["progress", 1])
      assert.equal((await told("notifications/tasks")).status, "working")
      await act(task, ["complete", "end"])
      const ended = await told("notifications/tasks")
      assert.deepEqual([ended.status, ended.result.content[0].text], ["completed", "end"])
      for (const method of ["notifications/progress", "notifications/message"]) {
        assert.deepEqual(peer.inbox.left(method), [])
      }
    }
  },
  {
    points: [28],
    name: "whoever listens after the end hears the end",
    run: async ({ modern, run, tasks }) => {
      const peer = await modern()
      const task = await peer.start("always", [["complete", "end"]])
      await run(tasks.result(idOf(task)))
      peer.request("subscriptions/listen", { notifications: { taskIds: [task.taskId] } })
      const { message } = await peer.next("notifications/tasks")
      assert.deepEqual([message.params.status, message.params.result.content[0].text], ["completed", "end"])
    }
  }
]
