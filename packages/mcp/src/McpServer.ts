/**
 * The agents of a service as MCP tools, for both task generations from one set.
 *
 * ```text
 *   POST /mcp ─┬─ carries the 2026-07-28 envelope ──► one stateless request
 *              └─ anything else ────────────────────► a session of 2025-11-25
 *   a pipe ────┴─ decided by its first message
 * ```
 *
 * The official SDK carries the base protocol; tasks are layered through its seams (`internal/v2025_11_25`,
 * `internal/v2026_07_28`), and both end in the verbs of `Tasks`.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import { Workers } from "@coppice/task/Worker"
import type { Implementation } from "@modelcontextprotocol/server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Calls } from "./internal/server/Calls.ts"
import type { Door } from "./internal/server/Door.ts"
import { Facts } from "./internal/server/facts.ts"
import { fallbackTools } from "./internal/server/fallback.ts"
import { operateTools, type Why } from "./internal/server/operate.ts"
import { recordTemplates } from "./internal/server/records.ts"
import { References } from "./internal/server/References.ts"
import { makeRun, type Run } from "./internal/server/Runner.ts"
import { defaultReadingTime, Showings } from "./internal/server/Showings.ts"
import { both, makeTools, none } from "./internal/server/Tools.ts"
import type { Offer } from "./Offer.ts"
import type { Peer } from "./Peer.ts"
import { Seal } from "./Seal.ts"

/** Who is at the other end, before it has said what it can do. */
export type Caller = Omit<Peer, "capabilities" | "isTrusted">

/** How long a call may take before it becomes a task, milliseconds. */
const defaultPatience = 250

export class McpServer extends Context.Service<McpServer, {
  /** What a connection of this caller is served with. */
  readonly door: (caller: Caller) => Door
  /** The service is about to stop: whoever is cut off from now on has not gone away. */
  readonly stop: () => void
  readonly facts: Facts
  readonly log: TaskLog["Service"]
  readonly store: TaskStore["Service"]
  readonly run: Run
}>()("@coppice/mcp/McpServer") {}

/** What the service adds to what its configuration offers. */
export interface Options {
  readonly offer: Offer
  /** The release a host is told. */
  readonly version: string
  /** Says what a task waits for; without it there are no tools to operate the service by. */
  readonly why?: Why | undefined
}

/** The server for what is offered. */
export const layer = (
  { offer, version, why }: Options
): Layer.Layer<McpServer, never, Tasks | TaskLog | TaskStore | Workers | Seal> =>
  Layer.effect(
    McpServer,
    Effect.gen(function*() {
      const log = yield* TaskLog
      const facts = new Facts(log)
      yield* Effect.addFinalizer(() => Effect.sync(facts.close))
      const tasks = yield* Tasks
      const run = makeRun(yield* Effect.context())
      const readingTime = offer.readingTime ?? defaultReadingTime
      const calls = new Calls({
        tasks,
        log,
        workers: yield* Workers,
        seal: yield* Seal,
        facts,
        showings: new Showings({ tasks, log, run, readingTime })
      })
      const info: Implementation = {
        name: offer.name ?? "coppice",
        version: offer.version ?? version,
        ...offer.title === undefined ? {} : { title: offer.title }
      }
      const store = yield* TaskStore
      const patience = offer.patience ?? defaultPatience
      const fallback = offer.fallbackTools === false
        ? none
        : makeTools(fallbackTools(calls, new References(log, store), patience))
      const operate = offer.operateTools === true && why !== undefined ? makeTools(operateTools(calls, why)) : none
      const door = (caller: Caller): Door => ({
        calls,
        offer,
        info,
        run,
        now: () => log.now(),
        patience,
        caller: { ...caller, isTrusted: offer.trusted?.includes(caller.principal) ?? false },
        tools: (hasTasks) => hasTasks ? operate : both(fallback, operate),
        records: recordTemplates(calls, caller.principal)
      })
      return { door, stop: () => calls.stop(), facts, log, store, run }
    })
  )
