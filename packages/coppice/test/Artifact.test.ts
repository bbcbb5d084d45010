import * as Agent from "@coppice/agent/Agent"
import * as Durable from "@coppice/agent/Durable"
import type { TaskContext } from "@coppice/agent/TaskContext"
import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as Artifact from "../src/Artifact.ts"
import * as Orchestrator from "../src/Orchestrator.ts"

const Root = Agent.make("root", { description: "", input: Schema.Null, output: Schema.Json })
const Length = Agent.make("length", { description: "", input: Artifact.ArtifactRef, output: Schema.Int })
const LengthLive = Length.toLayer((ref) => Effect.orDie(Effect.map(Artifact.read(ref), ({ length }) => length)))

type Work = Effect.Effect<Schema.Json, unknown, TaskContext | Tasks>

const rootOf = (work: Work) => Orchestrator.make({ agents: [LengthLive, Root.toLayer(() => Effect.orDie(work))] })

/** Runs the work as a handler; its output. */
const inHandler = Effect.fnUntraced(function*(work: Work, store: Layer.Layer<TaskStore> = MemoryTaskStore.layerMemory) {
  const layer = Layer.provide(rootOf(work).layer, store)
  const { ending } = yield* Effect.provide(Orchestrator.run("root", null), layer)
  assert(ending._tag === "Completed", JSON.stringify(ending))
  return ending.result
})

const sha256 = (text: string) => createHash("sha256").update(text).digest("base64url")

describe("write", () => {
  it.live("names text by its content, with its type and size in bytes", () =>
    Effect.gen(function*() {
      const ref = yield* inHandler(Artifact.write("größer"))
      assert.deepStrictEqual(ref, { digest: sha256("größer"), mediaType: "text/plain; charset=utf-8", size: 8 })
    }))

  it.live("keeps bytes as they are", () =>
    Effect.gen(function*() {
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
      const read = yield* inHandler(Effect.gen(function*() {
        const ref = yield* Artifact.write(bytes, "application/octet-stream")
        assert.strictEqual(ref.mediaType, "application/octet-stream")
        return [...yield* Artifact.read(ref)]
      }))
      assert.deepStrictEqual(read, [...bytes])
    }))

  it.live("keeps the same content once, and other content beside it", () =>
    Effect.gen(function*() {
      const digests = yield* inHandler(Effect.gen(function*() {
        const refs = yield* Effect.forEach(["one", "one", "two"], (text) => Artifact.write(text))
        return refs.map(({ digest }) => digest)
      }))
      assert.deepStrictEqual(digests, [sha256("one"), sha256("one"), sha256("two")])
    }))

  it.live("takes what would be too large for the log, and passes it on by its name", () =>
    Effect.gen(function*() {
      const large = new Uint8Array(3_000_000).fill(7)
      const length = yield* inHandler(Effect.flatMap(Artifact.write(large), (ref) => Length.call(ref)))
      assert.strictEqual(length, 3_000_000)
    }))
})

describe("read", () => {
  it.live("fails with ArtifactNotFound for what nobody wrote", () =>
    Effect.gen(function*() {
      const ref = { digest: sha256("never"), mediaType: "text/plain", size: 5 }
      const message = yield* inHandler(
        Artifact.readText(ref).pipe(
          Effect.catchTag("ArtifactNotFound", (error) => Effect.succeed(`${error.digest}|${error.message}`))
        )
      )
      const { digest } = ref
      assert.strictEqual(message, `${digest}|No artifact ${digest}; it lives as long as the run that wrote it`)
    }))

  it.live("fails once the run that wrote it is deleted", () =>
    Effect.gen(function*() {
      const store = MemoryTaskStore.layerShared()
      const ref = (yield* inHandler(Artifact.write("short-lived"), store)) as typeof Artifact.ArtifactRef.Type
      const error = yield* Effect.gen(function*() {
        const tasks = yield* Tasks
        assert.strictEqual(yield* Artifact.readText(ref), "short-lived")
        const [task] = yield* tasks.list({ limit: 1 })
        yield* tasks.delete(task!.id)
        return yield* Effect.flip(Artifact.read(ref))
      }).pipe(Effect.provide(Layer.provide(rootOf(Effect.succeed(null)).layer, store)))
      assert.strictEqual(error._tag, "ArtifactNotFound")
    }))
})

/** Submits the root and waits until it reports progress. */
const submitted = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { id } = yield* tasks.submit({ agent: "root", input: null })
  yield* Stream.runHead(Stream.filter(tasks.watch({ since: 0 }), ({ event }) => event._tag === "Progressed"))
  return id
})

describe("step", () => {
  it.live("is recorded: a later life has the reference without writing again", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const counting = Layer.effect(
        TaskStore,
        Effect.map(TaskStore, (store) => ({
          ...store,
          commit: (batch: Parameters<typeof store.commit>[0]) => {
            for (const { digest } of batch.artifacts) written.push(digest)
            return store.commit(batch)
          }
        }))
      ).pipe(Layer.provide(MemoryTaskStore.layerShared()))
      const refs: Array<Artifact.ArtifactRef> = []
      const work = (then: Effect.Effect<void, never, TaskContext>) =>
        Effect.gen(function*() {
          refs.push(yield* Artifact.step("page", "<p>", "text/html"))
          yield* Durable.progress({ progress: 1 })
          yield* then
          return yield* Artifact.readText(refs[0]!)
        })
      const first = Layer.provide(rootOf(work(Effect.never)).layer, counting)
      const id = yield* Effect.provide(submitted, first)
      const second = Layer.provide(rootOf(work(Effect.void)).layer, counting)
      const { ending } = yield* Effect.provide(Effect.flatMap(Tasks, (tasks) => tasks.result(id)), second)
      assert.deepStrictEqual(ending, { _tag: "Completed", result: "<p>" })
      assert.deepStrictEqual(refs, [refs[0]!, refs[0]!])
      assert.deepInclude(refs[0], { mediaType: "text/html", size: 3 })
      assert.deepStrictEqual(written, [sha256("<p>")])
    }))
})
