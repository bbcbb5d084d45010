/**
 * What became of a call that was sent and whose end nobody has heard.
 *
 * ```text
 *  an answer that was given ─► it counts
 *  verify ── a result ─► happened · nothing ─► did not happen
 *     ▼ there is none, or it cannot tell
 *  a person ── happened · did not happen · gives up
 * ```
 */
import { type Outcome, outcomeOf } from "@coppice/task/Doubt"
import { argumentsOf, type RemoteVerify, resultIn } from "@coppice/task/RemoteVerify"
import type { InputResponse } from "@coppice/task/TaskEvent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { Json } from "effect/Schema"
import type { McpClient } from "../../McpClient.ts"
import { brief } from "./errors.ts"
import type { CallContext } from "./meta.ts"
import type { RemoteInbox } from "./RemoteInbox.ts"
import type { JsonObject } from "./rpc.ts"
import type { CallResult } from "./task.ts"
import { fitting, type Judge, readings, stated } from "./verdict.ts"

export type Resolved =
  | { readonly _tag: "Happened"; readonly value: Json }
  | { readonly _tag: "DidNotHappen" }
  | { readonly _tag: "GivenUp"; readonly by: string }

export interface RemoteDoubtOptions {
  readonly client: McpClient
  readonly judge: Judge
  readonly inbox: RemoteInbox
  readonly verify: RemoteVerify | undefined
  readonly input: Json
  /** Of the call. */
  readonly context: CallContext
  /** Milliseconds the server may be out of reach while it is asked. */
  readonly patience: number | undefined
  /** Called when the task waits for a person. */
  readonly whenAsked: () => void
}

const defaultPatience = 60_000
const again = Schedule.jittered(Schedule.exponential("500 millis", 1.5))

type Looked = { readonly resolved: Resolved } | { readonly problem: string }

export class RemoteDoubt {
  private readonly options: RemoteDoubtOptions

  constructor(options: RemoteDoubtOptions) {
    this.options = options
  }

  /** `doubt` says in words what is not known. */
  resolve(doubt: string): Effect.Effect<Resolved> {
    return Effect.gen({ self: this }, function*() {
      const { inbox, verify } = this.options
      let words = doubt
      if (verify !== undefined && inbox.doubtAnswer === undefined) {
        const looked = yield* this.look(verify)
        // who was asked before may have answered meanwhile
        if (inbox.doubtAnswer === undefined) {
          if ("resolved" in looked) {
            inbox.withdrawDoubt()
            return looked.resolved
          }
          words = `${doubt}. Looking for it with "${verify.tool}" failed: ${looked.problem}`
        }
      }
      return yield* this.ask(words)
    })
  }

  // ---------------------------------------------------------------- looking

  private look(verify: RemoteVerify): Effect.Effect<Looked> {
    const { client, context, input, patience = defaultPatience } = this.options
    const looked = client.run(verify.tool, argumentsOf(verify, input as JsonObject), { task: "forbid", context })
    return looked.pipe(
      // it only looks: whatever came of one try, another does no harm
      Effect.retry({ schedule: again, while: (error) => error.isTransient }),
      Effect.timeoutOption(patience),
      Effect.match({
        onFailure: (error): Looked => ({ problem: error.message }),
        onSuccess: (end): Looked => {
          if (Option.isNone(end)) return { problem: `it has not answered within ${patience} ms` }
          return end.value._tag === "Completed"
            ? this.seen(verify, end.value.result)
            : { problem: "the task it became has not completed" }
        }
      })
    )
  }

  private seen(verify: RemoteVerify, result: CallResult): Looked {
    const [value] = readings(result)
    if (value === undefined) return { problem: "what it returned is neither structured nor one text" }
    if (result.isError) return { problem: `it says ${brief(JSON.stringify(value))}` }
    const found = resultIn(verify, value)
    if (found === undefined) return { resolved: { _tag: "DidNotHappen" } }
    const fit = this.fit(found)
    return "value" in fit
      ? { resolved: { _tag: "Happened", value: fit.value } }
      : { problem: `what it found is no result of the call: ${fit.problem}` }
  }

  private fit(result: Json): { readonly value: Json } | { readonly problem: string } {
    return fitting(this.options.judge, stated(this.options.judge, result))
  }

  // ---------------------------------------------------------------- asking

  /** Until an answer can be taken. */
  private ask(words: string): Effect.Effect<Resolved> {
    const { inbox, whenAsked } = this.options
    return Effect.gen({ self: this }, function*() {
      for (let question = words;;) {
        if (inbox.doubtAnswer === undefined) whenAsked()
        const response = yield* inbox.doubt(question)
        const taken = this.taken(outcomeOf(response))
        if ("resolved" in taken) return taken.resolved
        inbox.refuseDoubt()
        question = refusal(words, response, taken.problem)
      }
    })
  }

  private taken(outcome: Outcome): Looked {
    if (outcome._tag === "Unreadable") return { problem: outcome.problem }
    if (outcome._tag !== "Happened") return { resolved: outcome }
    const fit = this.fit(outcome.result)
    return "value" in fit
      ? { resolved: { _tag: "Happened", value: fit.value } }
      : { problem: `the result does not fit: ${fit.problem}` }
  }
}

const refusal = (words: string, { by }: InputResponse, problem: string): string =>
  `${words}. The answer of ${by} cannot be taken: ${problem}`
