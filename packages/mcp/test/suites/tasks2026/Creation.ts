/**
 * 2026-07-28: who gets a task, and when.
 */
import { strict as assert } from "node:assert"
import type { Bench } from "../../support/Bench.ts"
import { type Case, everything, idOf } from "../Case.ts"

const extension = "io.modelcontextprotocol/tasks"
const needsTasks = { requiredCapabilities: { extensions: { [extension]: {} } } }
const legacyTasks = { tasks: { list: {}, cancel: {}, requests: { elicitation: { create: {} } } } }

/** Capabilities that do not declare the extension, whatever else they say. */
const undeclared = [{}, everything, { ...everything, ...legacyTasks }, { extensions: {} }]

const declared = { ...everything, extensions: { [extension]: {} } }

/** A call that waits 250 ms for its result. */
const calls = ({ hasten }: Bench, asked: { readonly response: Promise<any> }) => hasten(asked.response)

export const creation: ReadonlyArray<Case> = [
  {
    points: [1, 7],
    name: "the server decides: quick work is a result, work that takes longer is a task, always is at once",
    run: async (bench) => {
      const peer = await bench.modern()
      const quick = (await peer.tool("slow", [["complete", "now"]]).response).result
      assert.deepEqual([quick.resultType, quick.content[0].text], ["complete", "now"])
      const slow = (await calls(bench, peer.tool("slow", []))).result
      assert.deepEqual([slow.resultType, slow.status], ["task", "working"])
      const always = await peer.start("always", [["complete"]])
      assert.deepEqual([always.resultType, always.status], ["task", "working"])
      const never = (await peer.tool("never", [["complete", "now"]]).response).result
      assert.equal(never.resultType, "complete")
    }
  },
  {
    points: [1],
    name: "a tool that never becomes a task is waited for as long as it takes",
    run: async ({ advance, hand, modern }) => {
      const peer = await modern()
      const asked = peer.tool("never", [])
      const id = await hand.started()
      await advance(60_000)
      hand.act(id, ["complete", "at last"])
      assert.equal((await asked.response).result.content[0].text, "at last")
    }
  },
  {
    points: [2, 43],
    name: "a request that does not declare the extension gets no task, whatever an earlier one declared",
    run: async ({ advance, hand, modern }) => {
      const peer = await modern()
      await peer.start("always", [])
      await hand.started()
      for (const capabilities of undeclared) {
        peer.capabilities = capabilities
        for (const tool of ["slow", "always"]) {
          const asked = peer.tool(tool, [])
          const id = await hand.started()
          await advance(1_000)
          hand.act(id, ["complete", "here"])
          const { result } = await asked.response
          assert.deepEqual([result.resultType, result.content[0].text], ["complete", "here"])
        }
      }
    }
  },
  {
    points: [5],
    name: "a tool that needs a task names the extension to a client that lacks it: -32021",
    run: async ({ hand, modern }) => {
      for (const capabilities of undeclared) {
        const peer = await modern({ capabilities })
        const asked = peer.request("tools/call", { name: "required", arguments: {} })
        const { error } = await asked.response
        assert.deepEqual([error?.code, error?.data], [-32021, needsTasks])
        assert.equal((await asked.head)?.status ?? 400, 400)
      }
      assert.deepEqual(hand.held(), [])
      const able = await modern()
      assert.equal((await able.start("required", [])).resultType, "task")
    }
  },
  {
    points: [7, 8, 15],
    name: "only the answer that makes a task is of the type task; it is flat and carries no outcome",
    run: async ({ modern }) => {
      const peer = await modern()
      const task = await peer.start("always", [["complete"]])
      const fields = ["createdAt", "lastUpdatedAt", "pollIntervalMs", "resultType", "status", "taskId", "ttlMs"]
      assert.deepEqual(Object.keys(task).filter((key) => key !== "_meta").sort(), fields)
      const others = [
        await peer.call("tasks/get", { taskId: task.taskId }),
        await peer.call("tasks/update", { taskId: task.taskId, inputResponses: {} }),
        await peer.call("tasks/cancel", { taskId: task.taskId }),
        await peer.call("tools/list"),
        await peer.call("prompts/get", { name: "hello" }),
        await peer.call("server/discover")
      ]
      for (const { resultType } of others) assert.equal(resultType, "complete")
    }
  },
  {
    points: [9],
    name: "the answer waits until the task is durable; one that cannot be is an error and no task",
    run: async ({ faults, hand, modern, run }) => {
      const peer = await modern()
      const commit = faults.pause("commit", "before")
      let isOver = false
      const asked = peer.tool("always", [])
      const response = asked.response.finally(() => {
        isOver = true
      })
      const id = await hand.started()
      await run(commit.reached)
      await peer.call("server/discover")
      assert.equal(isOver, false)
      await run(commit.resume)
      const { taskId } = (await response).result
      assert.equal(idOf({ taskId }), id)
      assert.equal((await peer.call("tasks/get", { taskId })).status, "working")
      faults.fail("commit", { reason: "Io" })
      assert.equal((await peer.tool("always", []).response).error?.code, -32603)
    }
  },
  {
    points: [9],
    name: "whoever leaves while the task is being made has it cancelled, unless it is a task at once",
    run: async ({ act, faults, hand, modern, run, tasks }) => {
      const peer = await modern()
      for (const [tool, ending] of [["slow", "Cancelled"], ["always", "Completed"]] as const) {
        const commit = faults.pause("commit", "before")
        const asked = peer.tool(tool, [])
        const id = await hand.started()
        await run(commit.reached)
        asked.leave()
        await peer.call("server/discover")
        await run(commit.resume)
        if (tool === "always") await act({ taskId: id }, ["complete"])
        assert.equal((await run(tasks.result(id))).ending._tag, ending)
      }
    }
  },
  {
    points: [10],
    name: "what only the caller can answer is asked before there is a task",
    run: async (bench) => {
      const peer = await bench.modern()
      const asked = (await peer.tool("slow", [["ask", "q"]]).response).result
      assert.equal(asked.resultType, "input_required")
      assert.equal(asked.inputRequests.q.method, "elicitation/create")
      assert.equal(asked.taskId, undefined)
      const again = peer.tool("slow", [["ask", "q"]], {
        inputResponses: { q: { action: "accept", content: { name: "Ada" } } },
        requestState: asked.requestState
      })
      const task = (await calls(bench, again)).result
      assert.equal(task.resultType, "task")
      assert.equal((await peer.call("tasks/get", task)).status, "working")
      assert.equal(bench.hand.held().length, 1)
    }
  },
  {
    points: [10],
    name: "a state that was changed, or belongs to another call or caller, is refused",
    run: async ({ advance, modern }) => {
      const peer = await modern()
      const { requestState } = (await peer.tool("slow", [["ask", "q"]]).response).result
      const inputResponses = { q: { action: "accept", content: { name: "Ada" } } }
      const retry = (script: ReadonlyArray<unknown>, state: string, from = peer) =>
        from.tool("slow", script, { inputResponses, requestState: state }).response
      const bob = await modern({ as: "bob" })
      const refused = [
        await retry([["ask", "q"]], `${requestState}x`),
        await retry([["ask", "q"]], requestState.toUpperCase()),
        await retry([["ask", "other"]], requestState),
        await retry([["ask", "q"]], requestState, bob)
      ]
      await advance(60 * 60 * 1_000 + 1)
      refused.push(await retry([["ask", "q"]], requestState))
      for (const { error } of refused) assert.equal(error?.code, -32602)
    }
  },
  {
    points: [11, 16],
    name: "a task says how long it is kept and how often to ask, and is forgotten after that",
    run: async ({ act, advance, modern, prune, run, session, tasks }) => {
      const peer = await modern()
      const task = await peer.start("always", [])
      const short = await (await session()).start("always", [], { task: { ttl: 60_000 } })
      assert.equal(task.ttlMs, null)
      assert.ok(Number.isInteger(task.pollIntervalMs) && task.pollIntervalMs >= 250)
      await advance(60 * 60 * 1_000)
      assert.equal(await prune(), 0)
      const { pollIntervalMs, ttlMs } = await peer.call("tasks/get", { taskId: short.taskId })
      assert.deepEqual([pollIntervalMs, ttlMs], [5_000, 60_000])
      for (const ended of [task, short]) {
        await act(ended, ["complete"])
        await run(tasks.result(idOf(ended)))
      }
      const week = 7 * 24 * 60 * 60 * 1_000
      assert.equal((await peer.call("tasks/get", task)).ttlMs, 60 * 60 * 1_000 + week)
      await advance(60_000)
      assert.equal((await peer.refused("tasks/get", { taskId: short.taskId })).code, -32602)
    }
  },
  {
    points: [42, 44, 46],
    name: "each revision asks for tasks in its own way, and both read one task",
    run: async ({ modern, session }) => {
      const session25 = await session({ capabilities: declared })
      const plain = await session25.tool("slow", [["complete", "here"]]).response
      assert.equal(plain.result.content[0].text, "here")
      const old = await session25.start("always", [])
      const peer = await modern()
      const ignored = (await peer.tool("slow", [["complete", "here"]], { task: { ttl: 1_000 } }).response).result
      assert.deepEqual([ignored.resultType, ignored.content[0].text], ["complete", "here"])
      const young = await peer.start("always", [], { task: { ttl: 1_000 } })
      assert.equal(young.ttlMs, null)
      assert.equal((await peer.call("tasks/get", { taskId: old.taskId })).status, "working")
      assert.equal((await session25.call("tasks/get", { taskId: young.taskId })).status, "working")
      assert.equal((await session25.call("tasks/cancel", { taskId: old.taskId })).status, "cancelled")
      assert.equal((await peer.call("tasks/get", { taskId: old.taskId })).status, "cancelled")
    }
  },
  {
    points: [45, 47],
    name: "what the older revision had is gone: tasks/result and tasks/list, and the capability",
    run: async ({ modern }) => {
      const peer = await modern()
      const { capabilities } = await peer.call("server/discover")
      assert.equal(capabilities.tasks, undefined)
      assert.deepEqual(capabilities.extensions, { [extension]: {} })
      const { taskId } = await peer.start("always", [])
      for (const method of ["tasks/result", "tasks/list", "tasks/nothing"]) {
        const asked = peer.request(method, { taskId })
        assert.equal((await asked.response).error?.code, -32601, method)
        assert.equal((await asked.head)?.status ?? 404, 404, method)
      }
      const { tools } = await peer.call("tools/list")
      for (const { execution } of tools) assert.equal(execution, undefined)
    }
  }
]
