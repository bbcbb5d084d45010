/**
 * W5: a running tree is cancelled at its root; over when every node has seen it and is recorded as settled.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { timed } from "../Meter.ts"
import * as Row from "../Row.ts"
import { NodeLive, nodes } from "./Agents.ts"
import { factsOf } from "./Facts.ts"

const once = (settings: Bed.Settings, tree: Baseline.Tree) =>
  Bed.fresh(
    settings,
    [NodeLive],
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const log = yield* TaskLog
      const count = Baseline.nodeCount(tree)
      Object.assign(nodes, { running: 0, stopped: 0 })
      const created = yield* factsOf("Created", count)
      const root = yield* Bed.submit("node", { ...tree, n: 0 })
      yield* created
      while (nodes.running < count) yield* Effect.yieldNow
      yield* log.barrier
      const baseline = yield* Baseline.interruptTree(tree)
      const settled = yield* factsOf("Settled", count)
      const commits = log.written.commits
      const [, took] = yield* timed(Effect.andThen(tasks.cancel({ id: root, by: "bench" }), settled))
      const report = yield* tasks.cancelReport(root)
      yield* Bed.expect("nodes that saw the cancellation", nodes.stopped, count)
      yield* Bed.expect("nodes in the report", report.nodes.length, count)
      yield* Bed.expect("the report is complete", report.converged, true)
      const isCancelled = report.nodes.every(({ settlement, status }) =>
        status === "cancelled" && settlement === "stopped"
      )
      yield* Bed.expect("every node was cancelled and has stopped", isCancelled, true)
      return {
        value: took.wall,
        baseline,
        judged: took.wall / baseline,
        notes: { "cpu ms": took.cpu, commits: log.written.commits - commits }
      }
    }).pipe(Effect.orDie)
  )

export const cancel = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    const tree = { depth: settings.scale < 0.2 ? 2 : 4, fan: 8 }
    const repeats = yield* Bed.repeatedly(settings, once(settings, tree))
    return [Row.make({
      case: "W5",
      what: `${Baseline.nodeCount(tree)} nodes stopped and recorded`,
      durability: settings.durability,
      unit: "ms",
      baseline: "bare fibers, ms",
      target: { text: "≤ 15 bare fiber trees", limit: 15, direction: "most" }
    }, repeats)]
  })
