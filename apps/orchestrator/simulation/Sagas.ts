/**
 * What sagas promise: what was done is undone, the last first, and nothing else is.
 */
import { type Acted, type History, invariant } from "coppice/Simulation"

/** A saga of one task: what was booked and what was given back, with the place in the history. */
interface Saga {
  readonly recorded: Map<number, number>
  readonly undone: Map<number, number>
  readonly undoing: Map<number, number>
  /** Parts that were undone and had not been done. */
  readonly groundless: Set<number>
  fails: number
}

interface Part {
  readonly saga: number
  readonly part?: number
  readonly undo?: number
}

const partOf = (request: unknown): Part | undefined =>
  typeof request === "object" && request !== null && "saga" in request ? request as Part : undefined

/** A compensation that failed so often was handed to a person. */
const tries = 11

class Books {
  readonly sagas = new Map<string, Saga>()
  private readonly done = new Set<string>()
  private readonly steps = new Map<string, readonly [Saga, number]>()

  private of(task: string, n: number): Saga {
    const name = `${task} ${n}`
    const empty = {
      recorded: new Map(),
      undone: new Map(),
      undoing: new Map(),
      groundless: new Set<number>(),
      fails: 0
    }
    const saga = this.sagas.get(name) ?? empty
    this.sagas.set(name, saga)
    return saga
  }

  acted({ key, node, phase, request, task }: Acted, place: number): void {
    const part = partOf(request)
    if (part === undefined) return
    const saga = this.of(`${node}/${task}`, part.saga)
    if (part.part !== undefined) {
      this.steps.set(`${node}/${key}`, [saga, part.part])
      if (phase === "happens") this.done.add(`${node}/${key}`)
      return
    }
    if (part.undo === undefined) return
    // by its key: a retry or a fork undoes what the task before it has done
    if (!this.done.has(`${node}/${key?.replace(/\/undo$/, "")}`)) saga.groundless.add(part.undo)
    if (phase === "begins" && !saga.undoing.has(part.undo)) saga.undoing.set(part.undo, place)
    if (phase === "fails") saga.fails++
    if ((phase === "happens" || phase === "repeats") && !saga.undone.has(part.undo)) saga.undone.set(part.undo, place)
  }

  recorded(step: string, place: number): void {
    const [saga, part] = this.steps.get(step) ?? []
    if (saga !== undefined && part !== undefined) saga.recorded.set(part, place)
  }
}

const booksOf = (history: History): Books => {
  const books = new Books()
  history.entries.forEach((entry, place) => {
    if (entry._tag === "Acted") books.acted(entry, place)
    if (entry._tag !== "Fact") return
    const { event, task } = entry.envelope
    if (event._tag === "StepRecorded" && event.exit._tag === "Success") {
      books.recorded(`${entry.node}/${task}/${event.key}`, place)
    }
  })
  return books
}

/** In reverse, and only what was done. */
const orderOf = (name: string, { fails, groundless, undoing, undone }: Saga): ReadonlyArray<string> => {
  const broken = [...groundless].map((part) => `saga ${name} undoes part ${part}, which was not done`)
  for (const [part, began] of undoing) {
    // a part that was recorded after what interrupted the saga is not undone at all: the code never heard of it
    for (const later of undoing.keys()) {
      const isOpen = later > part && (undone.get(later) ?? Infinity) > began
      if (isOpen && fails < tries) broken.push(`saga ${name} undoes part ${part} before part ${later}`)
    }
  }
  return broken
}

/** Sagas that a task says have failed, or have been kept. */
const named = (text: string, pattern: RegExp): ReadonlyArray<string> => [...text.matchAll(pattern)].map(([, n]) => n!)

export const sagas = invariant("a saga that fails is undone, the last step first", (history) => {
  const { sagas } = booksOf(history)
  const broken = [...sagas].flatMap(([name, saga]) => orderOf(name, saga))
  for (const { envelope: { event, task }, node } of history.facts()) {
    if (event._tag === "Failed" && event.reason === "agent_error") {
      for (const n of named(JSON.stringify(event.error), /saga-(\d+)/g)) {
        const saga = sagas.get(`${node}/${task} ${n}`)
        for (const part of saga?.recorded.keys() ?? []) {
          if (saga!.undone.has(part) || saga!.fails >= tries) continue
          broken.push(`saga ${node}/${task} ${n} failed, and part ${part} was never undone`)
        }
      }
    }
    if (event._tag !== "Completed") continue
    for (const n of named(JSON.stringify(event.result), /"kept":(\d+)/g)) {
      const undone = sagas.get(`${node}/${task} ${n}`)?.undoing.size ?? 0
      if (undone > 0) broken.push(`saga ${node}/${task} ${n} succeeded, and ${undone} parts of it were undone`)
    }
  }
  return { checked: sagas.size, broken }
})
