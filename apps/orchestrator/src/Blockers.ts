/**
 * Why a task has not ended: what it waits for, since when, and who can end the waiting.
 *
 * A task waits for its children, a person, a timer, a server elsewhere, a place at its agent, an agent at all, or for
 * nothing but its own code. `causes` follows the children down to where the waiting begins.
 */
import { Executor } from "@coppice/agent/Executor"
import type { Wait, Why } from "@coppice/api/TasksApi"
import { isTerminal, type Task, type TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import { replay, type TaskState } from "@coppice/task/TaskMachine"
import { TaskNotFound } from "@coppice/task/Tasks"
import { type ChildRecord, type Journal, type StoreError, TaskStore } from "@coppice/task/TaskStore"
import { type QueuePlace, Workers } from "@coppice/task/Worker"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** How many waits of one kind, and how many tasks on the way down, are looked at. */
const most = 50

/** What the process knows about a task's agent and code. */
export interface Surroundings {
  /** Somebody takes the agent's tasks, or will when its server is back, or nobody knows it here. */
  readonly agent: "here" | "away" | "unknown"
  readonly concurrency: number
  /** Tasks that wait for a place at the agent. */
  readonly waiting?: number | undefined
  /** Where it stands among them. */
  readonly queue?: QueuePlace | undefined
  /** The server elsewhere that does the agent's tasks. */
  readonly server?: string | undefined
  /** The worker has it: it is queued, or in memory. */
  readonly isHeld: boolean
  /** Keys the code waits for, when it is in memory. */
  readonly waitingFor: ReadonlyArray<string> | undefined
  /** What is heard of its code, while that runs. */
  readonly sign?: ReturnType<Executor["Service"]["sign"]>
  /** When its code last kept the event loop busy. */
  readonly blocked?: { readonly at: number; readonly millis: number } | undefined
}

/** A task's journal, and what it says about the task itself. */
interface Known extends Journal {
  readonly state: TaskState
}

type Parts = Partial<Wait> & Pick<Wait, "on" | "message" | "who" | "since">

const wait = (task: Task, parts: Parts): Wait => ({
  task: task.id,
  agent: task.agent,
  fix: null,
  child: null,
  key: null,
  due: null,
  ...parts
})

const when = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at))

const onChildren = (task: Task, journal: Journal): ReadonlyArray<Wait> => {
  const open = journal.children.filter((child) => child.settledSeq === null)
  return open.slice(0, most).map((child: ChildRecord) =>
    wait(task, {
      on: "child",
      since: task.updatedAt,
      child: child.id,
      key: child.key,
      who: `task ${child.id}`,
      message: isTerminal(child.status)
        ? `${child.agent} (${child.status}) has not come to rest`
        : `${child.agent} is ${child.status}`
    })
  )
}

const onPeople = (task: Task, journal: Known): ReadonlyArray<Wait> =>
  journal.state.inputs.map((request) =>
    wait(task, {
      on: "person",
      since: lastOf(journal.events, ({ event }) => event._tag === "InputRequested" && event.request.key === request.key)
        ?.at ?? task.updatedAt,
      key: request.key,
      due: request.deadline,
      who: "anyone who may answer",
      fix: `coppice answer ${task.id}`,
      message: request.message
    })
  )

const lastOf = (
  events: ReadonlyArray<Envelope>,
  matches: (envelope: Envelope) => boolean
): Envelope | undefined => events.findLast(matches)

const onTimers = (task: Task, journal: Journal, waitingFor: ReadonlyArray<string> | undefined): ReadonlyArray<Wait> => {
  const open = new Map<string, { readonly at: number; readonly due: number }>()
  for (const { at, event } of journal.events) {
    if (event._tag === "TimerSet") open.set(event.key, { at, due: event.due })
    if (event._tag === "TimerFired") open.delete(event.key)
  }
  // a timer whose race was lost stays set, and nobody waits for it
  const isAwaited = (key: string) => waitingFor === undefined || waitingFor.includes(key)
  return [...open].filter(([key]) => isAwaited(key)).slice(0, most).map(([key, { at, due }]) =>
    wait(task, { on: "timer", since: at, key, due, who: "the clock", message: `until ${when(due)}` })
  )
}

/** Code that runs, when it last gave a sign of life, and when it is ended if it gives none. */
const heard = (what: string, sign: Surroundings["sign"]): Pick<Wait, "message" | "due"> => {
  if (sign === undefined) return { message: `${what} is running`, due: null }
  const last = `${when(sign.at)}${sign.mark === undefined ? "" : ` ("${sign.mark}")`}`
  return sign.isStalled
    ? { message: `${what} is stalled: no sign of life since ${last}; its attempt is being ended`, due: null }
    : { message: `${what} is running; its last sign of life was ${last}`, due: sign.endsAt ?? null }
}

/** Bodies that run: a step the code waits for, and no record of it. `since` is when the task was last heard of. */
const onSteps = (task: Task, journal: Journal, { sign, waitingFor }: Surroundings): ReadonlyArray<Wait> => {
  const asked = new Set(journal.events.flatMap(({ event }) => {
    return event._tag === "InputRequested" && event.request.about === "outcome_unknown" ? [event.request.key] : []
  }))
  const isInDoubt = (key: string) => [...asked].some((question) => question.startsWith(`outcome_unknown:${key}:`))
  const keys = (waitingFor ?? []).filter((key) => key.startsWith("step:") && !isInDoubt(key))
  return keys.slice(0, most).map((key) => {
    const begun = lastOf(journal.events, ({ event }) => event._tag === "StepIntended" && event.key === key)
    const name = key.slice("step:".length).split(":")[0]
    return wait(task, {
      on: "step",
      since: begun?.at ?? journal.events.at(-1)?.at ?? task.updatedAt,
      key,
      who: "the body of the step, and whatever it calls",
      ...heard(`step "${name}"`, sign)
    })
  })
}

/** The pause after an attempt that was lost; a server elsewhere that loses one is out of reach, or has asked for it. */
const onBackoff = (task: Task, journal: Journal, server: string | undefined): ReadonlyArray<Wait> => {
  const lost = lastOf(journal.events, ({ event }) => event._tag === "AttemptFailed" || event._tag === "Started")
  if (lost?.event._tag !== "AttemptFailed" || lost.event.retryAt === undefined) return []
  const { message, retryAt } = lost.event
  return [
    wait(task, {
      on: server === undefined ? "backoff" : "provider",
      since: lost.at,
      due: retryAt,
      who: server === undefined ? "the clock" : `server "${server}"`,
      message: `attempt ${lost.event.attempt} was lost: ${message}; the next one begins ${when(retryAt)}`
    })
  ]
}

const onReply = (task: Task, server: string): Wait =>
  wait(task, {
    on: "provider",
    since: task.updatedAt,
    who: `server "${server}"`,
    message: `server "${server}" works on it, or has not answered yet`
  })

const onNobody = (task: Task, { isHeld, server, sign }: Surroundings): Wait =>
  isHeld && server !== undefined ? onReply(task, server) : isHeld
    ? wait(task, { on: "nothing", since: task.updatedAt, who: "its own code", ...heard("its code", sign) })
    : wait(task, {
      on: "owner",
      since: task.updatedAt,
      who: "this service",
      message: "no process runs it at the moment; the next sweep brings it back"
    })

const onServer = (task: Task): Wait =>
  wait(task, {
    on: "owner",
    since: task.updatedAt,
    who: "its supervisor",
    fix: "coppice agents tells whether it is being restarted",
    message: `the server of agent "${task.agent}" is down`
  })

const onAgent = (task: Task): Wait =>
  wait(task, {
    on: "owner",
    since: task.updatedAt,
    who: "whoever configures this service",
    fix: `add "${task.agent}" to the agents of coppice.config.ts and start again`,
    message: `no agent "${task.agent}" runs here`
  })

const placeIn = ({ place, turns }: QueuePlace): string => {
  const others = turns === 0
    ? ""
    : `, ${turns === 1 ? "1 other principal has its" : `${turns} others have their`} turn first`
  return `; it is number ${place}${others}`
}

const onPlace = (task: Task, { concurrency, queue, waiting = 1 }: Surroundings): Wait =>
  wait(task, {
    ...queue,
    on: "slot",
    since: task.createdAt,
    who: `another task of "${task.agent}", by ending or waiting`,
    fix: "raise the agent's concurrency",
    message: `all ${concurrency} places of "${task.agent}" are taken, and ${
      waiting === 1 ? "1 task waits" : `${waiting} tasks wait`
    }${queue === undefined ? "" : placeIn(queue)}`
  })

const onEnd = (task: Task, journal: Journal): ReadonlyArray<Wait> => {
  if (task.settlement !== null) {
    return [
      wait(task, {
        on: "nothing",
        since: task.endedAt ?? task.updatedAt,
        who: "nobody",
        message: `it is ${task.status}`
      })
    ]
  }
  const children = onChildren(task, journal)
  const own = wait(task, { on: "owner", since: task.updatedAt, who: "its own code", message: "it is being stopped" })
  return children.length > 0 ? children : [own]
}

/** While code blocks the event loop nobody can ask; this tells afterwards who it was. */
const onBlock = (task: Task, { blocked }: Surroundings): ReadonlyArray<Wait> =>
  blocked === undefined ? [] : [
    wait(task, {
      on: "nothing",
      since: blocked.at - blocked.millis,
      who: `the code of "${task.agent}"`,
      fix: "run what computes on a thread, with Step.worker",
      message: `agent "${task.agent}" blocked the event loop for ${blocked.millis} ms until ${when(blocked.at)}`
    })
  ]

/** Everything one task waits for itself. */
export const waitsOf = (journal: Known, surroundings: Surroundings): ReadonlyArray<Wait> => [
  ...ownWaits(journal, surroundings),
  ...onBlock(journal.state, surroundings)
]

const ownWaits = (journal: Known, surroundings: Surroundings): ReadonlyArray<Wait> => {
  const task: Task = journal.state
  if (isTerminal(task.status)) return onEnd(task, journal)
  const waits = [
    ...onPeople(task, journal),
    ...onChildren(task, journal),
    ...onTimers(task, journal, surroundings.waitingFor),
    ...onSteps(task, journal, surroundings),
    ...onBackoff(task, journal, surroundings.server)
  ]
  if (surroundings.agent === "unknown") return [onAgent(task), ...waits]
  if (surroundings.agent === "away") return [onServer(task), ...waits]
  if (waits.length > 0) return waits
  return [task.attempt === 0 ? onPlace(task, surroundings) : onNobody(task, surroundings)]
}

export class Blockers extends Context.Service<Blockers, {
  readonly why: (id: TaskId) => Effect.Effect<Why, StoreError | TaskNotFound>
}>()("@coppice/orchestrator/Blockers") {
  static readonly layer: Layer.Layer<Blockers, never, TaskStore | TaskLog | Workers | Executor> = Layer.effect(
    Blockers,
    Effect.gen(function*() {
      const store = yield* TaskStore
      const log = yield* TaskLog
      const workers = yield* Workers
      const executor = yield* Executor

      const look = Effect.fnUntraced(function*(id: TaskId) {
        const journal = yield* store.journal(id)
        if (journal === undefined) return undefined
        const state = replay(id, journal.events)!
        const { agent } = state
        const contract = workers.contract(agent)
        const worker = workers.find(agent)
        const waits = waitsOf({ ...journal, state }, {
          agent: worker !== undefined ? "here" : contract === undefined ? "unknown" : "away",
          concurrency: contract?.concurrency ?? 0,
          waiting: worker?.waiting(),
          queue: worker?.placeOf?.(id),
          server: worker?.server,
          isHeld: log.resident(id)?.held === true,
          waitingFor: executor.waitingFor(id),
          sign: executor.sign(id),
          blocked: executor.blocked(id)
        })
        return { state, waits }
      })

      /** Where the waiting begins, below these waits. */
      const causes = Effect.fnUntraced(function*(waits: ReadonlyArray<Wait>) {
        const found: Array<Wait> = []
        const queue = waits.slice()
        for (let seen = 0; queue.length > 0 && seen < most; seen++) {
          const next = queue.shift()!
          const below = next.child === null ? undefined : yield* look(next.child)
          if (below === undefined) found.push(next)
          else queue.push(...below.waits)
        }
        return found
      })

      const why = Effect.fn("Blockers.why")(function*(id: TaskId) {
        const looked = yield* look(id)
        if (looked === undefined) return yield* new TaskNotFound({ id })
        const { inputs: _, ...task } = looked.state
        return { task, waits: looked.waits, causes: yield* causes(looked.waits) }
      })

      return { why }
    })
  )
}
