/**
 * Pushes of 2026-07-28: one `subscriptions/listen` for all tasks that were begun at about the same time.
 *
 * A stream that drops is opened again, and each of its tasks is looked at once, because something may have happened in
 * between. A server that does not honour task ids is only polled.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Connection, Heard } from "./Connection.ts"
import { at } from "./rpc.ts"

type Fork = (effect: Effect.Effect<void>) => Fiber.Fiber<void>

/** How long tasks are gathered before a further stream is opened for them, milliseconds. One alone does not wait. */
const gather = 5
const maxStreams = 32

/** How long a server that honours the tasks may take to tell how each stands, before they are looked at, milliseconds. */
const grace = 25

/** A task to be told of. */
interface Watched {
  /** Makes its follower ask for its state. */
  readonly look: () => void
  /** Whether the server has told of it since the stream was opened. */
  readonly wasTold: () => boolean
}

interface Batch {
  readonly tasks: Map<string, Watched>
  fiber: Fiber.Fiber<void> | undefined
}

export class Subscriptions {
  private readonly connection: Connection
  private readonly fork: Fork
  private open: Batch | undefined
  private streams = 0
  private isOffered = true

  constructor(connection: Connection, fork: Fork) {
    this.connection = connection
    this.fork = fork
  }

  /** Has a task watched until it is released. */
  watch(task: string, watched: Watched): () => void {
    if (!this.isOffered || (this.open === undefined && this.streams >= maxStreams)) return () => {}
    const batch = this.open ?? this.begin()
    batch.tasks.set(task, watched)
    return () => {
      batch.tasks.delete(task)
      if (batch.tasks.size === 0 && batch !== this.open) batch.fiber?.interruptUnsafe()
    }
  }

  private begin(): Batch {
    const batch: Batch = { tasks: new Map(), fiber: undefined }
    this.open = batch
    this.streams++
    const closed = Effect.sync(() => {
      this.open = undefined
      return batch.tasks.size > 0
    })
    batch.fiber = this.fork(
      Effect.delay(closed, this.streams === 1 ? 0 : gather).pipe(
        Effect.flatMap((isWanted) => isWanted ? this.follow(batch) : Effect.void),
        Effect.ensuring(Effect.sync(() => void this.streams--))
      )
    )
    return batch
  }

  private follow(batch: Batch): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      while (batch.tasks.size > 0 && this.isOffered && this.connection.closedBy === undefined) {
        yield* this.listen(batch)
        for (const { look } of batch.tasks.values()) look()
        yield* Effect.sleep("1 second")
      }
    })
  }

  private listen(batch: Batch): Effect.Effect<void> {
    const taskIds = [...batch.tasks.keys()]
    // something may have happened before the stream was open; many servers tell where each task stands by themselves
    const lookAtTheRest = Effect.delay(
      Effect.sync(() => {
        for (const { look, wasTold } of batch.tasks.values()) if (!wasTold()) look()
      }),
      grace
    )
    const hear = (message: Heard): boolean => {
      if (message.method !== "notifications/subscriptions/acknowledged") return false
      const honoured = at(message.params, "notifications", "taskIds")
      if (Array.isArray(honoured) && honoured.length > 0) this.fork(lookAtTheRest)
      else this.isOffered = false
      return true
    }
    return this.connection.request("subscriptions/listen", { notifications: { taskIds } }, { lane: "stream", hear })
      .pipe(
        Effect.catch((error) =>
          Effect.sync(() => {
            if (!error.isTransient) this.isOffered = false
          })
        ),
        Effect.asVoid
      )
  }
}
