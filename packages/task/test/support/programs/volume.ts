/**
 * Fills a store with finished tasks and says what one more costs, and what reading costs, as it grows.
 *
 *     node packages/task/test/support/programs/volume.ts 1000000 [path]
 *
 * Figures are the processor time of this process. A run is a root with 999 children, 100 tasks are committed at a time. It takes about a minute for a million tasks.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TaskId } from "../../../src/Task.ts"
import * as TaskEngine from "../../../src/TaskEngine.ts"
import { TaskLog } from "../../../src/TaskLog.ts"
import { Tasks } from "../../../src/Tasks.ts"
import { TaskStore } from "../../../src/TaskStore.ts"
import * as Engine from "../engine.ts"
import { owned } from "../places.ts"

const total = Number(process.argv[2] ?? 1_000_000)
const folder = mkdtempSync(join(tmpdir(), "coppice-volume-"))
const path = process.argv[3] ?? join(folder, "coppice.db")

const runSize = 1_000
const group = 100
/** Tasks a figure is taken over. */
const window = 5_000

/** Microseconds of work this process has done: what others do on the machine does not count. */
const work = (): number => {
  const { system, user } = process.cpuUsage()
  return user + system
}

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

const report = (what: string, value: number, unit: string): Effect.Effect<void> =>
  Console.log(`${what.padEnd(44)} ${value.toFixed(1).padStart(10)} ${unit}`)

const program = Effect.gen(function*() {
  const worker = yield* Engine.work("worker", { concurrency: 1e9, queue: 1e9 })
  const log = yield* TaskLog
  const tasks = yield* Tasks
  const store = yield* TaskStore

  /** One run; the microseconds each of its groups took, per task. */
  const run = Effect.gen(function*() {
    const { id } = yield* tasks.submit({ agent: "worker", input: { root: "src", depth: 3 } })
    const root = log.resident(id)!
    const costs: Array<number> = []
    for (let made = 1; made < runSize; made += group) {
      const started = work()
      for (let i = made; i < made + group && i < runSize; i++) {
        worker.complete(Engine.child(tasks, worker, root, `review#${i}`), {
          verdict: "ok",
          notes: "nothing to say",
          n: i
        })
      }
      yield* log.barrier
      costs.push((work() - started) / group)
    }
    worker.complete(id)
    yield* log.barrier
    return { id, costs }
  })

  const reading = (what: string, read: Effect.Effect<unknown, unknown>) =>
    Effect.gen(function*() {
      const times: Array<number> = []
      for (let i = 0; i < 9; i++) {
        const started = work()
        yield* Effect.orDie(read)
        times.push(work() - started)
      }
      yield* report(`  ${what}`, median(times), "µs")
    })

  const measure = (count: number, last: TaskId, costs: ReadonlyArray<number>) =>
    Effect.gen(function*() {
      const cost = median(costs)
      const mean = costs.reduce((sum, one) => sum + one, 0) / costs.length
      yield* Console.log(
        `\n${count} tasks, ${(statSync(path).size / count).toFixed(0)} bytes a task, ` +
          `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB of memory`
      )
      yield* report("  one more, median", cost, "µs")
      yield* report("  one more, mean", mean, "µs")
      yield* reading("the newest 50", store.list({ limit: 50 }))
      yield* reading("the newest 50 that are active", store.list({ status: ["working", "input_required"], limit: 50 }))
      yield* reading("the newest 50 that failed", store.list({ status: ["failed"], limit: 50 }))
      yield* reading("the newest 50 runs", store.list({ rootsOnly: true, limit: 50 }))
      yield* reading("a task", store.load(last))
      yield* reading("a tree of a thousand", store.subtree(last))
      yield* reading("a journal with a thousand children", store.journal(last))
      yield* reading("500 facts of the last run", store.events({ run: last, since: 0, limit: 500 }))
      yield* reading("what is runnable", store.runnable(undefined, 1_000))
      yield* reading("what is due", store.timersDue(9e15, 1_000))
      yield* reading("by an agent nobody has", store.list({ agent: "nobody", limit: 50 }))
      return mean
    })

  const started = performance.now()
  const means: Array<number> = []
  let recent: Array<number> = []
  let last = "" as TaskId
  const marks = [10_000, 100_000, total].filter((mark, i, all) => mark <= total && all.indexOf(mark) === i)
  for (let count = runSize; count <= total; count += runSize) {
    const { costs, id } = yield* run
    last = id
    recent = [...recent, ...costs].slice(-window / group)
    if (marks.includes(count)) means.push(yield* measure(count, last, recent))
  }
  yield* Console.log(`\nfilled in ${((performance.now() - started) / 1_000).toFixed(0)} s`)
  yield* report(`cost at ${total} against ${marks[0]}`, means.at(-1)! / means[0]!, "times")
  const begun = work()
  yield* tasks.delete(last)
  yield* report("deleting a run of a thousand", (work() - begun) / runSize, "µs a task")
})

await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide(Layer.provideMerge(TaskEngine.layer, owned({ path }))))
)
rmSync(folder, { recursive: true, force: true })
