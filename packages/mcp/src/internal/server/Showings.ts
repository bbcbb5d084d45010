/**
 * What each host was shown, and whether anybody can have read it.
 *
 * ```text
 *  shown ──► declined at once ──────────► undelivered: no person's word, the question stays open
 *        ──► still there after a while ─► delivered:   from then on its word is a person's, however fast
 * ```
 *
 * Some hosts decline whatever they are asked, by a setting or because nobody is at the screen, and do not say so. Their
 * only trace is the time: a person needs longer to read a sentence than a program to refuse it. Kept in memory alone: after
 * a restart a decline is taken as it is, because nobody knows any more since when the question was on the screen.
 */
import type { InputResponse } from "@coppice/task/TaskEvent"
import type { TaskLog } from "@coppice/task/TaskLog"
import type { Tasks } from "@coppice/task/Tasks"
import type { OpenInput } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import { canAnswer, isForClientOnly, type Peer } from "../../Peer.ts"
import type { Run } from "./Runner.ts"

/**
 * Milliseconds before which nobody can have read a question. People need about 200 to react to something they expect and
 * more than a second to read a sentence; hosts that decline by themselves answer within some 50.
 */
export const defaultReadingTime = 400

/** How often a host may decline unread before it is asked no more. */
const mostUnread = 2

/** Questions remembered over all hosts; the oldest gives way. */
const mostKnown = 10_000

interface Showing {
  readonly at: number
  /** How often it was declined unread. */
  readonly unread: number
  readonly is: "shown" | "read" | "unread"
}

interface Services {
  readonly tasks: Tasks["Service"]
  readonly log: TaskLog["Service"]
  readonly run: Run
  /** Milliseconds. */
  readonly readingTime: number
}

const nameOf = ({ principal, session = "" }: Peer, { request, task }: OpenInput): string =>
  `${principal}/${session}/${task}/${request.key}`

export class Showings {
  private readonly services: Services
  private readonly all = new Map<string, Showing>()

  constructor(services: Services) {
    this.services = services
  }

  /** The host has the question from now on; one that cannot ask a person at all never does. */
  shown(peer: Peer, input: OpenInput): void {
    if (isForClientOnly(input.request)) return
    const name = nameOf(peer, input)
    const known = this.all.get(name)
    if (known !== undefined && (known.is !== "unread" || known.unread >= mostUnread)) return
    if (!canAnswer(peer, input.request)) {
      this.keep(name, { at: 0, unread: mostUnread, is: "unread" })
      return this.tell(peer, input, `the host does not say that it can ask for a ${input.request.mode}`)
    }
    const showing: Showing = { at: this.services.log.now(), unread: known?.unread ?? 0, is: "shown" }
    this.keep(name, showing)
    // another Coppice passes it on: whether a person has seen it is for its doors to say
    if (!peer.isTrusted) this.awaitReading(peer, input, showing)
  }

  private awaitReading(peer: Peer, input: OpenInput, showing: Showing): void {
    const name = nameOf(peer, input)
    const read = Effect.suspend(() => {
      if (this.all.get(name) !== showing) return Effect.void
      this.all.set(name, { ...showing, is: "read" })
      return this.offered(peer, input, { how: "delivered" })
    })
    this.services.run(Effect.delay(read, this.services.readingTime)).catch(() => {})
  }

  /**
   * What to do instead of taking the answer, when nobody can have read what is declined here: it was not delivered, and
   * that is recorded. `undefined`: the answer is somebody's.
   */
  unread(peer: Peer, input: OpenInput, { action }: Pick<InputResponse, "action">) {
    const name = nameOf(peer, input)
    const showing = this.all.get(name)
    if (action === "accept" || peer.isTrusted || showing?.is !== "shown") return undefined
    const after = this.services.log.now() - showing.at
    if (after >= this.services.readingTime) return undefined
    const unread = showing.unread + 1
    this.all.set(name, { ...showing, unread, is: "unread" })
    const again = unread > 1 ? "again " : ""
    const detail = `the host answered "${action}" ${again}after ${after} ms, before anybody can have read it`
    return this.offered(peer, input, { how: "undelivered", detail })
  }

  /** The host could not ask: it said so with an error. */
  failed(peer: Peer, input: OpenInput, code: unknown): void {
    if (isForClientOnly(input.request)) return
    this.all.delete(nameOf(peer, input))
    const said = typeof code === "number" ? `with error ${code}` : "with an error"
    this.tell(peer, input, `the host answered ${said}`)
  }

  /** Whether the host has the question, or has had it, and nobody has read it there. */
  wasUnread(peer: Peer, input: OpenInput): boolean {
    return this.all.get(nameOf(peer, input))?.is === "unread"
  }

  /** Whether the host is to be left alone with it. */
  isShut(peer: Peer, input: OpenInput): boolean {
    return (this.all.get(nameOf(peer, input))?.unread ?? 0) >= mostUnread
  }

  private keep(name: string, showing: Showing): void {
    this.all.delete(name)
    this.all.set(name, showing)
    if (this.all.size > mostKnown) this.all.delete(this.all.keys().next().value!)
  }

  private offered(
    { by, isOwner, principal }: Peer,
    { request, task }: OpenInput,
    offer: { readonly how: "delivered" | "undelivered"; readonly detail?: string }
  ) {
    const to = isOwner === true || by === "mcp" ? {} : { to: by }
    return this.services.tasks.offered({
      id: task,
      key: request.key,
      offer: { door: `mcp:${principal}`, ...to, ...offer }
    })
  }

  private tell(peer: Peer, input: OpenInput, detail: string): void {
    this.services.run(this.offered(peer, input, { how: "undelivered", detail })).catch(() => {})
  }
}
