/**
 * 2025-11-25: how a task asks its requestor, and what else it says while it works.
 */
import { strict as assert } from "node:assert"
import { setImmediate } from "node:timers/promises"
import type { Bench } from "../../support/Bench.ts"
import type { Arrived } from "../../support/Inbox.ts"
import { type Case, deep, everything, idOf, orders } from "../Case.ts"

const related = "io.modelcontextprotocol/related-task"
const ada = { action: "accept", content: { name: "Ada" } }
const asksOnce = [["ask", "q"], ["complete", "done"]]

const relatedOf = ({ message }: Arrived) => message.params._meta?.[related]

/** How often an answer was applied. */
const answersTo = async ({ run, tasks }: Bench, task: { readonly taskId: string }) => {
  const events = await run(tasks.events({ run: idOf(task), since: 0, limit: 1_000 }))
  return events.flatMap(({ event }) => event._tag === "InputReceived" ? [event.response] : [])
}

export const asking: ReadonlyArray<Case> = [
  {
    points: [25, 26, 28],
    name: "a task that needs an answer is input_required until it has it; the question names the task",
    run: async (bench) => {
      const peer = await bench.session()
      const task = await peer.start("always", [["ask", "q"]])
      const question = await peer.next("elicitation/create")
      assert.deepEqual(relatedOf(question), { taskId: task.taskId })
      assert.equal(question.message.params.mode, "form")
      assert.deepEqual(Object.keys(question.message.params.requestedSchema.properties), ["name"])
      assert.equal((await peer.call("tasks/get", task)).status, "input_required")
      await peer.next("notifications/tasks/status", ({ params }) => params.status === "input_required")
      await peer.answer(question, { ...ada, _meta: { [related]: { taskId: task.taskId } } })
      await peer.next("notifications/tasks/status", ({ params }) => params.status === "working")
      assert.equal((await peer.call("tasks/get", task)).status, "working")
      assert.deepEqual(await answersTo(bench, task), [{ ...ada, by: "alice" }])
    }
  },
  {
    points: [24, 26, 36],
    name: "without a standing stream the question comes on the stream of tasks/result",
    only: "HTTP",
    run: async ({ session }) => {
      const peer = await session({ stands: false })
      const task = await peer.start("always", asksOnce)
      assert.equal((await peer.call("tasks/get", task)).status, "input_required")
      assert.deepEqual(peer.inbox.left("elicitation/create"), [])
      const waiting = peer.request("tasks/result", task)
      const question = await peer.next("elicitation/create")
      assert.equal(question.via, waiting.id)
      assert.deepEqual(relatedOf(question), { taskId: task.taskId })
      await peer.answer(question, ada)
      assert.deepEqual((await waiting.response).result.content, [{ type: "text", text: "done" }])
    }
  },
  {
    points: [26],
    name: "a question is never open twice in one session",
    run: async ({ session }) => {
      const peer = await session()
      const task = await peer.start("always", asksOnce)
      const waiting = [peer.request("tasks/result", task), peer.request("tasks/result", task)]
      await Promise.all(waiting.map(({ head }) => head))
      await peer.call("tasks/get", task)
      const question = await peer.next("elicitation/create")
      await peer.answer(question, ada)
      await Promise.all(waiting.map(({ response }) => response))
      assert.deepEqual(peer.inbox.left("elicitation/create"), [])
    }
  },
  {
    points: [26],
    name: "a question whose stream broke off is asked again on the next one",
    only: "HTTP",
    run: async (bench) => {
      const peer = await bench.session()
      const task = await peer.start("always", asksOnce)
      const lost = await peer.next("elicitation/create")
      peer.sit()
      const waiting = peer.request("tasks/result", task)
      const again = await peer.next("elicitation/create")
      assert.equal(again.via, waiting.id)
      assert.notEqual(again.message.id, lost.message.id)
      await peer.answer(again, ada)
      await waiting.response
      assert.equal((await answersTo(bench, task)).length, 1)
    }
  },
  {
    points: [25, 26, 28],
    name: "two sessions are asked, the first answer is applied once, the other is told that it is late",
    run: async (bench) => {
      const [first, second] = [await bench.session(), await bench.session()]
      const task = await first.start("always", asksOnce)
      const asked = await first.next("elicitation/create")
      await second.call("tasks/get", task)
      const other = await second.next("elicitation/create")
      await first.answer(asked, ada)
      const { message } = await second.next("notifications/cancelled")
      assert.equal(message.params.requestId, other.message.id)
      await second.answer(other, { action: "decline" })
      await second.request("tasks/result", task).response
      assert.deepEqual((await answersTo(bench, task)).map(({ action }) => action), ["accept"])
    }
  },
  {
    points: [25, 28],
    name: "an answer that does not fit leaves the question open, and it is asked again",
    run: async (bench) => {
      const peer = await bench.session()
      const task = await peer.start("always", asksOnce)
      for (const wrong of [{ action: "accept", content: { name: 1 } }, { action: "maybe" }]) {
        await peer.answer(await peer.next("elicitation/create"), wrong)
      }
      const again = await peer.next("elicitation/create")
      assert.equal((await peer.call("tasks/get", task)).status, "input_required")
      await peer.answer(again, ada)
      await peer.request("tasks/result", task).response
      assert.deepEqual(await answersTo(bench, task), [{ ...ada, by: "alice" }])
    }
  },
  {
    points: [25],
    name: "a client that cannot be asked is not asked; its task waits for another door",
    run: async ({ session }) => {
      const mute = await session({ capabilities: {} })
      const task = await mute.start("always", asksOnce)
      assert.equal((await mute.call("tasks/get", task)).status, "input_required")
      const able = await session()
      const waiting = able.request("tasks/result", task)
      await able.answer(await able.next("elicitation/create"), ada)
      await waiting.response
      assert.deepEqual(mute.inbox.left("elicitation/create"), [])
    }
  },
  {
    points: [26, 38],
    name: "URLs, models and roots are asked for with the task's name as well",
    run: async ({ session }) => {
      const peer = await session({ capabilities: everything })
      const task = await peer.start("always", [
        ["ask", { key: "u", mode: "url", schema: null, url: "https://example.test/sign" }],
        ["ask", { key: "s", mode: "sampling", schema: null, params: { messages: [], maxTokens: 5 } }],
        ["ask", { key: "r", mode: "roots", schema: null }]
      ])
      const url = await peer.next("elicitation/create")
      assert.equal(url.message.params.url, "https://example.test/sign")
      assert.equal(typeof url.message.params.elicitationId, "string")
      await peer.answer(url, { action: "accept" })
      const model = await peer.next("sampling/createMessage")
      assert.equal(model.message.params.maxTokens, 5)
      await peer.answer(model, { role: "assistant", model: "m", content: { type: "text", text: "hi" } })
      const roots = await peer.next("roots/list")
      for (const question of [url, model, roots]) assert.deepEqual(relatedOf(question), { taskId: task.taskId })
    }
  },
  {
    points: [39],
    name: "a question from below shares the id of the task that was called",
    run: async ({ session }) => {
      const peer = await session()
      const task = await peer.start("always", [["child", "c", [["child", "d", [["ask", "q"]]]]]])
      assert.deepEqual(relatedOf(await peer.next("elicitation/create")), { taskId: task.taskId })
      assert.equal((await peer.call("tasks/get", task)).status, "input_required")
    }
  },
  {
    points: [26, 39],
    name: "five questions of three levels are answered in any order, each for its own asker",
    run: async (bench) => {
      const peer = await bench.session()
      for (const order of orders) {
        const task = await peer.start("always", deep)
        const questions = []
        for (let n = 0; n < 5; n++) questions.push(await peer.next("elicitation/create"))
        for (const [n, index] of order.entries()) {
          assert.equal((await peer.call("tasks/get", task)).status, "input_required", `${n} answered`)
          await peer.answer(questions[index]!, { action: "accept", content: { name: `${index}` } })
          // a pipe in one process leaves the log no turn of the event loop by itself
          while ((await answersTo(bench, task)).length === n) await setImmediate()
        }
        assert.equal((await peer.call("tasks/get", task)).status, "working")
        const names = (await answersTo(bench, task)).map(({ content }) => content)
        assert.deepEqual(names, order.map((index) => ({ name: `${index}` })))
        assert.deepEqual(peer.inbox.left("elicitation/create"), [])
      }
    }
  },
  {
    points: [38, 46, 47],
    name: "progress and log lines name the task and keep the token of its call, until its end and not after it",
    run: async ({ act, session }) => {
      const peer = await session()
      const task = await peer.start("always", [["progress", 1, 3]], { _meta: { progressToken: "mine" } })
      await act(task, ["progress", 2, 3], ["progress", 2, 3], ["log", "a line"])
      for (const progress of [1, 2]) {
        const told = await peer.next("notifications/progress")
        assert.deepEqual(relatedOf(told), { taskId: task.taskId })
        const { progressToken, total } = told.message.params
        assert.deepEqual([told.message.params.progress, progressToken, total], [progress, "mine", 3])
      }
      const line = await peer.next("notifications/message")
      assert.deepEqual([relatedOf(line), line.message.params.data], [{ taskId: task.taskId }, "a line"])
      await act(task, ["complete"])
      await peer.next("notifications/tasks/status", ({ params }) => params.status === "completed")
      assert.equal(await act(task, ["progress", 3, 3]), false)
      assert.deepEqual(peer.inbox.left("notifications/progress"), [])
    }
  },
  {
    points: [46],
    name: "a call that waits hears of its progress on its own stream, before its result",
    run: async ({ hand, session, wire }) => {
      const peer = await session()
      const call = peer.tool("slow", [["progress", 1]], { _meta: { progressToken: 7 } })
      const told = await peer.next("notifications/progress")
      assert.equal(told.via, wire === "HTTP" ? call.id : "pipe")
      hand.act(await hand.started(), ["progress", 2], ["complete", "end"])
      assert.equal((await call.response).result.content[0].text, "end")
      assert.equal((await peer.next("notifications/progress")).message.params.progress, 2)
      // nobody knows a task behind it
      assert.deepEqual([told.message.params._meta, peer.inbox.left("notifications/tasks/status")], [undefined, []])
    }
  }
]
