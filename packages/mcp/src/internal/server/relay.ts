/**
 * Progress and log lines of a task, for the caller that waits: on the stream of its own request.
 */
import type { Task } from "@coppice/task/Task"
import { type Envelope, LogLevel, type TaskEvent } from "@coppice/task/TaskEvent"
import type { StoreError } from "@coppice/task/TaskStore"
import type { ServerContext } from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import * as Meta from "../../Meta.ts"
import { type Door, metaOf } from "./Door.ts"

const grave: ReadonlyArray<string> = LogLevel.literals

/** Whether a line of that level is wanted by somebody who asked for `least`. */
export const isGraveEnough = (level: string, least: string): boolean => grave.indexOf(level) >= grave.indexOf(least)

/** A task's progress as notifications, which have to grow. */
export const progressOf = (token: string | number) => {
  let last = -Infinity
  return ({ event }: Envelope): JsonObject | undefined => {
    if (event._tag !== "Progressed" || event.progress.progress <= last) return undefined
    const { message, progress, total } = event.progress
    last = progress
    return {
      progressToken: token,
      progress,
      ...total === null ? {} : { total },
      ...message === null ? {} : { message }
    }
  }
}

export const logOf = ({ data, level, logger }: TaskEvent & { readonly _tag: "Logged" }): JsonObject => ({
  level,
  data,
  ...logger === null ? {} : { logger }
})

/** How hearing a run ends. */
export interface Hearing {
  /** Hears no more. */
  readonly stop: () => void
  /** Hears what has been committed by now, then no more: whoever waits for the same commit may be told of it first. */
  readonly finish: Effect.Effect<void, StoreError>
}

/** How many facts are caught up with at once; a longer past is not retold. */
const mostPast = 1_000

/** Hears every fact of the task's run from its first one on, each once: those that are committed by now, then the others. */
export const hear = (
  door: Door,
  task: Task,
  listener: (envelope: Envelope) => void
): Effect.Effect<Hearing, StoreError> => {
  let since = 0
  let early: Array<Envelope> | undefined = []
  const tell = (envelope: Envelope): void => {
    if (envelope.seq <= since) return
    since = envelope.seq
    listener(envelope)
  }
  const stop = door.calls.facts.follow(task.run, (envelope) => {
    if (early === undefined) tell(envelope)
    else early.push(envelope)
  })
  const catchUp = Effect.suspend(() =>
    Effect.map(door.calls.verbs.events({ run: task.run, since, limit: mostPast }), (events) => events.forEach(tell))
  )
  const finish = Effect.ensuring(catchUp, Effect.sync(stop))
  return catchUp.pipe(
    Effect.map(() => {
      const later = early ?? []
      early = undefined
      later.forEach(tell)
      return { stop, finish }
    }),
    Effect.onError(() => Effect.sync(stop))
  )
}

/** Notifications on their way: what was told before the end has to leave before it. */
export class Outgoing {
  private readonly pending = new Set<Promise<void>>()

  add(sent: Promise<void>): void {
    const settled: Promise<void> = sent.catch(() => {}).finally(() => this.pending.delete(settled))
    this.pending.add(settled)
  }

  readonly flush: Effect.Effect<void> = Effect.promise(async () => {
    await Promise.all([...this.pending])
  })
}

const nothing = Effect.succeed(Effect.void)

/** Tells the caller what it asked to be told; succeeds with how to end it. */
export const relay = (door: Door, task: Task, ctx: ServerContext): Effect.Effect<Effect.Effect<void>, StoreError> => {
  const token = Meta.readProgressToken(metaOf(ctx))
  const asked = (ctx.mcpReq.envelope as JsonObject | undefined)?.[Meta.logLevel]
  const least = typeof asked === "string" ? asked : undefined
  if (token === undefined && least === undefined) return nothing
  const progress = token === undefined ? undefined : progressOf(token)
  const outgoing = new Outgoing()
  const notify = (method: string, params: JsonObject | undefined) => {
    if (params !== undefined) outgoing.add(ctx.mcpReq.notify({ method, params }))
  }
  const heard = hear(door, task, (envelope) => {
    if (envelope.task === task.id && progress !== undefined) notify("notifications/progress", progress(envelope))
    if (least !== undefined && envelope.event._tag === "Logged" && isGraveEnough(envelope.event.level, least)) {
      notify("notifications/message", logOf(envelope.event))
    }
  })
  return Effect.map(heard, ({ finish }) => Effect.andThen(Effect.ignore(finish), outgoing.flush))
}
