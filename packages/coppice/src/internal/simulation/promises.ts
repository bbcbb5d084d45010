/**
 * The promises of the runtime, each as one function of a history. The numbers are those of the reliability page.
 */
import { type Amounts, type Budget, measures } from "@coppice/task/Budget"
import type { TaskId } from "@coppice/task/Task"
import { isTerminal } from "@coppice/task/Task"
import { isDeepStrictEqual } from "node:util"
import { careful, reused, steered } from "./careful.ts"
import {
  abandoned,
  endings,
  factsByTask,
  finding,
  idOf,
  type Invariant,
  isReleased,
  lineOf,
  ofTheLiving,
  tagOf,
  told
} from "./invariant.ts"
import { isolation } from "./isolation.ts"
import { kin } from "./kin.ts"

// ---------------------------------------------------------------- the promises

const acknowledged: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const facts = factsByTask(history)
  const known = new Map<string, number>()
  const submitted = told(history, "submit", "Task")
  for (const { at, durable, node, reply: { task } } of submitted) {
    const created = facts.get(idOf({ node, task }))?.find((fact) => tagOf(fact) === "Created")
    if (created === undefined) broken.push(`${node} acknowledged task ${task}, which its log does not have`)
    else if (created.envelope.seq > durable) broken.push(`${node} acknowledged task ${task} before it was durable`)
    known.set(idOf({ node, task }), at)
  }
  for (const { node, reply, wish } of history.of("Told")) {
    if (reply._tag !== "Refused" || reply.error !== "TaskNotFound" || !("task" in wish)) continue
    if (known.has(idOf({ node, task: wish.task }))) {
      broken.push(`${node} does not know the acknowledged task ${wish.task}`)
    }
  }
  return finding(submitted.length, broken)
}

const finality: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const facts = factsByTask(history)
  for (const [id, all] of facts) {
    const end = all.findIndex((fact) => endings.has(tagOf(fact)))
    const first = all[0]!
    if (tagOf(first) !== "Created") broken.push(`${id} begins with ${tagOf(first)}`)
    if (end < 0) continue
    const late = all.slice(end + 1).find((fact) => ofTheLiving.has(tagOf(fact)))
    if (late !== undefined) broken.push(`${id} has ${tagOf(late)} after ${tagOf(all[end]!)}`)
  }
  for (const { node, reply: { event, task } } of told(history, "result", "Ending")) {
    const end = facts.get(idOf({ node, task }))?.find((fact) => endings.has(tagOf(fact)))
    if (end === undefined || !isDeepStrictEqual(end.envelope.event, event)) {
      broken.push(`${node} told a client another end of ${task} than its log has`)
    }
  }
  return finding(facts.size, broken)
}

/** A question that nobody answered is asked again, under its key, by an attempt that follows a failed one. */
const questions: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  let checked = 0
  for (const [id, all] of factsByTask(history)) {
    const asked = new Map<string, { readonly attempt: number; readonly request: unknown }>()
    const answered = new Set<string>()
    const open = new Set<string>()
    let attempt = 0
    for (const { envelope: { event } } of all) {
      if (event._tag === "Created" || event._tag === "Started") attempt = event.attempt
      else if (event._tag === "InputRequested") {
        checked++
        const { key } = event.request
        const before = asked.get(key)
        const isAgain = before !== undefined && before.attempt < attempt && !answered.has(key) && !open.has(key) &&
          isDeepStrictEqual(before.request, event.request)
        if (before !== undefined && !isAgain) broken.push(`${id} asks under the key ${key} twice`)
        asked.set(key, { attempt, request: event.request })
        open.add(key)
      } else if (event._tag === "InputReceived") {
        if (!open.delete(event.key)) broken.push(`${id} has an answer to ${event.key}, which was not open`)
        if (answered.has(event.key)) broken.push(`${id} has two answers to ${event.key}`)
        answered.add(event.key)
      } else if (event._tag === "InputWithdrawn") open.delete(event.key)
    }
  }
  return finding(checked, broken)
}

const answers: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const facts = factsByTask(history)
  const given = told(history, "respond", "Task")
  for (const { durable, node, wish } of given) {
    if (wish.verb !== "respond") continue
    const received = (facts.get(idOf({ node, task: wish.task })) ?? []).filter(({ envelope: { event } }) =>
      event._tag === "InputReceived" && event.key === wish.key
    )
    const [first] = received
    if (received.length !== 1) {
      broken.push(`the answer to ${wish.key} of ${wish.task} is applied ${received.length} times`)
    } else if (first!.envelope.seq > durable) {
      broken.push(`the answer to ${wish.key} was acknowledged before it was durable`)
    } else if (
      first!.envelope.event._tag === "InputReceived" &&
      !isDeepStrictEqual(first!.envelope.event.response, wish.response)
    ) broken.push(`the answer to ${wish.key} of ${wish.task} is not the one that was acknowledged`)
  }
  return finding(given.length, broken)
}

/** Handlers get this long to stop, milliseconds. */
const grace = 5_100

const cancels: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  const reports = told(history, "cancel", "Report")
  const facts = factsByTask(history)
  const wishes = history.of("Asked").flatMap(({ client, node, wish }) =>
    wish.verb === "cancel" ? [{ client, node, task: wish.task }] : []
  )
  const began = Map.groupBy(
    // what a saga had done is undone after a restart as well, however long that takes
    history.of("Acted").filter(({ key, phase }) => phase === "begins" && key?.endsWith("/undo") !== true),
    (acted) => idOf({ node: acted.node, task: acted.task ?? "" })
  )
  for (const { at, node, reply: { task: root } } of reports) {
    const rows = end.nodes.get(node)
    const cut = facts.get(idOf({ node, task: root }))?.find((fact) => tagOf(fact) === "Cancelled")
    for (const { createdSeq, endedSeq, state } of rows?.rows.values() ?? []) {
      if (!lineOf(rows, state.id).includes(root)) continue
      const isLeft = lineOf(rows, state.id).some((id) => isReleased(history, node, id))
      if (isLeft) continue
      if (!isTerminal(state.status)) broken.push(`${node}: ${state.id} runs on below the cancelled ${root}`)
      if (cut !== undefined && createdSeq < cut.envelope.seq && (endedSeq ?? Infinity) > cut.envelope.seq) {
        const end = facts.get(idOf({ node, task: state.id }))?.find((fact) => endings.has(tagOf(fact)))
        if (end === undefined || tagOf(end) !== "Cancelled" || end.at !== cut.at) {
          broken.push(`${node}: ${state.id} was not cancelled with ${root}`)
        }
      }
      const late = began.get(idOf({ node, task: state.id }))?.find((acted) => acted.at > at + grace)
      if (late !== undefined) {
        broken.push(`${node}: ${state.id} began a call ${Math.round(late.at - at)} ms after its cancellation`)
      }
    }
  }
  let checked = reports.length
  for (const { envelope: { event, task }, node } of history.facts()) {
    if (event._tag !== "Cancelled") continue
    checked++
    const rows = end.nodes.get(node)
    const line = lineOf(rows, task)
    if (event.by.startsWith("client-")) {
      const isMeant = wishes.some((wish) => wish.node === node && wish.client === event.by && line.includes(wish.task))
      if (!isMeant) broken.push(`${node}: ${task} was cancelled by ${event.by}, who meant another task`)
    } else if (event.by === "parent" && line.length < 2) {
      broken.push(`${node}: the root ${task} was cancelled by a parent`)
    }
  }
  return finding(checked, broken)
}

const steps: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const recorded = new Map<string, number>()
  const runs = new Map<string, number>()
  const lost = abandoned(history)
  let checked = 0
  for (const entry of history.entries) {
    if (entry._tag === "Fact" && entry.envelope.event._tag === "StepRecorded") {
      const { exit, key } = entry.envelope.event
      // what was given up may be done by a retry, under the same key
      const isGivenUp = exit._tag === "Failure" && exit.givenUpBy !== undefined
      if (!isGivenUp) recorded.set(`${entry.node}/${entry.envelope.task}/${key}`, entry.at)
    }
    if (entry._tag !== "Acted" || entry.phase !== "begins" || entry.key === null) continue
    if (lost.has(`${entry.node}/${entry.task} ${entry.attempt}`)) continue
    checked++
    const key = `${entry.node}/${entry.key}`
    if (recorded.has(key)) broken.push(`${key} began again after its result was recorded`)
    const run = `${key} ${entry.life} ${entry.attempt}`
    // a compensation is tried again and again under one key
    if ((runs.get(run) ?? entry.body) !== entry.body && !key.endsWith("/undo")) {
      broken.push(`${key} began twice in one attempt`)
    }
    runs.set(run, entry.body)
  }
  return finding(checked, broken)
}

/** Timers never fire early; a clock that was set back meanwhile makes it look so. */
const timers: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const due = new Map<string, number>()
  const setBack = new Set(
    history.of("Struck").filter(({ fault }) => fault.kind === "clock-back").map(({ fault }) => fault.node)
  )
  let checked = 0
  for (const { envelope: { at, event, task }, node } of history.facts()) {
    if (event._tag === "TimerSet") due.set(`${node}/${task}/${event.key}`, event.due)
    if (event._tag !== "TimerFired") continue
    checked++
    const early = (due.get(`${node}/${task}/${event.key}`) ?? Infinity) - at
    if (early > 0 && !setBack.has(node)) broken.push(`${node}: timer ${event.key} of ${task} fired ${early} ms early`)
  }
  return finding(checked, broken)
}

/** Code of an attempt that is over writes nothing. */
const attempts: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const current = new Map<string, number>()
  const over = new Map<string, number>()
  let checked = 0
  for (const { envelope: { event, task }, node } of history.facts()) {
    if (!("attempt" in event)) continue
    checked++
    const id = idOf({ node, task })
    if (event._tag === "Created" || event._tag === "Started") {
      if (event._tag === "Started" && event.attempt !== current.get(id)! + 1) {
        broken.push(`${id}: attempt ${event.attempt} follows ${current.get(id)}`)
      }
      current.set(id, event.attempt)
    } else if (event.attempt !== current.get(id)) {
      broken.push(`${id}: ${event._tag} of attempt ${event.attempt} in attempt ${current.get(id)}`)
    } else if (over.get(id) === event.attempt) {
      broken.push(`${id}: ${event._tag} of attempt ${event.attempt}, which had failed`)
    }
    if (event._tag === "AttemptFailed") over.set(id, event.attempt)
  }
  return finding(checked, broken)
}

/** A task that another node runs for this one is over when this node says so. */
const remotes: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  const ends = new Map<string, number>()
  const parts = new Map<string, ReadonlyArray<string>>()
  for (const [node, { rows }] of end.nodes) {
    for (const { state } of rows.values()) {
      const key = state.spec.idempotencyKey
      if (state.parent === null && key !== null && !key.startsWith("job-")) {
        parts.set(key, [...parts.get(key) ?? [], idOf({ node, task: state.id })])
      }
    }
  }
  for (const { at, envelope: { event, task }, node } of history.facts()) {
    if (endings.has(event._tag)) ends.set(idOf({ node, task }), at)
  }
  let checked = 0
  for (const { at, envelope: { event, task }, node } of history.facts()) {
    if (event._tag !== "Settled" || (event.how !== "stopped" && event.how !== "finished_before")) continue
    for (const part of parts.get(task) ?? []) {
      checked++
      if ((ends.get(part) ?? Infinity) > at) {
        broken.push(`${node} says that ${task} is ${event.how}, and ${part} still runs`)
      }
    }
  }
  return finding(checked, broken)
}

const rest: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  const settled = new Map<string, number>()
  const refused = new Set<string>()
  for (const { at, envelope: { event, seq, task }, node } of history.facts()) {
    if (event._tag === "Settled" && event.how !== "stopped" && event.how !== "finished_before") {
      refused.add(idOf({ node, task }))
    }
    if (end.nodes.get(node)?.rows.get(task)?.settledSeq === seq) settled.set(idOf({ node, task }), at)
  }
  const lost = abandoned(history)
  for (const { at, attempt, node, phase, service, task } of history.of("Acted")) {
    if (phase !== "begins" || task === null) continue
    const id = idOf({ node, task })
    if (lost.has(`${id} ${attempt}`)) continue
    if ((settled.get(id) ?? Infinity) < at && !refused.has(id)) {
      broken.push(`${id} called ${service} after its settlement`)
    }
  }
  for (const [name, { executions, rows, timers }] of end.nodes) {
    const live = [...rows.values()].filter(({ state }) => state.settlement === null).length
    if (end.atRest && executions > live) broken.push(`${name} runs ${executions} executions for ${live} tasks`)
    for (const task of timers) {
      if (isTerminal(rows.get(task)?.state.status ?? "completed")) {
        broken.push(`${name}: a timer of the ended ${task} is left`)
      }
    }
  }
  return finding(settled.size, broken)
}

const liveness: Invariant["check"] = (_history, end) => {
  const broken: Array<string> = []
  let checked = 0
  for (const [name, { rows, waits }] of end.nodes) {
    for (const { parked, state } of rows.values()) {
      checked++
      if (end.atRest || state.settlement !== null || waits.has(state.id)) continue
      broken.push(
        `${name}: ${state.agent} ${state.id} is ${isTerminal(state.status) ? "unsettled" : state.status}${
          parked ? " and parked" : ""
        } ${end.bound / 1_000} s after the last fault`
      )
    }
  }
  if (!end.atRest && broken.length === 0) {
    broken.push(`a client waits for a reply ${end.bound / 1_000} s after the last fault`)
  }
  return finding(checked, broken)
}

/** More facts than any task of a scenario has a use for. */
const mostFacts = 5_000

const bounds: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  for (const [id, facts] of factsByTask(history)) {
    if (facts.length > mostFacts) broken.push(`${id} has ${facts.length} facts`)
  }
  for (const [name, { residents, rows }] of end.nodes) {
    const live = [...rows.values()].filter(({ state }) => state.settlement === null).length
    if (end.atRest && residents > live) {
      broken.push(`${name} keeps ${residents} tasks in memory, ${live} of which are unsettled`)
    }
  }
  return finding(end.nodes.size, broken)
}

/** What is reserved and spent from a budget, counted from its facts, is never more than it grants. */
const budgets: Invariant["check"] = (history) => {
  const broken: Array<string> = []
  const pools = new Map<string, { grant: Budget; readonly open: Map<string, Amounts>; spent: Amounts }>()
  let checked = 0
  for (const { envelope: { event, task }, node } of history.facts()) {
    const id = idOf({ node, task })
    if (event._tag === "Created" && event.spec.budget !== null) {
      pools.set(id, { grant: event.spec.budget, open: new Map(), spent: {} })
    }
    const pool = pools.get(id)
    if (event._tag === "Steered" && event.budget !== undefined && pool !== undefined) pool.grant = event.budget
    if (event._tag === "Refunded") {
      const held = pool?.open.get(event.id) ?? {}
      pool?.open.delete(event.id)
      if (pool !== undefined) pool.spent = sum(pool.spent, held, event.unused)
    }
    if (event._tag !== "Reserved" || pool === undefined) continue
    checked++
    if (event.kept === true) pool.spent = sum(pool.spent, event.amounts, {})
    else pool.open.set(event.id, sum(pool.open.get(event.id) ?? {}, event.amounts, {}))
    const used = [...pool.open.values()].reduce((all, amounts) => sum(all, amounts, {}), pool.spent)
    for (const measure of measures) {
      const limit = pool.grant[measure]
      // a limit may have been set below what was spent already
      if (limit !== null && (event.amounts[measure] ?? 0) > 0 && (used[measure] ?? 0) > limit) {
        broken.push(`${id}: ${used[measure]} ${measure} are spent or reserved of ${limit}`)
      }
    }
  }
  return finding(checked, broken)
}

/** `a + b − c`. */
const sum = (a: Amounts, b: Amounts, c: Amounts): Amounts =>
  Object.fromEntries(measures.map((measure) => [measure, (a[measure] ?? 0) + (b[measure] ?? 0) - (c[measure] ?? 0)]))

const families: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  let checked = 0
  for (const [name, { rows }] of end.nodes) {
    for (const { settledSeq, state } of rows.values()) {
      const parent = state.parent === null ? undefined : rows.get(state.parent)
      if (parent === undefined) continue
      const born = history.facts(name).find(({ envelope }) => envelope.task === state.id)!.envelope.seq
      if (parent.endedSeq !== null && born > parent.endedSeq) {
        broken.push(`${name}: ${state.id} was created after its parent's end`)
      }
      if (parent.settledSeq === null) continue
      checked++
      if ((settledSeq ?? Infinity) > parent.settledSeq && !isReleased(history, name, state.id)) {
        broken.push(`${name}: ${parent.state.id} settled before its child ${state.id}`)
      }
    }
  }
  return finding(checked, broken)
}

const audit: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  for (const node of end.nodes.keys()) {
    let seq = 0
    const keys = new Map<string, TaskId>()
    for (const { envelope: { event, seq: next, task } } of history.facts(node)) {
      if (next !== seq + 1) broken.push(`${node}: fact ${next} follows fact ${seq}`)
      seq = next
      if (event._tag !== "Created" || event.spec.idempotencyKey === null) continue
      const key = `${event.spec.principal} ${event.agent} ${event.spec.idempotencyKey}`
      if (keys.has(key)) broken.push(`${node}: ${task} and ${keys.get(key)} have one idempotency key`)
      keys.set(key, task)
    }
  }
  return finding(history.facts().length, broken)
}

/** Checked on every seed. */
export const promises: ReadonlyArray<Invariant> = [
  { name: "I1 what was acknowledged is there", check: acknowledged },
  { name: "I2 an end is final and told as it is", check: finality },
  { name: "I3 a question has one key and one answer", check: questions },
  { name: "I4 an acknowledged answer is applied once", check: answers },
  { name: "I5 a cancel reaches all below, and nobody else", check: cancels },
  { name: "I6 a recorded step never runs again", check: steps },
  { name: "I5 what is reported as stopped elsewhere has stopped", check: remotes },
  { name: "I5 who outlives its parent is left alone", check: kin },
  { name: "I6 a careful step is looked into first", check: careful },
  { name: "I6 what is taken over is not done again", check: reused },
  { name: "I4 a task is told once what it is told", check: steered },
  { name: "I6 only the present attempt writes", check: attempts },
  { name: "I7 nothing of a task outlives its settlement", check: rest },
  { name: "I7 no timer fires early", check: timers },
  { name: "I8 another principal's tasks are not there", check: isolation },
  { name: "I9 everything ends or waits for a person", check: liveness },
  { name: "I10 memory and log stay bounded", check: bounds },
  { name: "I10 a budget is never exceeded", check: budgets },
  { name: "I11 a parent settles after its children", check: families },
  { name: "I12 every decision stands in the log once, in order", check: audit }
]
