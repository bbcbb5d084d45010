/**
 * M, the load: the service over HTTP. Polls beside a bare server of the official SDK, calls that are tasks, many clients
 * that poll many tasks, and many clients that wait.
 */
import * as Effect from "effect/Effect"
import * as Bed from "../Bed.ts"
import { bare, service } from "../mcp/Child.ts"
import { overHttp } from "../mcp/Client.ts"
import { Session } from "../mcp/Session.ts"
import { concurrently, type Wire, wire } from "../mcp/Wire.ts"
import { now } from "../Meter.ts"
import * as Row from "../Row.ts"
import { quantile } from "../Statistics.ts"

const inFlight = 64

/** How many a second. */
const rate = (count: number, one: (n: number) => Promise<unknown>) =>
  Effect.promise(async () => {
    const started = now()
    await concurrently(count, inFlight, one)
    return 1000 * count / (now() - started)
  })

const heading = (settings: Bed.Settings) => ({ case: "M", durability: settings.durability })

// ---------------------------------------------------------------- polls

/** `tasks/get`, beside the same request to a server that answers with a constant. */
export const polls = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.scoped(Effect.gen(function*() {
    const count = Bed.scaled(settings, 4_000)
    const ours = yield* wire(yield* service(settings), inFlight)
    const raw = yield* wire(yield* bare, inFlight)
    const { taskId } = yield* Effect.promise(() => ours.call("hold"))
    const mine = ours.prepare("tasks/get", { taskId }, taskId)
    const constant = raw.prepare("tasks/get", { taskId: "x" }, "x")
    const repeats = yield* Bed.repeatedly(
      settings,
      Effect.gen(function*() {
        const baseline = yield* rate(count, () => raw.send(constant))
        const value = yield* rate(count, () => ours.send(mine))
        return { value, baseline, judged: value / baseline }
      })
    )
    return [Row.make({
      ...heading(settings),
      what: `tasks/get, ${inFlight} in flight`,
      unit: "requests/s",
      baseline: "a bare SDK server, requests/s",
      target: { text: "≥ 70 % of a bare SDK server", limit: 0.7, direction: "least" }
    }, repeats)]
  }))

// ---------------------------------------------------------------- calls

/** Calls that are tasks, to their results, through our client: at 64 in flight, and all at once. */
export const calls = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.scoped(Effect.gen(function*() {
    const count = Bed.scaled(settings, 4_000)
    const all = Bed.scaled(settings, 10_000)
    const place = yield* service(settings)
    const mcp = yield* overHttp(place)
    const raw = yield* wire(yield* bare, inFlight)
    const constant = raw.prepare("tools/call", { name: "x", arguments: {} }, "x")
    const call = Effect.orDie(mcp.run("task", {}))
    const run = (calls: number, concurrency: number | "unbounded") =>
      Effect.gen(function*() {
        const baseline = yield* rate(count, () => raw.send(constant))
        const started = now()
        const ends = yield* Effect.replicateEffect(call, calls, { concurrency })
        const value = 1000 * calls / (now() - started)
        yield* Bed.expect("calls that completed", ends.filter(({ _tag }) => _tag === "Completed").length, calls)
        return { value, baseline }
      })
    const bounded = yield* Bed.repeatedly(settings, run(count, inFlight))
    const unbounded = yield* Bed.repeatedly({ ...settings, runs: Math.min(settings.runs, 2) }, run(all, "unbounded"))
    const common = { ...heading(settings), unit: "calls/s", baseline: "a bare SDK server, synchronous calls/s" }
    return [
      Row.make({
        ...common,
        what: `task calls to their results, ${inFlight} in flight`,
        target: { text: "≥ 1,500 calls/s", limit: 1_500, direction: "least" }
      }, bounded),
      Row.make({ ...common, what: `${all} task calls at once, none fails` }, unbounded)
    ]
  }))

// ---------------------------------------------------------------- many clients

interface Look {
  readonly heap: number
  readonly p99: number
  readonly max: number
}

const look = (wire: Wire): Promise<Look> =>
  wire.call("process").then(({ structuredContent }) => structuredContent as Look)

/** A thousand clients, each with a task of its own, poll as fast as answers come, and each on its own connection. */
export const clients = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.scoped(Effect.gen(function*() {
    const count = Bed.scaled(settings, 1_000)
    const rounds = 5
    const place = yield* service(settings)
    const ours = yield* wire(place, count)
    const raw = yield* wire(yield* bare, count)
    const ids = yield* Effect.promise(() => Promise.all(Array.from({ length: count }, () => ours.call("hold"))))
    const requests = ids.map(({ taskId }) => ours.prepare("tasks/get", { taskId }, taskId))
    const constant = raw.prepare("tasks/get", { taskId: "x" }, "x")
    const p99 = (one: (n: number) => Promise<unknown>) =>
      Effect.promise(async () => {
        const took: Array<number> = []
        await Promise.all(requests.map(async (_, n) => {
          for (let i = 0; i < rounds; i++) {
            const started = now()
            await one(n)
            took.push(now() - started)
          }
        }))
        return quantile(took, 0.99)
      })
    const repeats = yield* Bed.repeatedly(
      settings,
      Effect.gen(function*() {
        const baseline = yield* p99(() => raw.send(constant))
        yield* Effect.promise(() => look(ours))
        const value = yield* p99((n) => ours.send(requests[n]!))
        const { max, p99: lag } = yield* Effect.promise(() => look(ours))
        return { value, baseline, notes: { "event loop p99 ms": lag, "event loop max ms": max } }
      })
    )
    return [Row.make({
      ...heading(settings),
      what: `${count} clients polling ${count} tasks at once: p99`,
      unit: "ms",
      baseline: "a bare SDK server, p99 ms"
    }, repeats)]
  }))

// ---------------------------------------------------------------- waiters

/** Parked `tasks/result` requests: what they cost while nothing happens. */
export const waiters = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.scoped(Effect.gen(function*() {
    const count = Bed.scaled(settings, 10_000)
    const seconds = Math.max(1, 60 * settings.scale)
    const place = yield* service(settings)
    const ours = yield* wire(place, count + 8)
    const repeat = yield* Effect.promise(async () => {
      const before = await look(ours)
      const { taskId } = await ours.call("hold")
      const session = await Session.begin(ours.pool, place.token)
      const open: Array<Awaited<ReturnType<Session["send"]>>> = []
      await concurrently(count, 256, async (n) => open.push(await session.send(n + 1, "tasks/result", { taskId })))
      for (const { body } of open) body.on("error", () => {})
      const parked = await look(ours)
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      const later = await look(ours)
      for (const { body } of open) body.destroy()
      const each = (parked.heap - before.heap) / count
      return {
        value: Math.max(0, later.heap - parked.heap) / count / seconds,
        baseline: 1_200,
        notes: { "bytes each": each, "bytes each later": (later.heap - before.heap) / count, seconds }
      }
    })
    return [Row.make({
      ...heading(settings),
      what: `${count} parked tasks/result: growth`,
      unit: "bytes",
      baseline: "the SDK's server of 2025-11-25, bytes a second each",
      target: { text: "≤ 12 bytes a second each", limit: 12, direction: "most" }
    }, [repeat])]
  }))
