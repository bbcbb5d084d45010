/**
 * Bugs to plant, each as a change of a source file, or a few, made while they are loaded.
 *
 * A snippet that is not there any more, or is there twice, is an error: a mutant cannot rot.
 */
import { registerHooks } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

interface Mutant extends Change {
  readonly name: string
  readonly what: string
  /** What else has to change before it is a bug: some are caught twice. */
  readonly also?: ReadonlyArray<Change>
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
    from: `else resumeWhenDurable(log, worker, entry)
      return Effect.as(log.barrier, state as Task)`,
    to: `else resumeWhenDurable(log, worker, entry)
      return Effect.succeed(state as Task)`
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
  },
  {
    name: "stale-attempt-writes",
    what: "what an attempt that is over writes is taken",
    file: "packages/task/src/TaskMachine.ts",
    from: `if (command.attempt !== state.attempt) return refuse({ _tag: "StaleAttempt", current: state.attempt })`,
    to: "",
    also: [
      {
        file: "packages/task/src/TaskMachine.ts",
        from: "assert(event.attempt === state.attempt, ",
        to: "assert(event.attempt <= state.attempt, "
      },
      {
        file: "packages/agent/src/internal/step.ts",
        from: `_tag: "RecordStep",
      attempt: this.execution.attempt,`,
        to: `_tag: "RecordStep",
      attempt: Math.max(1, this.execution.attempt - 1),`
      }
    ]
  },
  {
    name: "verify-ignored",
    what: "a step that is found to have happened runs again",
    file: "packages/agent/src/internal/step.ts",
    from: "if (Option.isNone(exit.value)) return this.intend()",
    to: "if (Option.isNone(exit.value) || this.runs > 0) return this.intend()"
  },
  {
    name: "adopted-child-cancelled",
    what: "a child that is adopted ends with its first parent",
    file: "packages/task/src/Settler.ts",
    from: "else this.entrust(child, heir)\n      log.release(child)",
    to: "else this.cancel(child, parentEnded)\n      log.release(child)"
  },
  {
    name: "undone-in-order",
    what: "a saga undoes its first step first",
    file: "packages/agent/src/Saga.ts",
    from: "done.toReversed()",
    to: "done"
  },
  {
    name: "retry-does-all-again",
    what: "a retry takes nothing over",
    file: "packages/task/src/internal/reuse.ts",
    from: "if (event.exit._tag === \"Success\") keep(",
    to: "if (event.exit._tag === \"Success\" && events.length === 0) keep("
  },
  {
    name: "foreign-call-repeated",
    what: "a call of a foreign server whose outcome nobody knows is made again",
    file: "packages/mcp/src/internal/client/RemoteRun.ts",
    from: `this.isSent && !this.remote.mayRepeat ? this.doubted("a restart") : this.called`,
    to: "this.called",
    also: [{
      file: "packages/mcp/src/internal/client/RemoteRun.ts",
      from: "error.mayHaveRun && error.isTransient && !this.remote.mayRepeat",
      to: "error.mayHaveRun && error.isTransient && this.remote.attempts === 0"
    }]
  },
  {
    name: "foreign-task-not-told",
    what: "a foreign server is not told that its task is to stop",
    file: "packages/mcp/src/internal/client/RemoteWorker.ts",
    from: "this.options.remote.client.cancel(reference)",
    to: `Effect.succeed("accepted" as const)`
  },
  {
    name: "foreign-call-not-told",
    what: "a foreign server of 2025-11-25 is not told that a plain call is given up",
    file: "packages/mcp/src/internal/client/Connection.ts",
    from: "if (this.wire?.closingCancels !== true || !this.isModern) {",
    to: "if (this.wire?.closingCancels !== true) {"
  },
  {
    name: "answer-made-up",
    what: "the question of a foreign task that is to stop is turned down in somebody's name",
    file: "packages/mcp/src/internal/client/RemoteWorker.ts",
    from: "{ patience: 1_000, ask: unanswered }",
    to: "{ patience: 1_000 }"
  },
  {
    name: "early-fact-lost",
    what: "what happens to a call before a replay comes to it is forgotten",
    file: "packages/agent/src/internal/Execution.ts",
    from: "return this.begun.delete(delivery.key) ? this.prefix.add(delivery) : this.hand(delivery)",
    to: "return this.hand(delivery)"
  }
]

const root = join(import.meta.dirname, "../../..")

const urlOf = ({ file }: Change): string => pathToFileURL(join(root, file)).href

const changed = (name: string, { file, from, to }: Change, text: string): string => {
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
  const changes = [mutant, ...mutant.also ?? []]
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      const here = changes.filter((change) => urlOf(change) === url)
      if (here.length === 0) return loaded
      return { ...loaded, source: here.reduce((text, change) => changed(name, change, text), textOf(loaded.source)) }
    }
  })
}
