/**
 * I8: another principal's task is not there, whatever is tried with its name.
 */
import type { Told } from "./history.ts"
import { finding, idOf, type Invariant, told } from "./invariant.ts"

/** What a node says that could not look. */
const isTrouble = (reply: string): boolean => reply.includes("-32603") || !reply.includes(`"jsonrpc"`)

const strangers = "stranger"

/** A subscription may end while it is heard, which tells nothing. */
const said = (reply: string): string =>
  reply.split("\n\n").filter((frame) => !frame.includes(`"resultType":"complete"`) || !frame.includes("subscriptionId"))
    .join("\n\n")

const quoted = (reply: string): string => JSON.stringify(reply.replace(/\s+/g, " ").slice(0, 300))

/** Facts that say who wished for them. */
const wisherOf = (event: { readonly _tag: string }): string | undefined => {
  if (event._tag === "Cancelled" || event._tag === "Steered") return (event as unknown as { readonly by: string }).by
  if (event._tag !== "InputReceived") return undefined
  return (event as unknown as { readonly response: { readonly by: string } }).response.by
}

/** Nothing tried with another's name comes back in other words than the same with nobody's. */
const replies: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  let checked = 0
  for (const { method, node, nobodys, principal, reply, revision, task } of history.of("Pried")) {
    const rows = end.nodes.get(node)?.rows
    if (reply === null || rows === undefined) continue
    const where = `${node}: ${principal} tried ${method} (${revision}) of`
    if (rows.get(task)?.state.spec.principal === principal) {
      // the owner is served by the same request
      if (method !== "tasks/get" || isTrouble(reply)) continue
      checked++
      if (!reply.includes("NAME")) broken.push(`${where} its own ${task}, and heard ${quoted(reply)}`)
      continue
    }
    checked++
    const leaked = [...rows.values()].find(({ state }) =>
      state.spec.principal !== principal && state.id !== task && reply.includes(state.id)
    )
    const isList = method.endsWith("list")
    if (isList && reply.includes("NAME")) broken.push(`${where} ${task}, and heard of it: ${quoted(reply)}`)
    else if (leaked !== undefined) broken.push(`${where} ${task}, and heard of ${leaked.state.id}: ${quoted(reply)}`)
    else if (!isList && nobodys !== null && !isTrouble(reply) && !isTrouble(nobodys) && said(reply) !== said(nobodys)) {
      broken.push(`${where} ${task}, and heard ${quoted(reply)}; of a task that is not there ${quoted(nobodys)}`)
    }
  }
  return finding(checked, broken)
}

/** Nothing was done to a task by whoever it does not belong to, nor was a task made of it. */
const deeds: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  let checked = 0
  const ownerOf = (node: string, task: string) => end.nodes.get(node)?.rows.get(task as never)?.state.spec.principal
  for (const { envelope: { event, task }, node } of history.facts()) {
    const id = idOf({ node, task })
    const owner = ownerOf(node, task)
    if (wisherOf(event) === strangers) {
      checked++
      if (owner !== strangers) broken.push(`${id} of ${owner} has ${event._tag} by ${strangers}`)
    }
    if (event._tag !== "Created") continue
    for (const from of [event.parent, event.spec.retryOf, event.spec.forkOf?.task ?? null]) {
      if (from === null) continue
      checked++
      if (ownerOf(node, from) !== owner) broken.push(`${id} of ${owner} comes from ${from} of ${ownerOf(node, from)}`)
    }
  }
  return finding(checked, broken)
}

/** Idempotency keys are each principal's own. */
const keys: Invariant["check"] = (history, end) => {
  const broken: Array<string> = []
  const submitted = told(history, "submit", "Task")
  for (const { node, reply: { task }, wish } of submitted) {
    const owner = end.nodes.get(node)?.rows.get(task)?.state.spec.principal
    const { principal } = wish as Extract<Told["wish"], { readonly verb: "submit" }>
    if (owner !== principal) broken.push(`${node} gave ${principal} the task ${task} of ${owner}`)
  }
  for (const { node, reply: { detail } } of told(history, "submit", "Refused")) {
    if (detail.includes("key")) broken.push(`${node} refused a key: ${detail}`)
  }
  return finding(submitted.length, broken)
}

const all = [replies, deeds, keys]

/** Nothing of another principal's is told, done or given away. */
export const isolation: Invariant["check"] = (history, end) => {
  // who is alone has nobody to hide from
  if (history.of("Pried").length === 0) return finding(0, [])
  const found = all.map((check) => check(history, end))
  return finding(found.reduce((sum, { checked }) => sum + checked, 0), found.flatMap(({ broken }) => broken))
}
