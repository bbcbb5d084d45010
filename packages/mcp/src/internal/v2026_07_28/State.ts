/**
 * The state of a call in rounds: which task stands behind it, for whom, and for which call.
 *
 * It travels through the client and is opened only when it was sealed here for this principal, tool and arguments, and
 * not longer ago than an hour. It can be replayed within that time: what it leads to is a task, whose questions are each
 * answered once.
 */
import { canonical } from "@coppice/task/Payload"
import type { TaskId } from "@coppice/task/Task"
import { isTaskId } from "@coppice/task/TaskIds"
import type { JsonObject } from "effect/Schema"
import { createHash } from "node:crypto"
import type { Peer } from "../../Peer.ts"
import type { Seal } from "../../Seal.ts"

const lifetime = 60 * 60 * 1000

const digestOf = (args: JsonObject): string =>
  createHash("sha256").update(canonical(args)).digest("base64url").slice(0, 22)

/** The call a state belongs to. */
export interface Round {
  readonly peer: Peer
  readonly name: string
  readonly arguments: JsonObject
}

const label = ({ arguments: args, name, peer }: Round): string => `round\0${peer.principal}\0${name}\0${digestOf(args)}`

export const mint = (seal: Seal["Service"], round: Round, task: TaskId, now: number): string =>
  seal.seal(label(round), `${task}.${now + lifetime}`)

/** The task of the state, if it is of this call and still holds. */
export const read = (seal: Seal["Service"], round: Round, state: string, now: number): TaskId | undefined => {
  const [id = "", until = "0"] = (seal.open(label(round), state) ?? "").split(".")
  return isTaskId(id) && Number(until) >= now ? id : undefined
}
