/**
 * `coppice steer <id>`: tells a running task something, or changes its limits.
 */
import * as Effect from "effect/Effect"
import { readBudget } from "../BudgetInput.ts"
import { Connection, now } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { readDuration } from "../Input.ts"
import { steeredLines } from "../SteeredLines.ts"

export interface Options {
  readonly id: string
  readonly message: string | undefined
  readonly priority: number | undefined
  readonly deadline: string | undefined
  readonly budget: string | undefined
  readonly subtree: boolean
  readonly json: boolean
}

const payloadOf = Effect.fnUntraced(function*({ budget, deadline, message, priority, subtree }: Options) {
  const within = deadline === undefined ? undefined : yield* readDuration(deadline, "--deadline")
  const pool = budget === undefined ? undefined : yield* readBudget(budget)
  return {
    ...message === undefined ? {} : { message },
    ...priority === undefined ? {} : { priority },
    ...within === undefined ? {} : { deadline: Math.ceil((yield* now) + within) },
    ...pool === undefined ? {} : { budget: pool },
    ...subtree ? { subtree } : {}
  }
})

export const steer = Effect.fn("steer")(function*(options: Options) {
  const { call, client } = yield* Connection
  const { out } = yield* Host
  const payload = yield* payloadOf(options)
  const task = yield* call(client.tasks.steer({ params: { id: options.id }, payload }))
  if (options.json) return writeJson(out, task)
  writeLines(out, steeredLines(task))
})
