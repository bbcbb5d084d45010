/**
 * Bugs to plant, each as one change of one source file, made while the file is loaded.
 *
 * A snippet that is not there any more, or is there twice, is an error: a mutant cannot rot.
 */
import { registerHooks } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

interface Mutant {
  readonly name: string
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "lost-wake-up",
    what: "an answer or a timer leaves the task parked",
    file: "packages/task/src/TaskLog.ts",
    from: "if (wakes(event)) task.parked = false",
    to: ""
  },
  {
    name: "double-step",
    what: "a replay does not read the results of steps",
    file: "packages/agent/src/internal/Journal.ts",
    from: `return this.deliver(event.key, seq, at, { _tag: "Step", exit: event.exit })`,
    to: "return"
  },
  {
    name: "orphan-child",
    what: "a cancel misses a child",
    file: "packages/task/src/Settler.ts",
    from: "for (const node of taken) {\n      if (!isTerminal(node.state.status)) this.log.dispatch",
    to: "for (const node of taken.slice(1)) {\n      if (!isTerminal(node.state.status)) this.log.dispatch"
  },
  {
    name: "cancel-leak",
    what: "a cancel takes the task's siblings along",
    file: "packages/task/src/Settler.ts",
    from: "const ids = new Set([root])",
    to: "const ids = new Set([root, log.resident(root)?.state.parent ?? root])"
  },
  {
    name: "answer-applied-twice",
    what: "an answered question stays open",
    file: "packages/task/src/TaskMachine.ts",
    from: `case "InputReceived":
    case "InputWithdrawn":
      assert(`,
    to: `case "InputReceived":
      return { ...state, updatedAt: at }
    case "InputWithdrawn":
      assert(`
  },
  {
    name: "acknowledged-too-early",
    what: "a submission is acknowledged before it is durable",
    file: "packages/task/src/internal/submission.ts",
    from: "return Effect.as(log.barrier, state as Task)",
    to: "return Effect.succeed(state as Task)"
  },
  {
    name: "early-timer",
    what: "timers fire up to a minute early",
    file: "packages/task/src/Timers.ts",
    from: "store.timersDue(log.now(), page)",
    to: "store.timersDue(log.now() + 60_000, page)"
  },
  {
    name: "changed-end",
    what: "an ended task can be cancelled",
    file: "packages/task/src/TaskMachine.ts",
    from: "if (isTerminal(state.status)) return refuse({",
    to: `if (command._tag === "Cancel" && isTerminal(state.status)) return one(toEvent(command))
  if (isTerminal(state.status)) return refuse({`
  },
  {
    name: "settled-before-child",
    what: "a cancelled parent does not wait for its children to settle",
    file: "packages/task/src/Settler.ts",
    from: "this.whenChildrenSettled(entry.state.id, () => {\n      const { settlement",
    to: ";[entry.state.id].forEach(() => {\n      const { settlement"
  },
  {
    name: "remote-not-told",
    what: "a cancel is not passed on to another server",
    file: "packages/mcp/src/internal/client/RemoteWorker.ts",
    from: "return client.isCoppice ? this.stopCoppice(run, reference) : this.stopForeign(reference)",
    to: `return Effect.succeed({ how: "stopped" })`
  },
  {
    name: "overdraft",
    what: "more is taken from a budget than is left",
    file: "packages/task/src/Budget.ts",
    from: "if (asked > (rest[dimension] ?? Infinity)) return",
    to: "if (asked > (rest[dimension] ?? Infinity) * 2 + 10) return"
  },
  {
    name: "forgotten-key",
    what: "a submission under a known key makes another task",
    file: "packages/task/src/internal/submission.ts",
    from: "if (row !== undefined) return row.state",
    to: ""
  },
  {
    name: "owner-unchecked",
    what: "whoever has a task's name is served with it",
    file: "packages/mcp/src/internal/server/Calls.ts",
    from: "task.spec.principal === peer.principal ? Effect.succeed(task)",
    to: "task.spec.principal !== undefined ? Effect.succeed(task)"
  },
  {
    name: "session-unchecked",
    what: "whoever has a session's name speaks for its owner",
    file: "packages/mcp/src/internal/v2025_11_25/Sessions.ts",
    from: "live === undefined || live.principal !== caller.principal",
    to: "live === undefined"
  }
]

const root = join(import.meta.dirname, "../../..")

const changed = ({ file, from, name, to }: Mutant, text: string): string => {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`${name}: ${file} has its snippet ${parts.length - 1} times: ${from}`)
  return parts.join(to)
}

const textOf = (source: unknown): string =>
  typeof source === "string" ? source : new TextDecoder().decode(source as Uint8Array)

/** Plants a bug into what is loaded from now on. */
export const plant = (name: string): void => {
  const mutant = mutants.find((other) => other.name === name)
  if (mutant === undefined) {
    throw new Error(`no mutant "${name}"; there are ${mutants.map((other) => other.name).join(", ")}`)
  }
  const target = pathToFileURL(join(root, mutant.file)).href
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      if (url !== target) return loaded
      return { ...loaded, source: changed(mutant, textOf(loaded.source)) }
    }
  })
}
