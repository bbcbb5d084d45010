/**
 * What is promised of calls of foreign MCP servers: docs/guides/remote-agents.md.
 *
 * The history is read in order. Of each task that called a foreign server it is known at any time which runs of the tool
 * there are under way, so what the runtime says of it can be held against that.
 */
import { isOutcomeKey } from "@coppice/task/Doubt"
import type { Settlement } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import { isDeepStrictEqual } from "node:util"
import type { FaultKind } from "./faults.ts"
import type { Fact, History, Served } from "./history.ts"
import { finding, idOf, type Invariant } from "./invariant.ts"
import type { ForeignServer } from "./workshop.ts"

type Servers = Readonly<Record<string, ForeignServer>>

/** A call of a foreign server, as everybody knows it. */
interface Call {
  readonly server: string
  readonly tool: string
  begun: number
  /** How often it may begin: once, and again when a person says that it did not happen. */
  permits: number
  /** Runs that are neither over nor gone. */
  readonly open: Set<number>
  readonly results: Array<unknown>
  readonly answers: Array<unknown>
  wasTold: boolean
  /** Somebody said that it happened. */
  isVouched: boolean
  /** Its task there has a name here. */
  isNamed: boolean
  settled: Settlement | undefined
}

/** What keeps a message from arriving, or somebody from sending it. */
const hindrances: ReadonlySet<FaultKind> = new Set([
  "crash",
  "crash-before-write",
  "crash-after-write",
  "stop",
  "pause",
  "disk-error",
  "disk-full",
  "lose",
  "delay",
  "partition",
  "outside-lost-reply",
  "outside-error"
])

/** A message that nothing hinders has arrived by then, milliseconds. */
const travel = 500

const newCall = (server: string, tool: string): Call => ({
  server,
  tool,
  begun: 0,
  permits: 1,
  open: new Set(),
  results: [],
  answers: [],
  wasTold: false,
  isVouched: false,
  isNamed: false,
  settled: undefined
})

type Received = Extract<TaskEvent, { readonly _tag: "InputReceived" }>

const outcomeIn = (content: unknown): unknown => (content as { readonly outcome?: unknown } | null)?.outcome

class Books {
  readonly twice: Array<string> = []
  readonly reports: Array<string> = []
  readonly answers: Array<string> = []
  readonly results: Array<string> = []
  readonly counts = { begun: 0, settled: 0, heard: 0, completed: 0 }
  private readonly calls = new Map<string, Call>()
  private readonly servers: Servers
  /** Servers that died once: they may have forgotten. */
  private readonly mortal: ReadonlySet<string>
  private readonly isCalm: boolean
  /** Calls given up while they were under way, with the time at which the server has to have heard of it. */
  private readonly givenUp: Array<{ readonly id: string; readonly call: Call; readonly by: number }> = []

  constructor(history: History, servers: Servers) {
    this.servers = servers
    this.mortal = new Set(history.of("Lived").filter(({ life }) => life > 1).map(({ node }) => node))
    this.isCalm = history.of("Struck").every(({ fault }) => !hindrances.has(fault.kind))
    for (const { node, server, task, tool } of history.of("Served")) {
      if (task !== null && !this.calls.has(idOf({ node, task }))) {
        this.calls.set(idOf({ node, task }), newCall(server, tool))
      }
    }
    for (const entry of history.entries) {
      this.remind(entry.at)
      if (entry._tag === "Served") this.served(entry)
      else if (entry._tag === "Fact") this.fact(entry)
    }
    this.remind(Infinity)
  }

  private served({ node, phase, run, task, value }: Served): void {
    if (task === null) return
    const id = idOf({ node, task })
    const call = this.calls.get(id)!
    switch (phase) {
      case "begins":
        return this.begins(id, call, run)
      case "happens":
        call.results.push(value)
        return this.over(id, call, run)
      case "fails":
      case "stops":
      case "dies":
        call.open.delete(run)
        return
      case "is told":
        call.wasTold = true
        return
      case "hears":
        return this.hears(id, call, value)
      case "asks":
    }
  }

  private begins(id: string, call: Call, run: number): void {
    this.counts.begun++
    call.begun++
    call.open.add(run)
    if (call.begun > call.permits && this.servers[call.server]?.tools[call.tool]?.idempotent !== true) {
      this.twice.push(
        `${id} was called at ${call.server} for the ${call.begun}th time, and nobody had said that it may be`
      )
    }
    this.late(id, call, "began")
  }

  private over(id: string, call: Call, run: number): void {
    call.open.delete(run)
    this.late(id, call, "happened")
  }

  private late(id: string, { server, settled }: Call, what: string): void {
    if (settled !== "stopped" && settled !== "finished_before") return
    this.reports.push(`${id} ${what} at ${server} after it was reported as ${settled}`)
  }

  private hears(id: string, { answers, server }: Call, value: unknown): void {
    this.counts.heard++
    if (!answers.some((answer) => isDeepStrictEqual(answer, value))) {
      this.answers.push(`${server} got an answer from ${id} that nobody gave: ${JSON.stringify(value)}`)
    }
  }

  private fact({ at, envelope: { event, task }, node }: Fact): void {
    const id = idOf({ node, task })
    const call = this.calls.get(id)
    if (call === undefined) return
    switch (event._tag) {
      case "StepRecorded":
        if (event.key === "remote:task") call.isNamed = event.exit._tag === "Success" && event.exit.value !== null
        return
      case "InputReceived":
        return this.heard(call, event)
      case "Completed":
        this.counts.completed++
        if (!call.isVouched && !call.results.some((result) => isDeepStrictEqual(result, event.result))) {
          this.results.push(`${id} has a result that ${call.server} never returned: ${JSON.stringify(event.result)}`)
        }
        return
      case "Settled":
        return this.settled(id, call, event.how, at)
    }
  }

  /** What a person said. */
  private heard(call: Call, { key, response: { action, content } }: Received): void {
    if (!isOutcomeKey(key)) return void call.answers.push(action === "accept" ? { action, content } : { action })
    const outcome = action === "accept" ? outcomeIn(content) : undefined
    if (outcome === "did_not_happen") call.permits++
    if (outcome === "did_happen") call.isVouched = true
  }

  /** How a task that ended from outside came to rest. */
  private settled(id: string, call: Call, how: Settlement, at: number): void {
    this.counts.settled++
    call.settled = how
    const { server } = call
    const says = (what: string) => void this.reports.push(`${id} is reported as ${how}, and ${server} ${what}`)
    if ((how === "stopped" || how === "finished_before") && call.open.size > 0) says("works for it")
    if (how === "refused" && !call.wasTold && this.servers[server]?.cancels !== false) says("was not told to stop")
    if (how === "unknown" && call.isNamed && !this.mortal.has(server)) says("knows its task")
    const { generation, tools } = this.servers[server]!
    // given up before the reply with its name: in 2026-07-28 the end of that connection is all that can be said
    const isNameless = generation === "2026-07-28" && tools[call.tool]?.isTask === true && !call.isNamed
    if (call.open.size > 0 && !call.wasTold && this.isCalm && !isNameless) {
      this.givenUp.push({ id, call, by: at + travel })
    }
  }

  /** Who was to hear of a call that is given up has heard of it by now. */
  private remind(now: number): void {
    for (let first = this.givenUp[0]; first !== undefined && first.by < now; first = this.givenUp[0]) {
      this.givenUp.shift()
      const { call: { open, server, settled, wasTold }, id } = first
      if (open.size > 0 && !wasTold && settled !== "refused") {
        this.reports.push(`${id} is reported as ${settled}, and ${server}, which works for it, was not told`)
      }
    }
  }
}

/** Of one history, read once for all of them. */
const booksOf = (servers: Servers) => {
  const known = new WeakMap<History, Books>()
  return (history: History): Books => {
    const books = known.get(history) ?? new Books(history, servers)
    known.set(history, books)
    return books
  }
}

/** Checked where a scenario has foreign servers. */
export const foreigners = (servers: Servers): ReadonlyArray<Invariant> => {
  const booksIn = booksOf(servers)
  const invariant = (name: string, check: (books: Books) => readonly [number, ReadonlyArray<string>]): Invariant => ({
    name,
    check: (history) => finding(...check(booksIn(history)))
  })
  return [
    invariant("I6 a foreign call is not made twice unseen", ({ counts, twice }) => [counts.begun, twice]),
    invariant("I5 what is reported of a foreign call is so", ({ counts, reports }) => [counts.settled, reports]),
    invariant("I4 a foreign server gets the answer that was given", ({ answers, counts }) => [counts.heard, answers]),
    invariant("I2 the result of a foreign call is the server's", ({ counts, results }) => [counts.completed, results])
  ]
}
