/**
 * M, one caller: what a call costs by each way in, and how long after the end of 20 ms of work its caller has the result,
 * in process and over HTTP, however a peer hears of it.
 */
import * as Effect from "effect/Effect"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { bare, service, type ServicePlace } from "../mcp/Child.ts"
import { overHttp, overStdio } from "../mcp/Client.ts"
import { Session } from "../mcp/Session.ts"
import { type Wire, wire } from "../mcp/Wire.ts"
import { machineTime, now } from "../Meter.ts"
import * as Row from "../Row.ts"
import { median, quantile } from "../Statistics.ts"
import { CallerLive, latencies, NapLive, SubLive, WaiterLive } from "./Agents.ts"

/** Kept to a server at most: one caller needs few. */
const connections = 8

const heading = ({ durability }: Bed.Settings) => ({ case: "M", durability, unit: "ms" })

// ---------------------------------------------------------------- doors

/** How long each of so many took, one after the other; the median. */
const paced = <E>(count: number, one: Effect.Effect<unknown, E>): Effect.Effect<number, E> =>
  Effect.map(
    Effect.replicateEffect(
      Effect.suspend(() => {
        const started = now()
        return Effect.map(one, () => now() - started)
      }),
      count
    ),
    median
  )

/** The same call by three ways: as a child task in the process, over a pipe and over HTTP. */
export const ways = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.scoped(Effect.gen(function*() {
    const count = Bed.scaled(settings, 500)
    const place = yield* service(settings)
    const [http, pipe] = [yield* overHttp(place), yield* overStdio(place)]
    const inProcess = Bed.fresh(
      settings,
      [SubLive, CallerLive],
      Effect.map(Effect.andThen(Bed.run("caller", count), Bed.run("caller", count)), () => median(latencies))
    )
    const once = Effect.gen(function*() {
      const baseline = yield* inProcess
      return {
        baseline,
        http: yield* paced(count, Effect.orDie(http.run("task", {}))),
        pipe: yield* paced(count, Effect.orDie(pipe.run("task", {})))
      }
    })
    const repeats = yield* Bed.repeatedly(settings, once)
    const row = (what: string, way: "http" | "pipe") =>
      Row.make(
        { ...heading(settings), what, baseline: "the same call in process, ms" },
        repeats.map(({ baseline, [way]: value }) => ({ value, baseline }))
      )
    return [row("a task call to its result, over HTTP", "http"), row("a task call to its result, over stdio", "pipe")]
  }))

// ---------------------------------------------------------------- late results

const repeatsOf = (delays: ReadonlyArray<number>, baseline: number) => ({
  value: median(delays),
  baseline,
  notes: { "p99 ms": quantile(delays, 0.99) }
})

/** In process: a parent waits for its child. */
export const lateInProcess = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    const count = Bed.scaled(settings, 60)
    const once = Bed.fresh(
      settings,
      [NapLive, WaiterLive],
      Effect.gen(function*() {
        const baseline = yield* settings.durability === "memory"
          ? Baseline.forkJoin(settings)
          : Baseline.rawCommit(settings)
        const delays = (yield* Bed.run("waiter", count)) as ReadonlyArray<number>
        return repeatsOf(delays, baseline)
      })
    )
    return [Row.make({
      ...heading(settings),
      what: "from the end of 20 ms of work to its result, in process",
      baseline: settings.durability === "memory" ? "fork + join" : "raw commit",
      target: { text: "≤ 1 ms", limit: 1, direction: "most" }
    }, yield* Bed.repeatedly(settings, once))]
  })

/** Milliseconds from when an agent says it ended until now. */
const since = (ended: unknown): number => machineTime() - Number(ended)

/** How late a result is for a peer that hears of it by a certain means. */
type Peer = () => Promise<number>

const subscriber = (place: ServicePlace) =>
  Effect.map(overHttp(place), (mcp): Peer => async () => {
    const end = await Effect.runPromise(Effect.orDie(mcp.run("nap", {})))
    return since(end._tag === "Completed" ? end.result.structuredContent : undefined)
  })

const nap = async (session: Session, id: number): Promise<string> =>
  (await session.ask(id, "tools/call", { name: "nap", arguments: {}, task: {} })).task.taskId

const waiter = ({ token }: ServicePlace, pool: Wire["pool"]) =>
  Effect.promise(async (): Promise<Peer> => {
    const session = await Session.begin(pool, token)
    let id = 0
    return async () => {
      const taskId = await nap(session, ++id)
      return since((await session.ask(++id, "tasks/result", { taskId })).content[0].text)
    }
  })

const listener = ({ token }: ServicePlace, pool: Wire["pool"]) =>
  Effect.promise(async (): Promise<Peer> => {
    const session = await Session.begin(pool, token)
    const ended = new Map<string, (at: number) => void>()
    await session.stand(({ method, params }) => {
      if (method === "notifications/tasks/status" && params.status === "completed") {
        ended.get(params.taskId)?.(machineTime())
      }
    })
    let id = 0
    return async () => {
      const taskId = await nap(session, ++id)
      const heard = await new Promise<number>((resolve) => ended.set(taskId, resolve))
      return heard - Number((await session.ask(++id, "tasks/result", { taskId })).content[0].text)
    }
  })

/** Over HTTP: by each of the three means a peer has besides polling. */
export const late = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.scoped(Effect.gen(function*() {
    const count = Bed.scaled(settings, 60)
    const place = yield* service(settings)
    const { pool } = yield* wire(place, connections)
    const raw = yield* wire(yield* bare, connections)
    const constant = raw.prepare("tools/call", { name: "x", arguments: {} }, "x")
    const bareCall = paced(count, Effect.promise(() => raw.send(constant)))
    const peers: Readonly<Record<string, Peer>> = {
      "by subscriptions/listen": yield* subscriber(place),
      "by tasks/result": yield* waiter(place, pool),
      "by notifications/tasks/status": yield* listener(place, pool)
    }
    return yield* Effect.forEach(Object.entries(peers), ([means, peer]) =>
      Effect.gen(function*() {
        const once = Effect.gen(function*() {
          const baseline = yield* bareCall
          return repeatsOf(yield* Effect.replicateEffect(Effect.promise(peer), count), baseline)
        })
        return Row.make({
          ...heading(settings),
          what: `from the end of 20 ms of work to its result, ${means}`,
          baseline: "a synchronous call of a bare SDK server, ms",
          target: { text: "≤ 3 ms", limit: 3, direction: "most" }
        }, yield* Bed.repeatedly(settings, once))
      }))
  }))
