/**
 * I5 and I11 for children that outlive their parent: `continue` ends with nobody, `adopt` ends with whoever adopted it.
 */
import type { TaskId } from "@coppice/task/Task"
import type { Fact, History } from "./history.ts"
import { endings, finding, type Invariant, type NodeEnd, tagOf } from "./invariant.ts"

/** What happened to the tasks of one node, by task. */
interface Lives {
  readonly rows: NodeEnd["rows"]
  readonly ended: ReadonlyMap<TaskId, number>
  readonly cancelled: ReadonlyMap<TaskId, Fact>
  readonly released: ReadonlyMap<TaskId, Fact>
}

const livesOf = (history: History, node: string, rows: NodeEnd["rows"]): Lives => {
  const ended = new Map<TaskId, number>()
  const cancelled = new Map<TaskId, Fact>()
  const released = new Map<TaskId, Fact>()
  for (const fact of history.facts(node)) {
    const { event, seq, task } = fact.envelope
    if (endings.has(tagOf(fact))) ended.set(task, seq)
    if (event._tag === "Cancelled") cancelled.set(task, fact)
    if (event._tag === "Released") released.set(task, fact)
  }
  return { rows, ended, cancelled, released }
}

/** Who was responsible for a task at some place of the log. */
const guardianAt = ({ released, rows }: Lives, task: TaskId, seq: number): TaskId | null => {
  const fact = released.get(task)
  if (fact === undefined || fact.envelope.seq >= seq) return rows.get(task)?.state.parent ?? null
  const { event } = fact.envelope
  return event._tag === "Released" ? event.to ?? null : null
}

/** Reasons that end a task because of one above it. */
const isFromAbove = ({ envelope: { event } }: Fact): boolean =>
  event._tag === "Cancelled" && (event.by === "parent"
    ? event.reason === "The parent ended" || event.reason === "The task above ended"
    : event.by === "deadline" || event.by.startsWith("client-"))

/** The nearest task above the parent that neither had ended nor was about to. */
const heirOf = (lives: Lives, task: TaskId, seq: number): TaskId | undefined => {
  const parent = guardianAt(lives, task, seq)
  for (let below = parent; below !== null;) {
    const above = guardianAt(lives, below, seq)
    if (above === null) return undefined
    const cut = lives.cancelled.get(below)
    // what is above a task that was taken along is on its way out as well
    const isLeaving = cut !== undefined && cut.envelope.seq <= seq && isFromAbove(cut)
    if ((lives.ended.get(above) ?? Infinity) > seq && !isLeaving) return above
    below = above
  }
  return undefined
}

export const kin: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  let checked = 0
  const meant = new Set(
    history.of("Asked").flatMap(({ node, wish }) => wish.verb === "cancel" ? [`${node}/${wish.task}`] : [])
  )
  for (const [node, { rows }] of end.nodes) {
    const lives = livesOf(history, node, rows)
    for (const { settledSeq, state: { id, spec } } of rows.values()) {
      const release = lives.released.get(id)?.envelope.event
      if (release?._tag === "Released" && release.rule === "adopt" && release.to !== null && release.to !== undefined) {
        checked++
        const by = rows.get(release.to)
        if (by !== undefined && by.settledSeq !== null && (settledSeq ?? Infinity) > by.settledSeq) {
          broken.push(`${node}: ${release.to} settled before ${id}, which it had adopted`)
        }
      }
      const cut = lives.cancelled.get(id)
      if (spec.onParentExit === "stop" || cut === undefined || !isFromAbove(cut) || meant.has(`${node}/${id}`)) continue
      checked++
      const { seq } = cut.envelope
      if (spec.onParentExit === "continue") {
        broken.push(`${node}: ${id} goes on by itself, and was cancelled with a task above it`)
        continue
      }
      const isAdopted = release !== undefined && lives.released.get(id)!.envelope.seq < seq
      const guardian = guardianAt(lives, id, seq)
      const heir = isAdopted ? undefined : heirOf(lives, id, seq)
      if (heir !== undefined) {
        broken.push(`${node}: ${id} was cancelled with its parent, and ${heir} could have adopted it`)
      }
      if (isAdopted && guardian !== null && !lives.ended.has(guardian)) {
        broken.push(`${node}: ${id} was cancelled, and ${guardian}, which had adopted it, never ended`)
      }
    }
  }
  return finding(checked, broken)
}
