/**
 * Following a task of 2026-07-28: polls tell everything, and so do pushes.
 *
 * A task says which questions are open; each is asked once and answered with `tasks/update`. What it no longer lists has
 * been answered elsewhere or given up.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Bell } from "./Bell.ts"
import { Desk } from "./Desk.ts"
import type { McpError } from "./errors.ts"
import { type Following, intervalOf, poll } from "./follow.ts"
import type { Answer } from "./questions.ts"
import type { Subscriptions } from "./Subscriptions.ts"
import { endOf, isOver, type TaskEnd, type TaskSnapshot, toSnapshot } from "./task.ts"

interface State {
  readonly following: Following
  readonly bell: Bell
  readonly desk: Desk
  pushed: TaskSnapshot | undefined
  wasTold: boolean
}

const update = (following: Following, key: string, answer: Answer): Effect.Effect<void, McpError> => {
  const { connection, reference: { taskId }, timeout } = following
  const response = answer._tag === "Result" ? answer.result : { action: "cancel" }
  return Effect.asVoid(
    connection.request("tasks/update", { taskId, inputResponses: { [key]: response } }, { timeout })
  )
}

const note = (state: State, snapshot: TaskSnapshot): void => {
  const { following } = state
  following.alive()
  following.options.onUpdate?.(snapshot)
  if (snapshot.status === "input_required") {
    for (const question of snapshot.questions) {
      state.desk.put(question.key, question, (answer) => update(following, question.key, answer))
    }
  }
  state.desk.keepOnly(new Set(snapshot.questions.map(({ key }) => key)))
}

const watch = (state: State): Effect.Effect<TaskEnd, McpError> =>
  Effect.gen(function*() {
    const { bell, following } = state
    let last: TaskSnapshot | undefined
    if (following.options.isNew === true) yield* bell.wait(intervalOf(following, last))
    for (;;) {
      const { pushed } = state
      state.pushed = undefined
      const snapshot: TaskSnapshot = pushed ?? (yield* poll(following))
      last = snapshot
      note(state, snapshot)
      const end = endOf(snapshot)
      if (end !== undefined) return end
      // a push may leave the result out; a poll must not
      if (isOver(snapshot.status) && pushed === undefined) {
        const detail = `a ${snapshot.status} task comes without its ${
          snapshot.status === "failed" ? "error" : "result"
        }`
        return yield* following.connection.fail("tasks/get", { _tag: "InvalidReply", detail })
      }
      if (!isOver(snapshot.status)) yield* bell.wait(intervalOf(following, last))
    }
  })

/** Follows a task over one connection. */
export const follow =
  (subscriptions: Subscriptions) => (following: Following): Effect.Effect<TaskEnd, McpError, Scope.Scope> =>
    Effect.gen(function*() {
      const { connection, fork, options, reference: { taskId } } = following
      const state: State = {
        following,
        bell: new Bell(),
        desk: new Desk(fork, options),
        pushed: undefined,
        wasTold: false
      }
      const release = [
        connection.follow(taskId, ({ params }) => {
          const snapshot = params === undefined ? undefined : toSnapshot(params)
          if (snapshot === undefined) return
          state.pushed = snapshot
          state.wasTold = true
          state.bell.ring()
        }),
        subscriptions.watch(taskId, { look: () => state.bell.ring(), wasTold: () => state.wasTold })
      ]
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const off of release) off()
          state.desk.keepOnly(new Set())
        })
      )
      return yield* watch(state)
    })
