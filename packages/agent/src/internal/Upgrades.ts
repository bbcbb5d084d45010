/**
 * Tasks whose code has changed under them: they are parked with a question, and go on as a person says.
 *
 * ```text
 *   misfit ──► InputRequested "upgrade:N" ──► parked ──► answered ──► continue: replay again
 *                                                                ├─► migrate:  keys moved, replay
 *                                                                ├─► restart:  children stopped, a new beginning
 *                                                                └─► stop:     failed with replay_mismatch
 * ```
 */
import { moved } from "@coppice/task/Migration"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import type { Entry } from "@coppice/task/TaskLog"
import type { Upgrade } from "@coppice/task/TaskMachine"
import type { ChildRecord, Journal } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Json } from "effect/Schema"
import { OutgrownInput, type ReplayMismatch } from "../AgentError.ts"
import type { AgentServer } from "./AgentServer.ts"
import { misfitLines } from "./diff.ts"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"
import { type Recorded, upgradeKey } from "./Journal.ts"

const choices = {
  continue: "continue: replay it again, with the code that runs then, such as the old one deployed again",
  migrate: "migrate: find what is recorded as the new code says, then replay",
  restart: "restart: begin again from its input, after everything it had started was stopped; steps are done again",
  stop: "stop: the task fails"
} as const

type Choice = keyof typeof choices

/** A task that is about to be brought back. */
export interface Coming {
  readonly server: AgentServer
  readonly entry: Entry
  readonly journal: Journal
  readonly past: Recorded
}

const versions = ({ entry, past, server }: Pick<Execution, "entry" | "past" | "server">): string => {
  const { code, version } = entry.state.spec
  const then = past.upgrade.version === undefined ? { code, version } : past.upgrade
  const { code: now } = server.host
  const contract = then.version === server.contract.version
    ? `Contract ${then.version}, as before.`
    : `Contract ${then.version} then, ${server.contract.version} now.`
  if (then.code === undefined && now === undefined) return contract
  return `${contract} Code ${then.code ?? "unknown"} then, ${now ?? "unknown"} now.`
}

/** A decision that cannot be read, or was dismissed, changes nothing: the task is tried again, and asks again. */
const choiceOf = ({ action, content }: InputResponse): Choice => {
  if (action === "decline") return "stop"
  const choice = (content as { readonly choice?: Json } | null)?.choice
  return typeof choice === "string" && choice in choices ? choice as Choice : "continue"
}

export class Upgrades {
  private readonly host: Host
  private readonly letGo: (entry: Entry) => void
  private readonly bringBack: (entry: Entry) => void

  /** What the executor does for it takes over the entry's pin. */
  constructor(host: Host, letGo: (entry: Entry) => void, bringBack: (entry: Entry) => void) {
    this.host = host
    this.letGo = letGo
    this.bringBack = bringBack
  }

  // ---------------------------------------------------------------- asking

  /** Parks the task of an ended execution with a question. */
  ask(execution: Execution, misfit: ReplayMismatch | OutgrownInput): void {
    const { attempt, entry } = execution
    this.host.log.dispatch(entry, { _tag: "RequestInput", attempt, request: this.question(execution, misfit) })
    this.park(entry)
  }

  private park(entry: Entry): void {
    this.host.log.setParked(entry, true)
    this.letGo(entry)
  }

  private question(execution: Execution, misfit: ReplayMismatch | OutgrownInput): InputRequest {
    const { past, server } = execution
    const isOutgrown = misfit instanceof OutgrownInput
    const offered: ReadonlyArray<Choice> = [
      "continue",
      ...server.definition.migrate === undefined ? [] : ["migrate" as const],
      ...isOutgrown ? [] : ["restart" as const],
      "stop"
    ]
    const help = offered.map((choice) => choices[choice]).join("\n")
    return {
      key: `${upgradeKey}:${past.upgrade.asked + 1}`,
      mode: "form",
      message: `${misfitLines(misfit, past.questions)}\n\n${versions(execution)}\n\n${help}`,
      schema: {
        type: "object",
        properties: { choice: { type: "string", enum: offered } },
        required: ["choice"],
        additionalProperties: false
      },
      url: null,
      deadline: null
    }
  }

  // ---------------------------------------------------------------- answering

  /** Whether something has to be decided or done before the task goes on. Then it takes over the entry. */
  comesFirst(coming: Coming): boolean {
    const { entry, past } = coming
    const { pending } = past.upgrade
    if (pending === undefined) return false
    if (pending === "open") {
      this.park(entry)
      return true
    }
    switch (choiceOf(pending)) {
      case "continue":
        return false
      case "migrate": {
        const upgrade = migration(coming)
        if (upgrade === undefined) return false
        this.migrate(coming, upgrade)
        return true
      }
      case "restart":
        this.afterChildren(coming, coming.journal.children, () => this.restart(coming))
        return true
      case "stop":
        this.afterChildren(coming, coming.journal.children, () => {
          this.fail(coming, pending.by)
          this.letGo(entry)
        })
        return true
    }
  }

  /** Stops these children; calls back once everything below the task is at rest, unless the task has ended meanwhile. */
  private afterChildren({ entry }: Coming, children: ReadonlyArray<ChildRecord>, then: () => void): void {
    const { fork, settler } = this.host
    const reason = { by: "parent", reason: "The code of the task above has changed" }
    const open = children.filter((child) => child.settledSeq === null)
    const stopping = Effect.forEach(
      open,
      ({ id }) => Effect.retry(settler.end(id, { _tag: "Cancel", ...reason }, reason), Schedule.spaced("1 second")),
      { discard: true }
    )
    fork(stopping).addObserver(() =>
      settler.whenChildrenSettled(entry.state.id, () => entry.state.endedAt === null ? then() : this.letGo(entry))
    )
  }

  private fail({ entry, journal }: Coming, by: string): void {
    const asked = journal.events.findLast(({ event }) =>
      event._tag === "InputRequested" && event.request.key.startsWith(`${upgradeKey}:`)
    )?.event
    const message = `${asked?._tag === "InputRequested" ? summary(asked.request.message) : ""} Stopped by ${by}.`
    const { attempt } = entry.state
    this.host.log.dispatch(entry, { _tag: "Fail", attempt, reason: "replay_mismatch", message, error: null })
  }

  /** The next attempt is like a first one. */
  private restart({ entry, past, server }: Coming): void {
    const { log } = this.host
    this.withdraw(entry, () => true)
    for (const key of [...past.timers.keys(), ...past.lapsed.keys()]) log.clearTimer(entry.state.id, key)
    this.record(entry, { choice: "restart", ...this.now(server), moves: [], children: [] })
  }

  /** What is recorded is found under other keys, and what waits is waited for under them. */
  private migrate(coming: Coming, upgrade: Pick<Upgrade, "moves" | "input">): void {
    const { entry, journal, past, server } = coming
    const { log } = this.host
    const { id } = entry.state
    const to = (key: string) => moved(upgrade.moves, key)
    const questions = this.withdraw(entry, ({ key }) => to(key) !== key)
    const open = journal.children.filter((child) => child.settledSeq === null && to(child.key) !== child.key)
    const children = open.map((child) => child.id)
    const record = () => {
      this.record(entry, { choice: "migrate", ...this.now(server), ...upgrade, children }, () => {
        const { attempt } = entry.state
        for (const request of questions) {
          const key = to(request.key)
          if (key !== null) log.dispatch(entry, { _tag: "RequestInput", attempt, request: { ...request, key } })
        }
        for (const [key, due] of past.timers) {
          const next = to(key)
          if (next !== null && next !== key) log.dispatch(entry, { _tag: "SetTimer", attempt, key: next, due })
        }
        for (const key of [...past.timers.keys(), ...past.lapsed.keys()]) if (to(key) !== key) log.clearTimer(id, key)
      })
    }
    const dropped = open.filter((child) => to(child.key) === null)
    if (dropped.length === 0) record()
    else this.stopAll(coming, dropped, record)
  }

  /** Stops children nobody asks for any more, without waiting for the others. */
  private stopAll({ entry }: Coming, children: ReadonlyArray<ChildRecord>, then: () => void): void {
    const { fork, settler } = this.host
    const reason = { by: "parent", reason: "The code of the task above no longer calls it" }
    fork(Effect.forEach(
      children,
      ({ id }) => Effect.retry(settler.end(id, { _tag: "Cancel", ...reason }, reason), Schedule.spaced("1 second")),
      { discard: true }
    )).addObserver(() => entry.state.endedAt === null ? then() : this.letGo(entry))
  }

  private withdraw(entry: Entry, isWanted: (request: InputRequest) => boolean): ReadonlyArray<InputRequest> {
    const { attempt, inputs } = entry.state
    const wanted = inputs.filter(isWanted)
    for (const { key } of wanted) this.host.log.dispatch(entry, { _tag: "WithdrawInput", attempt, key })
    return wanted
  }

  private now({ contract, host: { code } }: AgentServer): Pick<Upgrade, "version" | "code"> {
    return { version: contract.version, ...code === undefined ? {} : { code } }
  }

  /** Writes it down, and brings the task back once it is durable. */
  private record(entry: Entry, upgrade: Upgrade, more: () => void = () => {}): void {
    const { log } = this.host
    log.dispatch(entry, { _tag: "Upgrade", attempt: entry.state.attempt, upgrade })
    more()
    log.afterCommit((error) => {
      if (error === undefined) this.bringBack(entry)
    })
  }
}

const longestSummary = 900

/** The question in one line: what does not fit, and where. */
const summary = (message: string): string =>
  message.split("\n\n").slice(0, 2).join(" ").replaceAll(/\s+/g, " ").slice(0, longestSummary)

/** What the definition makes of the task; `undefined` when it makes nothing of it, and the task asks again. */
const migration = ({ past, server }: Coming): Pick<Upgrade, "moves" | "input"> | undefined => {
  const { migrate } = server.definition
  if (migrate === undefined) return undefined
  const moves = migrate.moves ?? []
  if (migrate.input === undefined) return { moves }
  try {
    return { moves, input: migrate.input(past.input) }
  } catch {
    return undefined
  }
}
