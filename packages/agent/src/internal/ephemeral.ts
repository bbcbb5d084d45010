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
import type { Execution } from "./Execution.ts"
import { runStep } from "./step.ts"

/** How an ephemeral call failed, as its step records it. */
type Recorded = { readonly declared: Json } | { readonly unknown: string }

const bodyOf = (execution: Execution, name: string, input: Json): Effect.Effect<Json, Recorded> =>
  Effect.suspend((): Effect.Effect<Json, Recorded> => {
    const definition = execution.server.host.local(name)
    if (definition === undefined) {
      return Effect.fail({ unknown: `no code for the ephemeral agent "${name}" in this process` })
    }
    const handled = Effect.provideContext(definition.handle(input), definition.context)
    return Effect.mapError(handled, (declared) => ({ declared }))
  })

export const callEphemeral = (
  contract: Contract,
  codecs: Codecs,
  input: unknown
): Effect.Effect<any, any, TaskContext> =>
  Effect.flatMap(currentExecution, (execution) => {
    const { name } = contract
    const fail = (reason: CallError["reason"]) => Effect.fail(new CallError({ agent: name, reason }))
    const encoded = codecs.encodeInput(input)
    if (Exit.isFailure(encoded)) return fail({ _tag: "Refused", detail: problemOf(encoded.cause).message })
    const step = Effect.withFiber((fiber) =>
      runStep(execution, {
        name,
        kind: "call",
        input: encoded.value,
        body: bodyOf(execution, name, encoded.value),
        encode: (value) => value as Json,
        decode: Exit.succeed,
        encodeError: (error) => error as Json,
        decodeError: Exit.succeed
      }, fiber.context)
    )
    const decoded = (exit: Exit.Exit<any, any>, then: (value: any) => Effect.Effect<any, any>) =>
      Exit.isSuccess(exit)
        ? then(exit.value)
        : fail({ _tag: "Malformed", task: execution.id, detail: problemOf(exit.cause).message })
    return Effect.matchEffect(step as Effect.Effect<Json, Recorded>, {
      onSuccess: (output) => decoded(codecs.decodeOutput(output), Effect.succeed),
      onFailure: (error) =>
        "unknown" in error
          ? fail({ _tag: "Unknown", detail: error.unknown })
          : decoded(codecs.decodeError(error.declared), Effect.fail)
    })
  })
