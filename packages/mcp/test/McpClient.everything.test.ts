/**
 * The client against the reference server `@modelcontextprotocol/server-everything`, as a child process.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import * as McpClient from "../src/McpClient.ts"

const program = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"))

const connect = (asked: Array<McpClient.Question>) =>
  McpClient.make({
    name: "everything",
    endpoint: { _tag: "Stdio", command: process.execPath, args: [program, "stdio"], shutdown: 200 },
    offers: { elicitation: { form: true }, sampling: true, roots: true },
    ask: (question) =>
      Effect.sync(() => {
        asked.push(question)
        if (question.kind === "roots") return McpClient.result({ roots: [] })
        if (question.kind === "sampling") {
          return McpClient.result({ role: "assistant", content: { type: "text", text: "a turn" }, model: "none" })
        }
        return McpClient.accept({ interpretation: "technical", name: "Ada" })
      })
  })

const text = (end: McpClient.TaskEnd) =>
  end._tag === "Completed"
    ? end.result.content.map((block) => (block as { readonly text?: string }).text).join("\n")
    : JSON.stringify(end)

describe("server-everything", () => {
  it.live("echoes, adds, and returns structured content", () =>
    Effect.gen(function*() {
      const client = yield* connect([])
      assert.include(text(yield* client.run("echo", { message: "hello" })), "hello")
      assert.include(text(yield* client.run("get-sum", { a: 2, b: 3 })), "5")
      const weather = yield* client.run("get-structured-content", { location: "Chicago" })
      assert.property(weather._tag === "Completed" && weather.result.structuredContent, "temperature")
    }))

  it.live("has prompts and resources", () =>
    Effect.gen(function*() {
      const client = yield* connect([])
      const { prompts } = yield* client.request("prompts/list")
      const { resources } = yield* client.request("resources/list")
      assert.isNotEmpty(prompts)
      assert.isNotEmpty(resources)
    }))

  it.live("does research as a task, asks in the middle, and says what it is doing", () =>
    Effect.gen(function*() {
      const asked: Array<McpClient.Question> = []
      const client = yield* connect(asked)
      const told = new Set<string>()
      const end = yield* client.run("simulate-research-query", { topic: "python", ambiguous: true }, {
        onUpdate: ({ statusMessage }) => void told.add(statusMessage ?? "")
      })
      assert.include(text(end), "python (technical)")
      assert.deepStrictEqual(asked.filter(({ kind }) => kind === "form").length, 1)
      assert.isAbove(told.size, 2)
    }))

  it.live("asks for a model's turn and for a form", () =>
    Effect.gen(function*() {
      const asked: Array<McpClient.Question> = []
      const client = yield* connect(asked)
      assert.include(text(yield* client.run("trigger-sampling-request", { prompt: "say", maxTokens: 5 })), "a turn")
      assert.include(text(yield* client.run("trigger-elicitation-request", {})), "Ada")
    }))

  it.live("asks as a task of ours, which it polls to its end", () =>
    Effect.gen(function*() {
      const asked: Array<McpClient.Question> = []
      const client = yield* connect(asked)
      const sampled = text(yield* client.run("trigger-sampling-request-async", { prompt: "say", maxTokens: 5 }))
      const elicited = text(yield* client.run("trigger-elicitation-request-async", {}))
      assert.include(sampled, "a turn")
      assert.include(elicited, "Ada")
    }))
})
