/**
 * What a client has to do by 2025-11-25, against servers that show whether it does.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Reply, Script } from "../../support/ScriptedServer.ts"
import { type ClientCase, content, inTurn, script, textOf } from "./ClientCase.ts"

const interval = 60
const withTasks = { tools: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }

const initialize = (capabilities: object): Script => () => ({
  result: { protocolVersion: "2025-11-25", capabilities, serverInfo: { name: "scripted", version: "1" } }
})

const tool = (name: string, taskSupport?: string) => ({
  name,
  inputSchema: { type: "object" },
  ...taskSupport === undefined ? {} : { execution: { taskSupport } }
})

const listed = (...tools: ReadonlyArray<object>): Script => () => ({ result: { tools } })

const time = "2026-01-01T00:00:00.000Z"
const taskOf = (status: string) => ({
  taskId: "t1",
  status,
  createdAt: time,
  lastUpdatedAt: time,
  ttl: null,
  pollInterval: interval
})

const at = (status: string): Reply => ({ result: taskOf(status) })

/** A server with one tool that is a task; its states come in turn, one a poll. */
const working = (...states: ReadonlyArray<string>) =>
  script({
    initialize: initialize(withTasks),
    "tools/list": listed(tool("work", "optional")),
    "tools/call": () => ({ result: { task: taskOf("working") } }),
    "tasks/get": inTurn(...states.map(at)),
    "tasks/result": () => ({ result: content("done") })
  })

/** Nothing is kept open, as when a client follows more tasks than it keeps requests for. */
const pollsOnly = { holds: 0 }

export const clientCases: ReadonlyArray<ClientCase> = [
  {
    points: [5],
    name: "a server that offers no tasks is called without one, whatever its tools say",
    run: Effect.fnUntraced(function*(bench) {
      const server = yield* bench.serve(script({
        initialize: initialize({ tools: {} }),
        "tools/list": listed(tool("work", "required")),
        "tools/call": () => ({ result: content("plain") })
      }))
      const client = yield* bench.connect(server)
      assert.strictEqual(textOf(yield* client.run("work", {})), "plain")
      assert.notProperty(server.of("tools/call")[0]!.message.params, "task")
    })
  },
  {
    points: [6],
    name: "a tool that cannot be a task, or says nothing of it, is not called as one",
    run: Effect.fnUntraced(function*(bench) {
      const server = yield* bench.serve(script({
        initialize: initialize(withTasks),
        "tools/list": listed(tool("never", "forbidden"), tool("silent"), tool("may", "optional")),
        "tools/call": () => ({ result: content("plain") })
      }))
      const client = yield* bench.connect(server)
      for (const name of ["never", "silent", "may"]) yield* client.run(name, {})
      const asTasks = server.of("tools/call").map(({ message }) => "task" in message.params)
      assert.deepStrictEqual(asTasks, [false, false, true])
    })
  },
  {
    points: [20, 21, 22, 44],
    name: "a task nobody tells of is polled to its end, as often as the server wishes",
    run: Effect.fnUntraced(function*(bench) {
      const server = yield* bench.serve(working("working", "working", "completed"))
      const client = yield* bench.connect(server, pollsOnly)
      assert.strictEqual(textOf(yield* client.run("work", {})), "done")
      const polls = server.of("tasks/get").map(({ at }) => at)
      assert.lengthOf(polls, 3)
      const times = [server.of("tools/call")[0]!.at, ...polls]
      for (const [index, poll] of polls.entries()) assert.isAtLeast(poll - times[index]!, interval - 2)
    })
  },
  {
    points: [21, 27],
    name: "as soon as a poll says that input is required, the result is asked for",
    run: Effect.fnUntraced(function*(bench) {
      const server = yield* bench.serve(working("working", "input_required"))
      const client = yield* bench.connect(server, pollsOnly)
      yield* Effect.forkScoped(client.run("work", {}))
      yield* server.has("tasks/result")
      assert.lengthOf(server.of("tasks/get"), 2)
    })
  },
  {
    points: [50],
    name: "a cursor goes back as it came",
    run: Effect.fnUntraced(function*(bench) {
      const cursor = "{\"page\": 2} ✓\n%20 "
      const server = yield* bench.serve(script({
        initialize: initialize(withTasks),
        "tools/list": inTurn(
          { result: { tools: [tool("first")], nextCursor: cursor } },
          { result: { tools: [tool("second")] } }
        )
      }))
      const client = yield* bench.connect(server)
      assert.deepStrictEqual((yield* client.tools).map(({ name }) => name), ["first", "second"])
      assert.strictEqual(server.of("tools/list")[1]!.message.params.cursor, cursor)
    })
  },
  {
    points: [68],
    name: "what is kept of a task finds it again from another client",
    run: Effect.fnUntraced(function*(bench) {
      const server = yield* bench.serve(working("working", "completed"))
      const call = Effect.flatMap(bench.connect(server), (client) => client.call("work", {}))
      const outcome = yield* Effect.scoped(call)
      assert(outcome._tag === "Started")
      const kept = JSON.parse(JSON.stringify(outcome.reference))
      const client = yield* bench.connect(server, pollsOnly)
      assert.strictEqual(textOf(yield* client.follow(kept)), "done")
      const asked = new Set(server.of("tasks/get").map(({ message }) => message.params.taskId))
      assert.deepStrictEqual([...asked], ["t1"])
      assert.lengthOf(server.of("tools/call"), 1)
    })
  }
]
