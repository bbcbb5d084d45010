/**
 * The open questions of one task or call: each is asked once, and its answer delivered, until it is withdrawn.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type { McpError } from "./errors.ts"
import { code } from "./meta.ts"
import { type Answer, type Ask, type Question, refuse, withDefaults } from "./questions.ts"

type Fork = (effect: Effect.Effect<void>) => Fiber.Fiber<void>

/** An answer that did not arrive is sent again: the server takes the first one only. */
const again = Schedule.exponential("200 millis").pipe(Schedule.jittered)
const tries = 4

/** Asks and answers for one question; a handler that breaks refuses. */
export const answered = (ask: Ask | undefined, question: Question): Effect.Effect<Answer> => {
  if (ask === undefined) {
    return Effect.succeed(refuse(code.methodNotFound, `Nobody here answers questions of the kind "${question.kind}"`))
  }
  return ask(question).pipe(
    Effect.map((answer) => withDefaults(question, answer)),
    Effect.catchDefect((defect) =>
      Effect.as(
        Effect.logWarning("A question of a server could not be answered", defect),
        refuse(code.internal, "The question could not be answered")
      )
    )
  )
}

export interface DeskOptions {
  readonly ask?: Ask | undefined
  readonly onAnswered?: ((question: Question) => void) | undefined
}

export class Desk {
  private readonly open = new Map<string, Fiber.Fiber<void>>()
  private readonly done = new Set<string>()
  private readonly fork: Fork
  private readonly ask: Ask | undefined
  private readonly onAnswered: DeskOptions["onAnswered"]

  constructor(fork: Fork, { ask, onAnswered }: DeskOptions) {
    this.fork = fork
    this.ask = ask
    this.onAnswered = onAnswered
  }

  /** Puts a question unless it is open, or answered already. */
  put(id: string, question: Question, deliver: (answer: Answer) => Effect.Effect<void, McpError>): void {
    if (this.open.has(id) || this.done.has(id)) return
    const delivered = Effect.flatMap(
      answered(this.ask, question),
      (answer) => Effect.retry(deliver(answer), { schedule: again, times: tries, while: (error) => error.isTransient })
    )
    const fiber = this.fork(delivered.pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          this.done.add(id)
          this.onAnswered?.(question)
        })
      ),
      Effect.catch((error) => Effect.logWarning("An answer did not reach the server", error.message))
    ))
    this.open.set(id, fiber)
    fiber.addObserver((_exit: Exit.Exit<void>) => {
      if (this.open.get(id) === fiber) this.open.delete(id)
    })
  }

  /** The server no longer wants to know. */
  withdraw(id: string): void {
    this.open.get(id)?.interruptUnsafe()
    this.open.delete(id)
  }

  /** Withdraws what is not among these. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.open.keys()) if (!ids.has(id)) this.withdraw(id)
  }
}
