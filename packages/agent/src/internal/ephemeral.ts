/**
 * Calls that need no log of their own: the callee runs inline, as one recorded step of its caller.
 */
import type { Contract } from "@coppice/task/Contract"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Json } from "effect/Schema"
import { CallError } from "../AgentError.ts"
import type { TaskContext } from "../TaskContext.ts"
import { currentExecution } from "./call.ts"
import { type Codecs, problemOf } from "./codecs.ts"
import { runStep } from "./step.ts"

export const callEphemeral = (
  contract: Contract,
  codecs: Codecs,
  input: unknown
): Effect.Effect<any, any, TaskContext> =>
  Effect.flatMap(currentExecution, (execution) => {
    const encoded = codecs.encodeInput(input)
    if (Exit.isFailure(encoded)) {
      const { message } = problemOf(encoded.cause)
      return Effect.fail(new CallError({ agent: contract.name, reason: { _tag: "Refused", detail: message } }))
    }
    const definition = execution.server.host.local(contract.name)
    if (definition === undefined) {
      const detail = `no code for the ephemeral agent "${contract.name}" in this process`
      return Effect.fail(new CallError({ agent: contract.name, reason: { _tag: "Unknown", detail } }))
    }
    const body = Effect.provideContext(definition.handle(encoded.value), definition.context)
    const step = runStep(execution, {
      name: contract.name,
      kind: "call",
      input: encoded.value,
      body: body as Effect.Effect<Json, Json>,
      encode: (value) => value as Json,
      decode: Exit.succeed,
      encodeError: (error) => error as Json,
      decodeError: Exit.succeed
    })
    return Effect.matchEffect(step, {
      onSuccess: (output) => codecs.decodeOutput(output) as Effect.Effect<any, any>,
      onFailure: (error) => Effect.flatMap(codecs.decodeError(error) as Effect.Effect<any, any>, Effect.fail)
    })
  })
