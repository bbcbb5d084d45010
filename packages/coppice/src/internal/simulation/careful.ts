/**
 * I6 beyond records: what must not run twice unseen, and what a retry or a fork takes over.
 */
import type { Acted, Fact } from "./history.ts"
import { factsByTask, finding, idOf, type Invariant, tagOf } from "./invariant.ts"

/** A careful step, by the idempotency key its body has. */
interface Careful {
  intents: number
  readonly bodies: Set<number>
  /** Somebody has looked since the last body began, and said that nothing had happened. */
  isFree: boolean
}

/** The steps of one history that wrote an intent, and what is wrong with them. */
class Watch {
  readonly broken: Array<string> = []
  private readonly steps = new Map<string, Careful>()
  /** A retry keeps the key of the task that was first. */
  private readonly origins = new Map<string, string>()

  get size(): number {
    return [...this.steps.values()].reduce((sum, { bodies }) => sum + bodies.size, 0)
  }

  private stepOf({ envelope: { task }, node }: Fact, key: string): Careful {
    const name = `${node}/${this.origins.get(`${node}/${task}/${key}`) ?? task}/${key}`
    const known = this.steps.get(name) ?? { intents: 0, bodies: new Set(), isFree: true }
    this.steps.set(name, known)
    return known
  }

  fact(fact: Fact): void {
    const { envelope: { event, task }, node } = fact
    if (event._tag === "StepIntended") {
      if (event.from !== undefined) this.origins.set(`${node}/${task}/${event.key}`, event.from)
      const step = this.stepOf(fact, event.key)
      if (event.from === undefined) step.intents++
    }
    if (event._tag !== "InputReceived") return
    const key = /^outcome_unknown:(.*):\d+(?:\.\d+)?$/.exec(event.key)?.[1]
    const { action, content } = event.response
    const outcome = (content as { readonly outcome?: unknown } | null)?.outcome
    if (key !== undefined && action === "accept" && outcome === "did_not_happen") this.stepOf(fact, key).isFree = true
  }

  acted({ body, key, node, phase }: Acted): void {
    const name = `${node}/${key}`
    const step = this.steps.get(name)
    if (step === undefined) return
    if (phase === "denies") step.isFree = true
    if (phase === "confirms") step.isFree = false
    if (phase !== "begins" || step.bodies.has(body)) return
    step.bodies.add(body)
    if (step.bodies.size > step.intents) this.broken.push(`${name} began without saying so before`)
    if (!step.isFree) this.broken.push(`${name} began again, and nobody had found that it had not happened`)
    step.isFree = false
  }
}

/** Before a careful step runs again, somebody looks; and it does not when it is found to have happened. */
export const careful: Invariant["check"] = (history) => {
  const watch = new Watch()
  for (const entry of history.entries) {
    if (entry._tag === "Fact") watch.fact(entry)
    else if (entry._tag === "Acted") watch.acted(entry)
  }
  return finding(watch.size, watch.broken)
}

/** What is not as its step had left it: undone by a saga, or perhaps undone after the log was closed. */
const undoneIn = (facts: ReadonlyArray<Fact>): ReadonlySet<string> => {
  const events = facts.map(({ envelope: { event } }) => event)
  const isClosed = events.some((event) =>
    event._tag === "Cancelled" || event._tag === "Failed" && (event.reason === "deadline" || event.reason === "budget")
  )
  const undone = new Set<string>()
  for (const event of events) {
    if (event._tag !== "StepRecorded" || event.exit._tag !== "Success") continue
    if (event.compensates !== undefined) undone.add(event.compensates).add(event.key)
    else if (event.compensable === true && isClosed) undone.add(event.key)
  }
  return undone
}

/** What a task was born with is not done again; a retry is born with all that had succeeded, and was not undone. */
export const reused: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  let checked = 0
  const facts = factsByTask(history)
  const born = new Set<string>()
  for (const [id, all] of facts) {
    const { envelope: { event, seq }, node } = all[0]!
    const keys = new Set<string>()
    for (const { envelope: { event } } of all) if (event._tag === "StepReused") keys.add(event.key)
    for (const key of keys) born.add(`${id}/${key}`)
    checked += keys.size
    if (event._tag !== "Created" || event.spec.retryOf === null || keys.size === 0) continue
    // a task may be retried while it still runs
    const before = facts.get(idOf({ node, task: event.spec.retryOf }))?.filter(({ envelope }) => envelope.seq < seq) ??
      []
    const undone = undoneIn(before)
    for (const key of undone) {
      if (keys.has(key)) broken.push(`${id} takes over ${key}, which ${event.spec.retryOf} has undone`)
    }
    for (const fact of before) {
      const { event: done } = fact.envelope
      if (done._tag !== "StepRecorded" || done.exit._tag !== "Success") continue
      if (keys.has(done.key) || undone.has(done.key)) continue
      broken.push(`${id} does ${done.key} again, which ${event.spec.retryOf} had done`)
    }
  }
  for (const { key, node, phase } of history.of("Acted")) {
    if (phase === "begins" && born.has(`${node}/${key}`)) {
      broken.push(`${node}/${key} ran, although its task was born with it`)
    }
  }
  return finding(checked, broken)
}

const ofMessage = ({ envelope: { event } }: Fact): string | undefined =>
  event._tag === "Steered" ? event.message : undefined

/** What a client was told a task has been told, it has; each message is read once, and no deadline comes early. */
export const steered: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const facts = factsByTask(history)
  const setBack = new Set(
    history.of("Struck").filter(({ fault }) => fault.kind === "clock-back").map(({ fault }) => fault.node)
  )
  let checked = 0
  for (const { client, durable, node, reply, wish } of history.of("Told")) {
    if (wish.verb !== "steer" || reply._tag !== "Task") continue
    checked++
    const known = facts.get(idOf({ node, task: wish.task }))?.some(({ envelope: { event, seq } }) =>
      event._tag === "Steered" && event.by === client && event.message === wish.steering.message && seq <= durable
    )
    if (known !== true) broken.push(`${node}: ${wish.task} was not told what ${client} was told it had been`)
  }
  for (const [id, all] of facts) {
    const said = all.flatMap((fact) => ofMessage(fact) ?? [])
    let deadline: number | null = null
    for (const fact of all) {
      const { at, event } = fact.envelope
      if (event._tag === "Created") deadline = event.deadline
      if (event._tag === "Steered" && event.deadline !== undefined) deadline = event.deadline
      if (event._tag === "StepRecorded" && event.name === "heard" && event.exit._tag === "Success") {
        checked++
        const heard = JSON.stringify(event.exit.value)
        const place = said.findIndex((message) => JSON.stringify(message) === heard)
        if (place < 0) broken.push(`${id} heard ${heard}, which nobody said, or heard it twice`)
        else said.splice(place, 1)
      }
      if (tagOf(fact) !== "Failed" || event._tag !== "Failed" || event.reason !== "deadline") continue
      checked++
      if (at < (deadline ?? Infinity) && !setBack.has(fact.node)) {
        broken.push(`${id} failed ${(deadline ?? Infinity) - at} ms before its deadline`)
      }
    }
  }
  return finding(checked, broken)
}
