/**
 * What the world and the log must agree on: I6, I7, I9 and I11 of the reliability page, as functions of a history.
 */
import { facts, type History, isRest, taskOf } from "./History.ts"
import type { Checker } from "./Verdict.ts"

/** I5, I7: nothing of a task happens in the world after it has settled. */
export const rest: Checker = (history) => {
  const settled = new Map(history.log.filter(isRest).map(({ at, task }) => [task as string, at]))
  const broken = history.effects.flatMap(({ at, key }) => {
    const since = settled.get(taskOf(key))
    return since !== undefined && at > since ? [`${key} had an effect ${at - since} ms after its task had settled`] : []
  })
  return { promise: "I7", what: "settled tasks", looked: settled.size, broken }
}

/** The place of a process among all, by a time in its life; −1 when no process lived then. */
const lifeAt = ({ lives }: History, at: number): number => {
  const found = lives.findIndex(({ endedAt, startedAt }) => startedAt <= at && at <= endedAt)
  return found >= 0 || lives.some(({ endedAt }) => at <= endedAt) ? found : lives.length
}

/** I6: a recorded step is recorded once, and does not run again. */
export const steps: Checker = (history) => {
  const recorded = Map.groupBy(facts(history, "StepRecorded"), ({ event, task }) => `${task}/${event.key}`)
  const effects = Map.groupBy(history.effects, ({ key }) => key)
  const broken = [...recorded].flatMap(([key, records]) => {
    const [first] = records
    const again = (effects.get(key) ?? []).filter(({ at }) => at > first!.at)
    return [
      ...records.length > 1 ? [`${key} was recorded ${records.length} times`] : [],
      ...again.map(({ at, pid }) => `${key} was recorded at ${first!.at} and ran again at ${at} in process ${pid}`)
    ]
  })
  return { promise: "I6", what: "recorded steps", looked: recorded.size, broken }
}

/** I6: every effect belongs to a durable task, and to a record once its task has completed: keys never change. */
export const keys: Checker = (history) => {
  const known = new Set(facts(history, "Created").map(({ task }) => task as string))
  const completed = new Set(facts(history, "Completed").map(({ task }) => task as string))
  const recorded = new Set(facts(history, "StepRecorded").map(({ event, task }) => `${task}/${event.key}`))
  const effects = [...new Set(history.effects.map(({ key }) => key))]
  const broken = effects.flatMap((key) => {
    const task = taskOf(key)
    if (!known.has(task)) return [`${key} had an effect, its task was never durable`]
    return completed.has(task) && !recorded.has(key) ? [`${key} had an effect, its task completed without it`] : []
  })
  return { promise: "I6", what: "keys of effects", looked: effects.length, broken }
}

/** I9: once the faults stop, everything ends, within a bound. */
export const liveness: Checker = (history) => {
  const ends = new Set(history.log.filter(isRest).map(({ task }) => task as string))
  const open = history.tasks.filter(({ id }) => !ends.has(id)).map(({ agent, id }) =>
    `task ${id} (${agent}) never came to rest`
  )
  const slow = history.calm.filter(({ bound, took }) => took > bound)
    .map(({ bound, name, took }) => `${name} took ${took} ms without faults, at most ${bound} is right`)
  return { promise: "I9", what: "tasks at rest in the end", looked: history.tasks.length, broken: [...open, ...slow] }
}

/** I11: no task settles before its children, unless they were released; nor before those it has adopted. */
export const families: Checker = (history) => {
  const settled = new Map<string, number>()
  for (const fact of history.log) if (isRest(fact) && !settled.has(fact.task)) settled.set(fact.task, fact.seq)
  const released = new Set(facts(history, "Released").map(({ task }) => task as string))
  const born = facts(history, "Created").flatMap(({ event: { parent }, task }) =>
    parent !== null && !released.has(task) ? [{ above: parent, task }] : []
  )
  const adopted = facts(history, "Released").flatMap(({ event: { to }, task }) =>
    to == null ? [] : [{ above: to, task }]
  )
  const children = [...born, ...adopted]
  const broken = children.flatMap(({ above, task }) => {
    const parent = settled.get(above) ?? Infinity
    return (settled.get(task) ?? Infinity) > parent && parent < Infinity
      ? [`task ${above} settled before its child ${task}`]
      : []
  })
  return { promise: "I11", what: "children", looked: children.length, broken }
}

/** The log has no gap, and each process wrote after the one before it. */
export const order: Checker = (history) => {
  const gaps = history.log.flatMap(({ seq }, i) => seq === i + 1 ? [] : [`event ${seq} stands at place ${i + 1}`])
    .slice(0, 5)
  let latest = 0
  const back = history.log.flatMap(({ at, seq }) => {
    const life = lifeAt(history, at)
    const before = latest
    latest = Math.max(latest, life)
    if (life < 0) return [`event ${seq} was written while no process lived`]
    return life < before ? [`event ${seq} of process ${life + 1} comes after one of process ${before + 1}`] : []
  })
  return { promise: "log", what: "events in order", looked: history.log.length, broken: [...gaps, ...back] }
}

/** A run that was killed comes out as one that was not. */
export const products: Checker = ({ comparisons }) => ({
  promise: "result",
  what: "runs compared with the undisturbed one",
  looked: comparisons.length,
  broken: comparisons.flatMap(({ differences, name }) => differences.map((difference) => `${name}: ${difference}`))
})
