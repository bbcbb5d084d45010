/**
 * What happened in one world, in order: what became durable, what clients were told, what the outside saw.
 */
import type { CancelReport } from "@coppice/task/CancelReport"
import type { TaskId } from "@coppice/task/Task"
import type { Envelope, InputResponse, TaskEvent } from "@coppice/task/TaskEvent"
import type { Steer } from "@coppice/task/Tasks"
import type { Json } from "effect/Schema"
import { createHash } from "node:crypto"
import type { Fault } from "./faults.ts"

interface At {
  /** Milliseconds since the beginning. */
  readonly at: number
}

/** A fact that is durable. */
export interface Fact extends At {
  readonly _tag: "Fact"
  readonly node: string
  readonly life: number
  readonly envelope: Envelope
}

/** What a client sent. */
interface Asked extends At {
  readonly _tag: "Asked"
  readonly client: string
  readonly node: string
  readonly wish: Wish
}

export type Wish =
  | {
    readonly verb: "submit"
    readonly agent: string
    readonly input: unknown
    readonly key: string
    readonly principal: string
  }
  | { readonly verb: "get" | "result" | "cancelReport"; readonly task: TaskId }
  | { readonly verb: "cancel"; readonly task: TaskId }
  | { readonly verb: "steer"; readonly task: TaskId; readonly steering: Omit<Steer, "id" | "by"> }
  | { readonly verb: "retry"; readonly task: TaskId; readonly fresh: boolean }
  | { readonly verb: "fork"; readonly task: TaskId; readonly place: string }
  | { readonly verb: "respond"; readonly task: TaskId; readonly key: string; readonly response: InputResponse }

/** What a client was told. `durable`: the last fact that was durable when the reply left the node. */
export interface Told extends At {
  readonly _tag: "Told"
  readonly client: string
  readonly node: string
  readonly wish: Wish
  readonly durable: number
  readonly reply: Reply
}

export type Reply =
  | { readonly _tag: "Task"; readonly task: TaskId; readonly status: string }
  | { readonly _tag: "Ending"; readonly task: TaskId; readonly event: TaskEvent }
  | { readonly _tag: "Report"; readonly task: TaskId; readonly report: CancelReport }
  | { readonly _tag: "Refused"; readonly error: string; readonly detail: string }
  /** No reply: it may have happened or not. */
  | { readonly _tag: "Unknown"; readonly why: string }

/** Something an outside service did, or was asked to do. */
export interface Acted extends At {
  readonly _tag: "Acted"
  readonly service: string
  readonly request: unknown
  /** The idempotency key of the step whose body asked; `null` outside of steps. */
  readonly key: string | null
  readonly node: string
  readonly life: number
  readonly task: string | null
  readonly attempt: number
  /** Which run of a step's body asked; each run of a body has its own number. */
  readonly body: number
  /**
   * `begins`: the call left the node. `happens`: the outside has changed. `repeats`: it knew the key and changed nothing.
   * `confirms`, `denies`: it was asked whether anything had happened under the key.
   */
  readonly phase: "begins" | "happens" | "repeats" | "fails" | "confirms" | "denies"
}

/** What a foreign MCP server did with a call, or was asked to do with it. */
export interface Served extends At {
  readonly _tag: "Served"
  readonly server: string
  readonly life: number
  readonly tool: string
  /** Which time a tool of the server runs. */
  readonly run: number
  /** Whose call it is. */
  readonly node: string
  readonly task: string | null
  /**
   * `happens`: the world has changed. `is told`: somebody wants it to stop. `stops`: it does. `dies`: the process did, and
   * nothing is left of the run.
   */
  readonly phase: "begins" | "asks" | "hears" | "happens" | "fails" | "is told" | "stops" | "dies"
  /** What it asks, hears, or returns. */
  readonly value: Json
}

/** A fault that took effect. */
interface Struck extends At {
  readonly _tag: "Struck"
  readonly fault: Fault
}

/** A node's process came or went. */
export interface Lived extends At {
  readonly _tag: "Lived"
  readonly node: string
  readonly life: number
  readonly what: "starts" | "serves" | "crashes" | "stops" | "fails"
  readonly why: string
}

/** A message on a wire between nodes. */
interface Sent extends At {
  readonly _tag: "Sent"
  readonly from: string
  readonly to: string
  readonly text: string
}

/** What somebody tried at a node with the name of a task, and, right after that, with a name no task has. */
interface Pried extends At {
  readonly _tag: "Pried"
  readonly node: string
  readonly revision: "2025-11-25" | "2026-07-28"
  readonly method: string
  readonly principal: string
  readonly task: TaskId
  /** What came back, with the name left out of it; `null`: nothing did. */
  readonly reply: string | null
  readonly nobodys: string | null
}

export type Entry = Fact | Asked | Told | Acted | Served | Struck | Lived | Sent | Pried

type EntryOf<Tag extends Entry["_tag"]> = Extract<Entry, { readonly _tag: Tag }>

export class History {
  readonly entries: Array<Entry> = []
  /** Hears of every durable fact. */
  onFact: (fact: Fact) => void = () => {}

  add(entry: Entry): void {
    this.entries.push(entry)
    if (entry._tag === "Fact") this.onFact(entry)
  }

  of<Tag extends Entry["_tag"]>(tag: Tag): ReadonlyArray<EntryOf<Tag>> {
    return this.entries.filter((entry): entry is EntryOf<Tag> => entry._tag === tag)
  }

  /** The durable facts of a node, or of all nodes, in order. */
  facts(node?: string): ReadonlyArray<Fact> {
    return this.of("Fact").filter((fact) => node === undefined || fact.node === node)
  }

  /** What the outside service did, in order; calls that only repeated or failed are left out. */
  effects(service?: string): ReadonlyArray<Acted> {
    return this.of("Acted").filter((acted) =>
      acted.phase === "happens" && (service === undefined || acted.service === service)
    )
  }

  /** A digest of everything: two runs of one seed have the same. */
  get digest(): string {
    const sum = createHash("sha256")
    for (const entry of this.entries) sum.update(JSON.stringify(entry)).update("\n")
    return sum.digest("hex").slice(0, 16)
  }
}
