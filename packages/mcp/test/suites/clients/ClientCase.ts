/**
 * A case about the client: what it may send, and what it makes of answers.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as McpClient from "../../../src/McpClient.ts"
import type { Wire } from "../../support/Bench.ts"
import * as ScriptedServer from "../../support/ScriptedServer.ts"
import type { Case } from "../Case.ts"

export interface ClientCase extends Pick<Case, "name" | "only" | "points"> {
  readonly run: (bench: ClientBench) => Effect.Effect<void, McpClient.McpError, Scope.Scope>
}

type Options = Partial<McpClient.McpClientOptions>

/** One wire. */
export interface ClientBench {
  readonly serve: (script: ScriptedServer.Script) => Effect.Effect<ScriptedServer.ScriptedServer, never, Scope.Scope>
  readonly connect: (
    server: ScriptedServer.ScriptedServer,
    options?: Options
  ) => Effect.Effect<McpClient.McpClient, McpClient.McpError, Scope.Scope>
}

export const benchOf = (wire: Wire): ClientBench => ({
  serve: (script) => ScriptedServer.make(wire, script),
  connect: ({ endpoint }, options) =>
    McpClient.make({
      name: "scripted",
      endpoint,
      offers: { elicitation: { form: true } },
      ask: () => Effect.succeed(McpClient.accept({ name: "Ada" })),
      ...options
    })
})

export const textOf = (end: McpClient.TaskEnd): unknown =>
  end._tag === "Completed" ? (end.result.content[0] as { readonly text: string }).text : end

export const content = (text: string) => ({ content: [{ type: "text", text }] })

/** Answers by method; what is not named is not found, and notifications are taken. */
export const script =
  (answers: Readonly<Record<string, ScriptedServer.Script>>): ScriptedServer.Script => (message) => {
    if (message.id === undefined || message.method === undefined) return undefined
    const answer = answers[message.method]
    return answer === undefined ? { error: { code: -32_601, message: "Method not found" } } : answer(message)
  }

/** The first answer first; the last one for ever. */
export const inTurn = (...answers: ReadonlyArray<ScriptedServer.Reply>): ScriptedServer.Script => {
  let next = 0
  return () => answers[Math.min(next++, answers.length - 1)]
}
