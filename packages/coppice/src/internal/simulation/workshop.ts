/**
 * What a foreign MCP server does: its tools at work, and what it remembers of them.
 *
 * It knows no idempotency keys: a call that arrives twice is done twice.
 */
import type { Json, JsonObject } from "effect/Schema"
import type { Dice } from "./dice.ts"
import { dice } from "./dice.ts"
import type { History, Served } from "./history.ts"
import type { Process, World } from "./world.ts"

/** What one call of a tool comes to. */
export interface Work {
  /** Milliseconds. */
  readonly takes: number
  /** Asks for consent first, with these words. */
  readonly asks?: string | undefined
  /** The tool says that it failed (`isError`); nothing has happened then. */
  readonly fails?: boolean | undefined
  /** It goes on when it is told to stop. */
  readonly stubborn?: boolean | undefined
}

/** A tool of a foreign server. It returns `{ run }`, which run of all tools of that server it was. */
export interface ForeignTool {
  /** Its calls become tasks: where the client wants it (2025-11-25), always (2026-07-28). [false] */
  readonly isTask?: boolean | undefined
  /** Calling it twice does no harm: nobody minds if it is. [false] */
  readonly idempotent?: boolean | undefined
  readonly does: (input: JsonObject, chance: Dice) => Work
}

/** An MCP server of somebody else's, at `http://<name>/mcp`. */
export interface ForeignServer {
  readonly generation: "2025-11-25" | "2026-07-28"
  readonly tools: Readonly<Record<string, ForeignTool>>
  /** It can cancel tasks. [true] */
  readonly cancels?: boolean | undefined
  /** How often it has lost its memory when it comes back after a crash. [0.5] */
  readonly forgets?: number | undefined
}

export type RunStatus = "working" | "input_required" | "completed" | "failed" | "cancelled"

/** One time a tool runs. */
export interface Run {
  readonly id: number
  /** Of its task, where it is one. */
  readonly name: string | undefined
  readonly tool: string
  readonly work: Work
  /** Whose call it is. */
  readonly node: string
  readonly task: string | null
  status: RunStatus
  /** It is to stop as soon as it can. */
  isStopping: boolean
  result: JsonObject | undefined
  /** Called once, when it is over. */
  readonly watchers: Set<() => void>
}

export interface Order {
  readonly tool: string
  readonly input: JsonObject
  readonly node: string
  readonly task: string | null
  readonly isTask: boolean
  /** Milliseconds more than the tool takes. */
  readonly slow: number
  /** What was answered to its question before it began. */
  readonly answer?: Json | undefined
}

export const isOver = ({ status }: Run): boolean => status !== "working" && status !== "input_required"

const isConsent = (answer: Json): boolean =>
  typeof answer === "object" && answer !== null && "action" in answer && answer["action"] === "accept"

export class Workshop {
  readonly name: string
  readonly server: ForeignServer
  readonly chance: Dice
  /** Of the present life. */
  process: Process
  life = 0
  private readonly world: World
  private readonly history: History
  private runs: Array<Run> = []
  private count = 0

  constructor(name: string, server: ForeignServer, { history, world }: { world: World; history: History }) {
    this.name = name
    this.server = server
    this.world = world
    this.history = history
    this.process = world.process(name)
    this.chance = dice(world.seed, `foreign ${name}`)
  }

  workOf(tool: string, input: JsonObject): Work {
    return this.server.tools[tool]!.does(input, this.chance)
  }

  find(name: unknown): Run | undefined {
    return this.runs.find((run) => run.name !== undefined && run.name === name)
  }

  /** Whose question on a stream has this id. */
  asking(id: unknown): Run | undefined {
    return this.runs.find((run) => id === `ask-${run.id}`)
  }

  /** Whether it works for a task of somebody now. */
  isBusyWith(node: string, task: string): boolean {
    return this.runs.some((run) => run.node === node && run.task === task && run.status === "working")
  }

  begin({ answer, input, isTask, node, slow, task, tool }: Order): Run {
    const id = ++this.count
    const { takes, ...work } = this.workOf(tool, input)
    const run: Run = {
      id,
      name: isTask ? `${this.name}-task-${id}` : undefined,
      tool,
      work: { ...work, takes: takes + slow },
      node,
      task,
      status: "working",
      isStopping: false,
      result: undefined,
      watchers: new Set()
    }
    this.runs.push(run)
    this.note(run, "begins", null)
    if (answer !== undefined) {
      run.status = "input_required"
      this.hear(run, answer)
    } else if (work.asks === undefined) this.work(run)
    else {
      run.status = "input_required"
      this.note(run, "asks", work.asks)
    }
    return run
  }

  /** The first answer counts. */
  hear(run: Run, answer: Json): void {
    this.note(run, "hears", answer)
    if (run.status !== "input_required") return
    run.status = "working"
    if (isConsent(answer)) return this.work(run)
    this.note(run, "fails", null)
    this.end(run, "completed", { content: [{ type: "text", text: "there is no consent" }], isError: true })
  }

  /** It is told to stop a task; whether it does is its own affair. */
  cancel(run: Run): void {
    this.note(run, "is told", null)
    if (run.work.stubborn === true) return
    run.isStopping = true
    // the older revision stops in the same breath
    if (this.server.generation === "2025-11-25") return this.stop(run)
    this.world.after(this.process, 1 + this.chance.next() * 1_500, () => this.stop(run))
  }

  /** Whoever made a plain call does not want it any more. */
  giveUp(run: Run): void {
    if (isOver(run)) return
    this.note(run, "is told", null)
    if (run.work.stubborn !== true) this.stop(run)
  }

  stop(run: Run): void {
    if (isOver(run)) return
    this.note(run, "stops", null)
    this.end(run, "cancelled", undefined)
  }

  whenChanged(run: Run, watcher: () => void): void {
    run.watchers.add(watcher)
  }

  /** Its process died: plain calls are gone, and tasks as well if it kept nothing of them. */
  die(forgets: boolean): void {
    for (const run of this.runs) {
      run.watchers.clear()
      if (isOver(run) || (run.name !== undefined && !forgets)) continue
      this.note(run, "dies", null)
      run.status = "cancelled"
    }
    if (forgets) this.runs = []
  }

  /** A new life goes on with what it remembers. */
  live(process: Process): void {
    this.process = process
    this.life++
    for (const run of this.runs) {
      if (isOver(run)) continue
      if (run.isStopping) this.world.after(process, 1, () => this.stop(run))
      else if (run.status === "working") this.work(run)
    }
  }

  private work(run: Run): void {
    this.world.after(this.process, run.work.takes, () => {
      if (run.status !== "working") return
      if (run.work.fails === true) {
        this.note(run, "fails", null)
        return this.end(run, "completed", { content: [{ type: "text", text: `${run.tool} failed` }], isError: true })
      }
      const value = { run: run.id }
      this.note(run, "happens", value)
      this.end(run, "completed", { content: [], structuredContent: value })
    })
  }

  private end(run: Run, status: RunStatus, result: JsonObject | undefined): void {
    run.status = status
    run.result = result
    for (const watcher of [...run.watchers]) watcher()
    run.watchers.clear()
  }

  private note({ id, node, task, tool }: Run, phase: Served["phase"], value: Json): void {
    const { life, name, world } = this
    this.history.add({ _tag: "Served", at: world.elapsed, server: name, life, run: id, tool, node, task, phase, value })
  }
}
