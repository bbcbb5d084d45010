import * as Agent from "@coppice/agent/Agent"
import * as Workflow from "@coppice/agent/Workflow"
import { Tasks } from "@coppice/task/Tasks"
import { Workers } from "@coppice/task/Worker"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import * as Orchestrator from "../src/Orchestrator.ts"
import type { Server } from "../src/Servers.ts"

/** A server nobody here wrote, as a child process. */
const everything = (rest: Pick<Server, "agents"> & Partial<Server>): Server => ({
  command: process.execPath,
  args: [fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js")), "stdio"],
  ...rest
})

const Sum = Agent.remote("sum", {
  tool: "get-sum",
  input: Schema.Struct({ a: Schema.Finite, b: Schema.Finite }),
  output: Schema.String
})
const Untyped = Agent.remote("structured", { tool: "get-structured-content" })
const Wrong = Agent.remote("wrong", { tool: "get-sum" })

const Caller = Workflow.make("caller", { description: "", input: Schema.Json, output: Schema.Json })

const failure = (error: unknown) => {
  const { _tag, message } = error as { readonly _tag: string; readonly message: string }
  return `${_tag}: ${message}`
}

const run = (work: Effect.Effect<any, any, any>, server = everything({ agents: [Sum, Untyped, Wrong] })) =>
  Effect.gen(function*() {
    const { ending, task } = yield* Orchestrator.run("caller", null)
    const tree = yield* (yield* Tasks).tree(task.id)
    return { ending, tree }
  }).pipe(Effect.provide(Orchestrator.layer(Orchestrator.make({
    agents: [Caller.toLayer(() => work)],
    servers: { everything: server }
  }))))

describe("a tool of another server", () => {
  it.live("is called like an agent, typed, and is a task of the tree", () =>
    Effect.gen(function*() {
      const { ending, tree } = yield* run(Sum.call({ a: 20, b: 22 }))
      assert.deepStrictEqual(ending, { _tag: "Completed", result: "The sum of 20 and 22 is 42." })
      assert.deepStrictEqual(tree.map(({ agent, status }) => [agent, status]), [
        ["caller", "completed"],
        ["sum", "completed"]
      ])
    }))

  it.live("needs no schema", () =>
    Effect.gen(function*() {
      const { ending } = yield* run(Untyped.call({ location: "New York" }))
      assert(ending._tag === "Completed")
      assert.containsAllKeys(ending.result, ["temperature", "conditions", "humidity"])
    }))

  it.live("that says it failed fails the call with what it said", () =>
    Effect.gen(function*() {
      const { ending } = yield* run(Effect.map(Effect.flip(Wrong.call({ a: "x" })), failure))
      assert(ending._tag === "Completed")
      assert.match(ending.result as string, /^RemoteFailure: .*expected number/)
    }))
})

describe("all tools of a server", () => {
  const names = Effect.map(Workers, (workers) => workers.list().map(({ contract }) => contract))
  const served = (server: Server) =>
    Effect.provide(names, Orchestrator.layer(Orchestrator.make({ agents: [], servers: { everything: server } })))

  it.live("are agents under their names, offered to hosts when told so", () =>
    Effect.gen(function*() {
      const inside = yield* served(everything({ agents: "all", prefix: "e." }))
      assert.includeMembers(inside.map(({ name }) => name), ["e.echo", "e.get-sum"])
      assert.isTrue(inside.every(({ listed }) => !listed))
      const offered = yield* served(everything({ agents: "all", listed: true }))
      assert.isTrue(offered.every(({ content, listed }) => listed && content))
    }), 30_000)
})

describe("a server that is not there", () => {
  it.live(
    "does not keep the service from starting, and its calls say which server it is",
    () =>
      Effect.gen(function*() {
        const nowhere: Server = { url: "http://127.0.0.1:1/mcp", agents: [Agent.remote("sum", { attempts: 1 })] }
        const { ending } = yield* run(
          Effect.map(Effect.flip(Agent.remote("sum").call({})), failure),
          nowhere
        )
        assert(ending._tag === "Completed")
        assert.include(ending.result as string, "everything")
      }),
    90_000
  )
})
