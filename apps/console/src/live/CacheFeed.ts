/**
 * Brings batches of facts into what the page has read, and reads again only what a fact leaves open.
 *
 * Tasks, lists and trees are followed fact by fact. Answers that nobody can derive (results, reasons, the inbox) are marked as
 * old, which reads those on screen again, once per batch at most.
 */
import type { Envelope, Task } from "@coppice/api/Api"
import type { Inbox } from "@coppice/api/InboxApi"
import type { TaskTree } from "@coppice/api/TasksApi"
import type { QueryClient } from "@tanstack/react-query"
import { get, taskPath } from "../api/Http.ts"
import { keys } from "../api/Keys.ts"
import { type ListFilter, merge, type Pages } from "../api/Runs.ts"
import { append, type EventPages } from "../api/useEvents.ts"
import type { Batch } from "./LiveStore.ts"
import * as TaskView from "./TaskView.ts"

/** With more doubtful tasks than this in a batch, whole lists and trees are read again. */
const mostSingle = 12

const cachedTrees = (client: QueryClient): ReadonlyArray<TaskTree> =>
  client.getQueriesData<TaskTree>({ queryKey: ["tree"] }).flatMap(([, tree]) => tree ?? [])

const cachedLists = (client: QueryClient) =>
  client.getQueriesData<Pages>({ queryKey: ["runs"] }).flatMap(([key, pages]) =>
    pages === undefined ? [] : [{ key, filter: key[1] as ListFilter, pages }]
  )

/** Every task of the batch that is on screen or kept, as it was last read. */
const known = (client: QueryClient, touched: ReadonlySet<string>): Map<string, Task> => {
  const found = new Map<string, Task>()
  const note = (task: Task | undefined) => {
    if (task === undefined || !touched.has(task.id)) return
    const other = found.get(task.id)
    if (other === undefined || task.updatedAt >= other.updatedAt) found.set(task.id, task)
  }
  for (const { pages } of cachedLists(client)) for (const page of pages.pages) page.tasks.forEach(note)
  for (const { tasks } of cachedTrees(client)) tasks.forEach(note)
  for (const id of touched) note(client.getQueryData<Task>(keys.task(id)))
  return found
}

interface Followed {
  readonly changed: ReadonlyMap<string, Task>
  readonly doubtful: ReadonlySet<string>
}

/** The tasks after the facts. */
export const followAll = (before: ReadonlyMap<string, Task>, facts: ReadonlyArray<Envelope>): Followed => {
  const changed = new Map<string, Task>()
  const doubtful = new Set<string>()
  for (const envelope of facts) {
    const viewed = TaskView.follow(changed.get(envelope.task) ?? before.get(envelope.task), envelope)
    if (viewed === undefined) continue
    changed.set(envelope.task, viewed.task)
    if (viewed.doubtful) doubtful.add(envelope.task)
  }
  return { changed, doubtful }
}

/** Facts after which a task may stand in another list than before. */
const moves: ReadonlySet<string> = new Set([
  "InputRequested",
  "InputReceived",
  "InputWithdrawn",
  "Completed",
  "Failed",
  "Cancelled"
])

/** Tasks nobody has read that may just have come to fit a list: those have to be read. */
export const newcomers = (
  facts: ReadonlyArray<Envelope>,
  known: ReadonlyMap<string, Task>,
  lists: ReadonlyArray<ListFilter>
): ReadonlySet<string> => {
  const narrow = lists.filter(({ status }) => status.length > 0)
  const isWanted = ({ event, run, task }: Envelope) =>
    moves.has(event._tag) && !known.has(task) && narrow.some(({ roots }) => !roots || task === run)
  return new Set(facts.filter(isWanted).map(({ task }) => task))
}

/** A tree after these tasks of its run have changed or begun: parents stay before children. */
export const mergeTree = (tree: TaskTree, changed: ReadonlyMap<string, Task>): TaskTree => {
  const relevant = [...changed.values()].filter(({ run }) => run === tree.root)
  if (relevant.length === 0) return tree
  const known = new Set(tree.tasks.map(({ id }) => id))
  const added = relevant.filter(({ id }) => !known.has(id)).toSorted((a, b) => a.createdAt - b.createdAt)
  return { ...tree, tasks: [...tree.tasks.map((task) => changed.get(task.id) ?? task), ...added] }
}

const put = (client: QueryClient, changed: ReadonlyMap<string, Task>): void => {
  for (const { filter, key, pages } of cachedLists(client)) client.setQueryData(key, merge(filter, pages, changed))
  for (const tree of cachedTrees(client)) client.setQueryData(keys.tree(tree.root), mergeTree(tree, changed))
  for (const [id, task] of changed) {
    if (client.getQueryData(keys.task(id)) !== undefined) client.setQueryData(keys.task(id), task)
  }
}

/** Reads the doubtful tasks again, one by one when they are few. */
const settle = async (client: QueryClient, doubtful: ReadonlySet<string>): Promise<void> => {
  if (doubtful.size === 0) return
  if (doubtful.size > mostSingle) {
    return void await Promise.all([
      client.invalidateQueries({ queryKey: ["runs"] }),
      client.invalidateQueries({ queryKey: ["tree"] }),
      client.invalidateQueries({ queryKey: ["task"] })
    ])
  }
  const read = await Promise.all([...doubtful].map((id) => get<Task>(taskPath(id)).catch(() => undefined)))
  put(client, new Map(read.flatMap((task) => task === undefined ? [] : [[task.id, task]])))
}

const asks: ReadonlySet<string> = new Set([
  "InputRequested",
  "InputReceived",
  "InputWithdrawn",
  "InputReminded",
  "InputEscalated",
  "InputVoted",
  "InputDelegated",
  "InputOffered"
])
const ends: ReadonlySet<string> = new Set(["Completed", "Failed", "Cancelled"])

/** Adds the facts to the histories that are kept. */
const lengthen = (client: QueryClient, facts: ReadonlyArray<Envelope>): void => {
  for (const [key, data] of client.getQueriesData<EventPages>({ queryKey: ["events"] })) {
    if (data === undefined) continue
    const own = facts.filter(({ task }) => task === key[1])
    if (own.length > 0) client.setQueryData(key, append(data, own))
  }
}

/** Marks as old what cannot be followed. Only what is on screen is read again. */
const age = (client: QueryClient, facts: ReadonlyArray<Envelope>): void => {
  const old = (...queryKey: ReadonlyArray<unknown>) => void client.invalidateQueries({ queryKey })
  const asking = new Set(client.getQueryData<Inbox>(keys.inbox)?.questions.map(({ task }) => task))
  if (facts.some(({ event, task }) => asks.has(event._tag) || ends.has(event._tag) && asking.has(task))) {
    old(...keys.inbox)
  }
  for (const { event, task } of facts) if (ends.has(event._tag)) old(...keys.result(task))
  // a report is as large as its tree: one that is being read is new enough, and another one follows
  if (facts.some(({ event }) => event._tag === "Settled")) {
    void client.invalidateQueries({ queryKey: ["report"] }, { cancelRefetch: false })
  }
}

/** Brings one batch in. */
export const apply = (client: QueryClient, { all, facts }: Batch): void => {
  if (all) {
    // who I am does not stand in the log
    return void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.session[0] })
  }
  const before = known(client, new Set(facts.map(({ task }) => task)))
  const { changed, doubtful } = followAll(before, facts)
  const unread = newcomers(facts, new Map([...before, ...changed]), cachedLists(client).map(({ filter }) => filter))
  put(client, changed)
  lengthen(client, facts)
  age(client, facts)
  void settle(client, new Set([...doubtful, ...unread]))
}
