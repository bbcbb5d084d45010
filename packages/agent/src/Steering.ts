/**
 * What people tell a running task: guidance it did not ask for.
 *
 * A message is recorded when it is sent (`coppice steer <id> --message`, `POST /tasks/:id/steer`), and reaches the handler
 * in the order of the log, so a replay hears it at the same moment. A task that does not listen goes on as it was.
 */
import * as Effect from "effect/Effect"
import { currentExecution } from "./internal/call.ts"
import type { TaskContext } from "./TaskContext.ts"

/** What was said, and who said it. */
export interface Message {
  readonly by: string
  readonly message: string
}

const toMessage = ({ by, message }: Message): Message => ({ by, message })

/**
 * The next message nobody in this task has read, now or when it comes.
 *
 * **Details**
 *
 * A durable wait: the task may leave memory meanwhile, and nothing is written for it. Messages come in the order in which
 * they were sent, each to one reader; an interrupted wait takes none.
 *
 * **Gotchas**
 *
 * It waits for ever when nobody says anything: race it with the work, or bound it with `Effect.timeoutOption`.
 */
export const next: Effect.Effect<Message, never, TaskContext> = Effect.flatMap(
  currentExecution,
  ({ messages }) => Effect.map(messages.next(), toMessage)
)

/**
 * All messages nobody in this task has read, without waiting.
 *
 * **Gotchas**
 *
 * What was sent reaches the code when it next waits for something of the log: a loop that never waits hears nothing.
 */
export const messages: Effect.Effect<ReadonlyArray<Message>, never, TaskContext> = Effect.map(
  currentExecution,
  ({ messages }) => messages.rest().map(toMessage)
)
