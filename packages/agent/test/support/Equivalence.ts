/**
 * What has to hold of a life, and between a life and one that goes on from a part of it.
 */
import { isTerminal, type TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import * as TaskMachine from "@coppice/task/TaskMachine"
import type { Batch } from "@coppice/task/TaskStore"
import { assert } from "@effect/vitest"
import type { Life } from "./Lives.ts"
import type { Note } from "./Program.ts"
import { byTask, eventsIn, rowsOf } from "./Recording.ts"

/** What an execution did before a defect that later ones do not have. */
const beforeDeath = (notes: ReadonlyArray<Note>): ReadonlyArray<Note> => {
  const end = notes.findIndex(({ text }) => text.endsWith(" died"))
  return end < 0 ? notes : notes.slice(0, end)
}

const lastSeq = (notes: ReadonlyArray<Note>): number => notes.at(-1)?.seq ?? 0

const textsUpTo = (notes: ReadonlyArray<Note>, seq: number) =>
  notes.filter((note) => note.seq <= seq).map(({ seq, text }) => `${seq} ${text}`)

/** Up to where the last fact made the code stop something, which the log may not say was begun. */
const untilInterrupted = (texts: ReadonlyArray<string>, seq: number) => {
  const end = texts.findIndex((text) => text.startsWith(`${seq} `) && text.endsWith(" interrupted"))
  return end < 0 ? texts : texts.slice(0, end)
}

/**
 * Two executions of one task decide alike as far as both know the log, no further than `upTo`. At the last fact one may
 * have done more than the other: it was interrupted, or had not begun what the other had to see the end of.
 */
const agree = (first: ReadonlyArray<Note>, second: ReadonlyArray<Note>, upTo: number, what: string): void => {
  const [one, other] = [beforeDeath(first), beforeDeath(second)]
  const known = Math.min(upTo, lastSeq(one), lastSeq(other))
  const [a, b] = [one, other].map((notes) => untilInterrupted(textsUpTo(notes, known), known)) as [string[], string[]]
  const length = Math.min(a.length, b.length)
  assert.deepStrictEqual(textsUpTo(other, known - 1), textsUpTo(one, known - 1), `${what}, before fact ${known}`)
  assert.deepStrictEqual(b.slice(0, length), a.slice(0, length), `${what}, at fact ${known}`)
}

/** Every execution of a task repeats what the one before it did. */
export const repeats = (life: Life): void => {
  for (const [task, pages] of Map.groupBy(life.pages, ({ task }) => task)) {
    pages.slice(1).forEach((page, index) =>
      agree(pages[index]!.notes, page.notes, Infinity, `execution ${index + 2} of ${task}`)
    )
  }
}

/** The last fact its code can have seen, by task. */
const horizons = (events: ReadonlyArray<Envelope>): ReadonlyMap<TaskId, number> => {
  const parents = new Map<TaskId, TaskId>()
  const last = new Map<TaskId, number>()
  for (const { event, seq, task } of events) {
    if (event._tag === "Created" && event.parent !== null) parents.set(task, event.parent)
    if (["StepRecorded", "TimerFired", "InputReceived"].includes(event._tag)) last.set(task, seq)
    if (["Completed", "Failed", "Settled"].includes(event._tag) && parents.has(task)) last.set(parents.get(task)!, seq)
  }
  return last
}

/**
 * The last fact up to which the cut determines what the code does. A call that the log does not know was begun can be
 * taken back at once; the whole life may have had to wait until it had settled.
 */
const determined = (cut: ReadonlyArray<Envelope>, task: TaskId, notes: ReadonlyArray<Note>): number => {
  const keys = cut.flatMap(({ event }) => event._tag === "Created" && event.parent === task ? [event.key] : [])
  const unbegun = notes.filter(({ text }) => text.endsWith(" call?"))[new Set(keys).size]
  return Math.min(horizons(cut).get(task) ?? 0, unbegun?.seq ?? Infinity)
}

/** A life that goes on from `cut` decides as the whole one did as far as the cut determines it, and does nothing twice. */
export const goesOnFrom = (whole: Life, cut: ReadonlyArray<Batch>, later: Life): void => {
  const events = eventsIn(cut)
  const { told } = rowsOf(cut)
  const recorded = new Set(
    events.flatMap(({ event, task }) => event._tag === "StepRecorded" ? [`${task}/${event.key}`] : [])
  )
  assert.deepStrictEqual(later.bodies.filter((key) => recorded.has(key)), [], "recorded steps that ran again")
  for (const { notes, task } of later.pages) {
    const id = task as TaskId
    assert.isFalse(told.has(id) && isTerminal(told.get(id)!.status), `${id} had ended and ran again`)
    const page = whole.pages.findLast((other) => other.task === task)
    if (page !== undefined) agree(page.notes, notes, determined(events, id, page.notes), `task ${task} after the cut`)
  }
}

/** Nothing moves, nothing waits, nothing is left behind. */
export const leavesNothing = (life: Life): void =>
  assert.deepStrictEqual(life.left, { active: 0, timer: null, unsettled: 0, stats: [0], tasks: 0, executions: 0 })

/** No task failed because its code did not fit, or because it died, and none had to be abandoned. */
export const breaksNothing = (life: Life): void => {
  const broken = eventsIn(life.batches).filter(({ event }) =>
    event._tag === "Failed" && event.reason !== "agent_error" || event._tag === "Settled" && event.how === "refused"
  )
  assert.deepStrictEqual(broken, [], "tasks that broke")
}

/** A parent settles after its children (I11), and the rows say what the events say. */
export const keepsItsLog = (life: Life): void => {
  const { rows, told } = rowsOf(life.batches)
  const released = new Set(eventsIn(life.batches).flatMap(({ event, task }) => event._tag === "Released" ? [task] : []))
  assert.strictEqual(rows.size, told.size)
  for (const { settledSeq, state } of rows.values()) {
    assert.deepStrictEqual(state, told.get(state.id))
    if (released.has(state.id)) continue
    const parent = state.parent === null ? undefined : rows.get(state.parent)
    if (parent?.settledSeq === null || parent === undefined) continue
    assert.isNotNull(settledSeq, `${state.id} is unsettled below a settled task`)
    assert.isBelow(settledSeq, parent.settledSeq, `${state.id} settled after its parent`)
  }
}

/** No attempt of a task begins, fails or ends twice. */
export const countsItsAttempts = (life: Life): void => {
  for (const [task, events] of byTask(eventsIn(life.batches))) {
    const begun = events.flatMap(({ event }) => event._tag === "Started" ? [event.attempt] : [])
    const failed = events.flatMap(({ event }) => event._tag === "AttemptFailed" ? [event.attempt] : [])
    for (const attempts of [begun, failed]) assert.lengthOf(new Set(attempts), attempts.length, `attempts of ${task}`)
  }
}

/** Whoever is parked has something to wake it (I9), at every commit. */
export const sleepsSafely = (life: Life): void => {
  const timers = new Map<string, TaskId>()
  life.batches.forEach((batch, index) => {
    for (const { key, task } of batch.timersSet) if (key !== "deadline") timers.set(`${task}/${key}`, task)
    for (const { key, task } of batch.timersCleared) {
      for (const name of [...timers.keys()]) {
        if (key === null ? name.startsWith(task) : name === `${task}/${key}`) timers.delete(name)
      }
    }
    const { rows } = rowsOf(life.batches.slice(0, index + 1))
    const all = [...rows.values()]
    for (const { parked, state } of all) {
      if (!parked || isTerminal(state.status)) continue
      const wakes = state.inputs.length > 0 || [...timers.values()].includes(state.id) ||
        all.some((row) => row.state.parent === state.id && row.state.settlement === null)
      assert.isTrue(wakes, `${state.id} is parked after commit ${index} and nothing will wake it`)
    }
  })
}

/** The log without the root's own end: a replay of it has nothing new to do. */
export const withoutEnd = (life: Life): ReadonlyArray<Batch> => {
  const isEnd = ({ event, task }: Envelope) =>
    task === life.root && (event._tag === "Completed" || event._tag === "Failed" || event._tag === "Cancelled")
  return life.batches.map((batch, index) => {
    if (!batch.events.some(isEnd)) return batch
    const before = eventsIn(life.batches.slice(0, index)).concat(batch.events.filter((envelope) => !isEnd(envelope)))
    const state = TaskMachine.replay(life.root, before.filter(({ task }) => task === life.root))!
    const active = (row: Batch["changed"][number]) =>
      row.state.id === life.root ? { ...row, state, parked: false, endedSeq: null, settledSeq: null } : row
    return {
      ...batch,
      events: batch.events.filter((envelope) => !isEnd(envelope)),
      created: batch.created.map(active),
      changed: batch.changed.map(active),
      timersCleared: batch.timersCleared.filter(({ key, task }) => task !== life.root || key !== null)
    }
  })
}

/** What a life added to the log of another. */
export const added = (before: ReadonlyArray<Batch>, life: Life): ReadonlyMap<TaskId, ReadonlyArray<string>> => {
  const events = eventsIn(life.batches.slice(before.length))
  return new Map([...byTask(events)].map(([task, facts]) => [task, facts.map(({ event }) => event._tag)]))
}
