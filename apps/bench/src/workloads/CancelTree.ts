/**
 * W5, over processes: a tree spread over ten services that are joined by MCP is cancelled at its root; over when the one
 * reply has told how every task of it came to rest. Beside it, bare servers that hand on the same messages.
 *
 * ```text
 *  root ─► three services ─► two services each
 * ```
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bed from "../Bed.ts"
import { type Place, relay, service } from "../mcp/Child.ts"
import { type Wire, wire } from "../mcp/Wire.ts"
import { now } from "../Meter.ts"
import * as Row from "../Row.ts"
import { quantile } from "../Statistics.ts"

/** How many branches are below each branch, by depth. */
interface Shape {
  readonly branches: ReadonlyArray<number>
  readonly services: number
}

/** 1 + 3 + 6 services; a quick look has 1 + 2. */
const shapeOf = ({ scale }: Bed.Settings): Shape =>
  scale < 0.2 ? { branches: [2], services: 3 } : { branches: [3, 2], services: 10 }

/** Besides the leaves: a branch on each service, and what stands for it where it is called from. */
const stemsOf = ({ services }: Shape): number => services + services - 1

/** Some 170 characters a task. */
const bytesPerNode = 170

/** Starts a node of the tree with all below it; succeeds with all places, its own first. */
const grow = (
  [branches = 0, ...deeper]: Shape["branches"],
  start: (below: ReadonlyArray<Place>) => Effect.Effect<Place, never, Scope.Scope>
): Effect.Effect<ReadonlyArray<Place>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const children = yield* Effect.replicateEffect(Effect.suspend(() => grow(deeper, start)), branches)
    const own = yield* start(children.flatMap(([first]) => first === undefined ? [] : [first]))
    return [own, ...children.flat()]
  })

/** How long a tree may take to grow, milliseconds. */
const patience = 60_000

const reportKey = "dev.coppice/cancel-report"

/** Waits until all that is to run on the services does. */
const allRun = async (wires: ReadonlyArray<Wire>, count: number): Promise<void> => {
  for (const until = now() + patience; now() < until;) {
    const found = await Promise.all(wires.map((wire) => wire.call("running")))
    if (found.reduce((sum, { structuredContent }) => sum + Number(structuredContent.count), 0) === count) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`not all of ${count} tasks run`)
}

interface Sides {
  readonly shape: Shape
  readonly wires: ReadonlyArray<Wire>
  readonly raw: Wire
  readonly leaves: number
}

const once = ({ leaves, raw, shape, wires }: Sides) =>
  Effect.gen(function*() {
    const [root] = wires
    const { services } = shape
    const count = services * leaves + stemsOf(shape)
    const { taskId } = yield* Effect.promise(() =>
      root!.send(root!.prepare("tools/call", { name: "branch", arguments: { leaves } }, "branch"))
    )
    yield* Effect.promise(() => allRun(wires, services * (leaves + 1)))
    const plain = raw.prepare("tasks/cancel", { taskId }, taskId)
    const rawStarted = now()
    yield* Effect.promise(() => raw.pool.request(plain).then(({ body }) => body.text()))
    const baseline = now() - rawStarted
    const cancel = root!.prepare("tasks/cancel", { taskId }, taskId, { [reportKey]: { wait: 30_000 } })
    const started = now()
    const { _meta } = yield* Effect.promise(() => root!.send(cancel))
    const value = now() - started
    const report = _meta[reportKey]
    yield* Bed.expect("tasks in the report", report.nodes.length, count)
    yield* Bed.expect("the report is complete", report.converged, true)
    yield* Bed.expect("tasks that have stopped", report.totals.stopped, count)
    return { value, baseline }
  })

/** The last per cent of so few is the slowest. */
const repeats = 40

export const cancelTree = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.scoped(Effect.gen(function*() {
    const shape = shapeOf(settings)
    const { branches, services } = shape
    const leaves = Math.max(1, Math.ceil((Bed.scaled(settings, 1_000) - stemsOf(shape)) / services))
    const places = yield* grow(
      branches,
      (below) => service(settings, { config: "tree.config.ts", env: { COPPICE_BENCH_BELOW: JSON.stringify(below) } })
    )
    yield* Bed.expect("services", places.length, services)
    const [bare] = yield* grow(branches, (below) => relay(below, (leaves + 2) * bytesPerNode))
    const wires = yield* Effect.forEach(places, (place) => wire(place, 4))
    const sides = { shape, wires, raw: yield* wire(bare!, 1), leaves }
    const found = yield* Bed.repeatedly(
      { ...settings, runs: Math.max(settings.runs, Bed.scaled(settings, repeats)) },
      once(sides)
    )
    const p99 = quantile(found.map(({ value }) => value), 0.99)
    return [Row.make({
      case: "W5",
      what: `${services * leaves + stemsOf(shape)} nodes in ${services} processes stopped and reported`,
      durability: settings.durability,
      unit: "ms",
      baseline: "the same messages between bare HTTP servers, ms",
      target: { text: "p99 < 1,000 ms", limit: 1_000, direction: "most" }
    }, found.map((repeat) => ({ ...repeat, judged: p99, notes: { p99, processes: services } })))]
  }))
