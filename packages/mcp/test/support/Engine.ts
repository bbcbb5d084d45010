/**
 * The task engine of one process life, with the agents of one server served in it.
 */
import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import { Rescuer } from "@coppice/task/Rescuer"
import type { TaskId } from "@coppice/task/Task"
import * as TaskEngine from "@coppice/task/TaskEngine"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import { Tasks } from "@coppice/task/Tasks"
import type { TaskStore } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import * as McpClient from "../../src/McpClient.ts"
import * as RemoteAgent from "../../src/RemoteAgent.ts"

export type Store = Layer.Layer<TaskStore>

export const newStore = (): Store => MemoryTaskStore.layerShared()

export interface LifeOptions {
  readonly store: Store
  readonly server: Omit<McpClient.McpClientOptions, "name">
  readonly agents: ReadonlyArray<Omit<RemoteAgent.RemoteAgentOptions, "server">>
}

/** Runs a program in a process of its own: its client, its engine and its workers end with it. */
export const life = <A, E>(
  { agents, server, store }: LifeOptions,
  program: Effect.Effect<A, E, TaskEngine.TaskEngine>
) =>
  Effect.scoped(
    Effect.gen(function*() {
      const client = yield* McpClient.make({
        name: "peer",
        offers: { elicitation: { form: true, url: true } },
        ...server
      })
      const served = RemoteAgent.layer(client, agents.map((agent) => RemoteAgent.make({ ...agent, server: "peer" })))
      const resumed = Layer.effectDiscard(Effect.flatMap(Rescuer, (rescuer) => rescuer.sweep))
      const engine = Layer.provideMerge(
        Layer.provideMerge(resumed, served),
        Layer.provideMerge(TaskEngine.layer, store)
      )
      return yield* Effect.provide(program, engine)
    })
  )

export const submit = (agent: string, input: Json = {}, more: { readonly deadline?: number } = {}) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.submit({ agent, input, ...more }), ({ id }) => id))

/** How a task ended, once it has come to rest. */
export const rest = (id: TaskId) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const { ending } = yield* tasks.result(id)
    yield* Stream.runDrain(Stream.takeUntil(
      Stream.mapEffect(tasks.watch({ task: id, since: 0 }), () => Effect.map(tasks.get(id), (task) => task.settlement)),
      (settlement) => settlement !== null
    ))
    return { ending, task: yield* tasks.get(id) }
  })

/** The first fact of a task with this tag, now or later. */
export const fact = <Tag extends TaskEvent["_tag"]>(
  id: TaskId,
  tag: Tag,
  is: (event: Extract<TaskEvent, { readonly _tag: Tag }>) => boolean = () => true
) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const found = tasks.watch({ task: id, since: 0 }).pipe(
      Stream.map(({ event }) => event),
      Stream.filter((event): event is Extract<TaskEvent, { readonly _tag: Tag }> => event._tag === tag),
      Stream.filter(is),
      Stream.runHead
    )
    return Option.getOrThrow(yield* found)
  })
