/**
 * A run as rows: parents before children, the children of closed tasks left out, what is below each counted.
 */
import type { TaskStatus } from "@coppice/api/Api"
import type { Elsewhere } from "@coppice/api/TasksApi"

/** What of a task a tree shows: of one that runs on another Coppice nothing more is known. */
export type TreeTask = Elsewhere["nodes"][number] & { readonly key?: string | null }

export type Counts = Readonly<Record<TaskStatus, number>>

export interface Node {
  readonly task: TreeTask
  readonly depth: number
  readonly children: ReadonlyArray<Node>
  /** Of everything below it, by status. */
  readonly below: Counts
  readonly size: number
}

export interface Row extends Node {
  readonly isOpen: boolean
  /** Its place among its siblings, from 1, and how many they are. */
  readonly place: number
  readonly of: number
}

const none: Counts = { working: 0, input_required: 0, completed: 0, failed: 0, cancelled: 0 }

const add = (a: Counts, b: Counts): Counts => ({
  working: a.working + b.working,
  input_required: a.input_required + b.input_required,
  completed: a.completed + b.completed,
  failed: a.failed + b.failed,
  cancelled: a.cancelled + b.cancelled
})

/** How many of these tasks are in which status. */
export const countOf = (tasks: ReadonlyArray<TreeTask>): Counts => {
  const counts = { ...none }
  for (const { status } of tasks) counts[status]++
  return counts
}

/** What tells a call from others of the same agent: its input, where the call's key has it in words. */
export const hintOf = ({ key }: Pick<TreeTask, "key">): string | undefined => {
  const input = /^call:[^:]+:(.*):\d+$/s.exec(key ?? "")?.[1]
  return input === undefined || !/^[{["]/.test(input) ? undefined : input.replaceAll(/[{}"[\]]/g, "").slice(0, 120)
}

/** The trees of these tasks, as the service lists them: parents before children. A task whose parent is missing is a root. */
export const build = (tasks: ReadonlyArray<TreeTask>): ReadonlyArray<Node> => {
  const children = new Map<string | null, Array<TreeTask>>()
  const known = new Set(tasks.map(({ id }) => id))
  for (const task of tasks) {
    const parent = task.parent !== null && known.has(task.parent) ? task.parent : null
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [task])
    else siblings.push(task)
  }
  const nodes = new Map<string, Node>()
  const depths = new Map<string, number>()
  for (const { id, parent } of tasks) depths.set(id, parent === null ? 0 : (depths.get(parent) ?? -1) + 1)
  // from the last to the first, so that children are there before their parents, however deep the tree is
  for (const task of tasks.toReversed()) {
    const own = (children.get(task.id) ?? []).flatMap(({ id }) => nodes.get(id) ?? [])
    const below = own.reduce((sum, { below, task }) => add(add(sum, below), { ...none, [task.status]: 1 }), none)
    const size = own.reduce((sum, node) => sum + node.size + 1, 0)
    nodes.set(task.id, { task, depth: depths.get(task.id)!, children: own, below, size })
  }
  return (children.get(null) ?? []).flatMap(({ id }) => nodes.get(id) ?? [])
}

/** The rows on screen when these tasks are open. */
export const rows = (nodes: ReadonlyArray<Node>, isOpen: (id: string) => boolean): ReadonlyArray<Row> => {
  const shown: Array<Row> = []
  const stack = nodes.map((node, at) => ({ node, place: at + 1, of: nodes.length })).toReversed()
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, of, place } = next
    const open = node.children.length > 0 && isOpen(node.task.id)
    shown.push({ ...node, isOpen: open, place, of })
    if (!open) continue
    for (let at = node.children.length - 1; at >= 0; at--) {
      stack.push({ node: node.children[at]!, place: at + 1, of: node.children.length })
    }
  }
  return shown
}

/** A tree up to this size is shown whole at first. */
const smallTree = 150

/** What is open before anybody has opened or closed anything: all of a small tree, of a large one its top. */
export const opensAtFirst = (size: number, isRoot: boolean): boolean => size <= smallTree || isRoot

/** The tasks that fit, and everybody above them. */
export const fitting = (tasks: ReadonlyArray<TreeTask>, fits: (task: TreeTask) => boolean): ReadonlyArray<TreeTask> => {
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const kept = new Set<string>()
  for (const task of tasks) {
    if (!fits(task)) continue
    for (let at: TreeTask | undefined = task; at !== undefined && !kept.has(at.id); at = byId.get(at.parent ?? "")) {
      kept.add(at.id)
    }
  }
  return tasks.filter(({ id }) => kept.has(id))
}

/** Everybody above a task, nearest first. */
export const above = (tasks: ReadonlyArray<TreeTask>, id: string): ReadonlyArray<string> => {
  const parents = new Map(tasks.map((task) => [task.id, task.parent]))
  const found: Array<string> = []
  for (let at = parents.get(id) ?? null; at !== null; at = parents.get(at) ?? null) found.push(at)
  return found
}
