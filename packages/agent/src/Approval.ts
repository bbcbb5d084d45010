/**
 * A person's yes to one exact action.
 */
import { canonical, check } from "@coppice/task/Payload"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import type { NotAccepted } from "./AgentError.ts"
import { actionDigest } from "./internal/action.ts"
import { type Answered, answered, plain } from "./internal/ask.ts"
import { check as checkRules, durationOf, type Rules } from "./internal/policy.ts"
import * as Step from "./Step.ts"
import type { TaskContext } from "./TaskContext.ts"

/** What is to be done. `policy`: the version of the rules that ask for an approval, when they have one. */
export interface Action {
  readonly tool: string
  readonly arguments: Json
  readonly policy?: string | undefined
}

/** What a person is asked to allow. */
export interface Approve extends Action, Rules {
  /** What they read above the action. [Allow <tool>?] */
  readonly message?: string | undefined
  /** How long the approval holds, counted from the question. [until it is used] */
  readonly holds?: Duration.Input | undefined
  /** What clients of MCP see as the question's key. */
  readonly name?: string | undefined
  /** What counts when nobody answers in time; an approval is never given by silence. [expired] */
  readonly onSilence?: "decline" | undefined
}

/** The yes. It is good for one use. */
export interface Approval {
  /** Who gave it; several where a quorum had to. */
  readonly by: ReadonlyArray<string>
  /** Names the exact action, its rules and its expiry. */
  readonly digest: string
  /** Unix milliseconds; `null` when it holds until it is used. */
  readonly expires: number | null
  /**
   * Runs the effect if this very action was approved, the approval still holds and was not used before. Otherwise the
   * same people are asked again, about the action that is given here; without their yes it fails with `NotAccepted`.
   *
   * **Details**
   *
   * That the approval is used is a step of its own (`approval used`), recorded before the effect begins. The effect is
   * code of the handler like any other: what must not be repeated is a step or a call within it.
   */
  readonly use: <A, E, R>(action: Action, effect: Effect.Effect<A, E, R>) => Effect.Effect<
    A,
    E | NotAccepted,
    R | TaskContext
  >
}

/** The form of a question whose answer is yes or no. */
const nothing = { type: "object", properties: {} } as const

const exact = ({ arguments: given, policy = "", tool }: Action) => ({ tool, arguments: given, policy })

const askedOf = (options: Approve) => {
  const { holds, message, name, onSilence, ...rules } = options
  const action = exact(options)
  const silence = onSilence === undefined ? undefined : { action: onSilence }
  return {
    ...plain,
    message: message ?? `Allow ${options.tool}?`,
    name,
    schema: nothing,
    text: canonical(action),
    rules: checkRules(rules, silence),
    action: { ...action, holds: holds === undefined ? undefined : durationOf("holds", holds) }
  }
}

/** The action, as it was shown, does not hold for `now`; whether it does is part of the record. */
const record = (question: string, digest: string, expires: number | null, by: ReadonlyArray<string>) =>
  Step.run(
    "approval used",
    { question, digest },
    Effect.map(Clock.currentTimeMillis, (at) => ({ holds: expires === null || at < expires, by: [...by], at }))
  )

const approvalOf = (options: Approve, { key, response }: Answered): Approval => {
  const { approval, by: last, voters } = response
  const by = voters ?? [last]
  // an answer that came by another way than a question for this action, such as a fork's, allows nothing
  const { digest, expires } = approval ?? { digest: "", expires: null }
  let isUsed = false
  return {
    by,
    digest,
    expires,
    use: (action, effect) =>
      Effect.suspend(() => {
        const again = Effect.flatMap(approve({ ...options, ...exact(action) }), (next) => next.use(action, effect))
        if (isUsed || actionDigest({ ...exact(action), expires }) !== digest) return again
        isUsed = true
        return Effect.flatMap(record(key, digest, expires, by), ({ holds }) => holds ? effect : again)
      })
  }
}

/** See `Human.approve`. */
export const approve = (options: Approve): Effect.Effect<Approval, NotAccepted, TaskContext> =>
  Effect.suspend(() => {
    const tooLarge = check("The question", [options.message ?? "", options.tool, options.arguments, options.arguments])
    return tooLarge === undefined
      ? Effect.map(answered(askedOf(options)), (answer) => approvalOf(options, answer))
      : Effect.die(tooLarge)
  })
