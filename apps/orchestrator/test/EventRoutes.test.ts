import type { Frame } from "@coppice/api/EventsApi"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { EventStreams, position } from "../src/EventRoutes.ts"
import { Lifecycle } from "../src/Lifecycle.ts"
import { Service, submit, TaskLog } from "./support/Service.ts"

const seqOf = (frame: Frame): number => frame.event === "message" ? frame.data.seq : frame.data.since

/** The text of a stream until it contains `until`, or ends. */
const read = Effect.fnUntraced(function*(path: string, until: string, headers: Record<string, string> = {}) {
  const { fetch } = yield* Service
  const response = yield* fetch(path, { headers })
  return yield* Effect.promise(async () => {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ""
    while (!text.includes(until)) {
      const { done, value } = await reader.read()
      if (done) return text
      text += value
    }
    await reader.cancel()
    return text
  })
})

const idsIn = (text: string): ReadonlyArray<number> =>
  [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]))

const finishedRun = Effect.gen(function*() {
  const { client } = yield* Service
  const id = yield* submit("double", { text: "x" })
  yield* client.result(id)
  const { events } = yield* client.tasks.events({ params: { id }, query: { of: "tree", limit: 1_000 } })
  return { id, seqs: events.map(({ seq }) => seq) }
})

layer(Service.layerMemory, { excludeTestServices: true })("EventRoutes", (it) => {
  it.effect("begins a run's stream at its first fact", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const { id, seqs } = yield* finishedRun
      const frames = yield* Stream.runCollect(Stream.take(client.follow({ run: id }), seqs.length + 1))
      assert.deepStrictEqual(frames.map(({ event }) => event).slice(0, 2), ["ready", "message"])
      assert.deepStrictEqual(frames.slice(1).map(seqOf), seqs)
    }))

  it.effect("resumes without gap or repetition, wherever the connection broke (case 18)", () =>
    Effect.gen(function*() {
      const { id, seqs } = yield* finishedRun
      for (let broken = 0; broken < seqs.length - 1; broken++) {
        const before = yield* read(`/api/v1/events?run=${id}`, `id: ${seqs[broken]}\n`)
        const seen = idsIn(before).slice(1).filter((seq) => seq <= seqs[broken]!)
        const last = String(seen.at(-1))
        const after = yield* read(`/api/v1/events?run=${id}&since=0`, `id: ${seqs.at(-1)}\n`, { "last-event-id": last })
        assert.deepStrictEqual([...seen, ...idsIn(after).slice(1)], seqs)
      }
    }))

  it.effect("begins the stream of everything now, and misses nothing from then on", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const log = yield* TaskLog
      const frames = yield* client.follow().pipe(
        Stream.tap((frame) => frame.event === "ready" ? Effect.asVoid(submit("echo", { text: "y" })) : Effect.void),
        Stream.takeUntil((frame) => frame.event === "message" && frame.data.event._tag === "Completed"),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        frames.slice(1).map(seqOf),
        frames.slice(1).map((_, index) => seqOf(frames[0]!) + index + 1)
      )
      assert.strictEqual(log.head, seqOf(frames.at(-1)!))
    }))

  it.effect.each(["abc", "-1", "1e3", "99999999999999999999", "9007199254740991", "0x10", "1; DROP"])(
    "answers the id %s, which the log never gave out, with a reset (case 18)",
    (id) =>
      Effect.gen(function*() {
        const log = yield* TaskLog
        const text = yield* read("/api/v1/events", "\n\n", { "last-event-id": id })
        assert.strictEqual(text, `event: reset\nid: ${log.head}\ndata: {"since":${log.head}}\n\n`)
      })
  )

  it.effect("follows one task only", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const { id } = yield* finishedRun
      const { tasks } = yield* client.tasks.tree({ params: { id }, query: {} })
      const child = tasks[1]!.id
      const frames = yield* Stream.runCollect(Stream.take(client.follow({ task: child }), 4))
      assert.isTrue(frames.slice(1).every((frame) => frame.event === "message" && frame.data.task === child))
    }))
})

const impatient = Layer.succeed(EventStreams, { keepAlive: "20 millis", patience: "1 minute", most: 1 } as const)

layer(Layer.provide(Service.layerMemory, impatient), { excludeTestServices: true })("EventRoutes limits", (it) => {
  it.effect("sends a comment in a silence", () =>
    Effect.gen(function*() {
      assert.include(yield* read("/api/v1/events", ":\n\n:\n\n"), "event: ready")
    }))

  it.effect("refuses one stream too many, and lets go of those that end", () =>
    Effect.gen(function*() {
      const { client, fetch } = yield* Service
      const open = client.follow().pipe(
        Stream.mapEffect(() => fetch("/api/v1/events")),
        Stream.take(1),
        Stream.runCollect
      )
      const [second] = yield* open
      assert.strictEqual(second?.status, 503)
      assert.strictEqual(second?.headers.get("retry-after"), "5")
    }))

  it.effect("ends every stream when the service stops", () =>
    Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const { fetch } = yield* Service
      const reading = yield* Effect.forkChild(read("/api/v1/events", "never"), { startImmediately: true })
      yield* lifecycle.stop
      yield* Fiber.await(reading)
      assert.strictEqual((yield* fetch("/readyz")).status, 503)
      const refused = yield* fetch("/api/v1/tasks", { method: "POST", body: `{"agent":"echo","input":{"text":""}}` })
      assert.strictEqual(refused.status, 503)
    }))
})

describe("position", () => {
  it("is one the log has given out", () => {
    assert.deepStrictEqual(["0", "7", "8", "", " 7", "+7", "07", "7.0"].map((text) => position(text, 7)), [
      0,
      7,
      undefined,
      undefined,
      undefined,
      undefined,
      7,
      undefined
    ])
  })
})
