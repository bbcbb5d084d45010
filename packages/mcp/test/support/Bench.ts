/**
 * A whole server over a store in memory, its agents in the test's hand, and peers of both revisions on either wire.
 */
import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import { Pruner } from "@coppice/task/Pruner"
import * as TaskEngine from "@coppice/task/TaskEngine"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import * as FaultyTaskStore from "@coppice/task/testing/FaultyTaskStore"
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PassThrough } from "node:stream"
import * as McpHttp from "../../src/McpHttp.ts"
import * as McpServer from "../../src/McpServer.ts"
import * as McpStdio from "../../src/McpStdio.ts"
import type { Offer } from "../../src/Offer.ts"
import * as Seal from "../../src/Seal.ts"
import { everything, idOf } from "../suites/Case.ts"
import * as HttpDoor from "./HttpDoor.ts"
import * as Link from "./Link.ts"
import { type Dial, Peer25, Peer26, type RawPeer } from "./RawPeer.ts"
import { type Hand, register, type Script } from "./ScriptedWorker.ts"

/** The wires a table runs over. */
export const wires = ["HTTP", "stdio"] as const
export type Wire = typeof wires[number]

const withTasks = { ...everything, extensions: { "io.modelcontextprotocol/tasks": {} } }

interface Options {
  /** Whose peer it is; `null` where nobody can tell. */
  readonly as?: string | null
  readonly capabilities?: object
  /** Whether a session opens its standing stream. */
  readonly stands?: boolean
}

export interface Bench {
  readonly wire: Wire
  readonly hand: Hand
  readonly faults: FaultyTaskStore.FaultyTaskStore["Service"]
  /** A session of 2025-11-25, initialized. */
  readonly session: (options?: Options) => Promise<Peer25>
  /** A peer of 2026-07-28 that declares the tasks extension unless told otherwise. */
  readonly modern: (options?: Options) => Promise<Peer26>
  /** Lets a task do something, and waits until that is durable. */
  readonly act: (task: { readonly taskId: string }, ...script: Script) => Promise<boolean>
  /** Moves the clock. */
  readonly advance: (millis: number) => Promise<void>
  /** Moves the clock until the promise settles. */
  readonly hasten: <A>(promise: Promise<A>) => Promise<A>
  /** Forgets what has expired; how many runs went. */
  readonly prune: () => Promise<number>
  readonly tasks: Tasks["Service"]
  readonly run: <A>(effect: Effect.Effect<A, unknown>) => Promise<A>
}

const offer: Offer = {
  name: "bench",
  fallbackTools: false,
  prompts: [{
    name: "hello",
    get: () => Effect.succeed({ messages: [{ role: "user", content: { type: "text", text: "Hello" } }] })
  }]
}

const engine = TaskEngine.layer.pipe(
  Layer.provideMerge(Layer.provide(FaultyTaskStore.layer, MemoryTaskStore.layerMemory))
)

/** Everything but the agents; built anew for each case. */
export const layerOf = (options: Omit<McpServer.Options, "version">) =>
  Layer.suspend(() =>
    McpHttp.layer.pipe(
      Layer.provideMerge(McpServer.layer({ version: "1.0.0", ...options })),
      Layer.provideMerge(Seal.layer),
      Layer.provideMerge(engine)
    )
  )

/** The same, offering agents and a prompt. */
export const layer = layerOf({ offer })

const pipes = (server: McpServer.McpServer["Service"], as: string | null): Dial => (listener) => {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()]
  const caller = { principal: as ?? "anyone", isIdentified: as !== null, by: as ?? "anyone" }
  McpStdio.serve(server, caller, new StdioServerTransport(toServer, toClient))
  return Link.stdio(toClient, toServer, listener)
}

/** Peers are closed with the scope. */
export const make = Effect.fnUntraced(function*(wire: Wire) {
  const hand = yield* register
  const server = yield* McpServer.McpServer
  const url = yield* HttpDoor.open
  const tasks = yield* Tasks
  const { barrier } = yield* TaskLog
  const { prune } = yield* Pruner
  const run = Effect.runPromiseWith(yield* Effect.context())
  const peers: Array<RawPeer> = []
  yield* Effect.addFinalizer(() => Effect.sync(() => peers.forEach((peer) => peer.close())))

  const dial = ({ as = "alice" }: Options): Dial =>
    wire === "stdio"
      ? pipes(server, as)
      : (listener) => Link.http(url, as === null ? undefined : `Bearer ${as}`, listener)
  const session = async (options: Options = {}): Promise<Peer25> => {
    const peer = new Peer25(dial(options))
    peers.push(peer)
    await peer.initialize(options.capabilities ?? everything)
    if (options.stands !== false) await peer.stand()
    return peer
  }
  const modern = async (options: Options = {}): Promise<Peer26> => {
    const peer = new Peer26(dial(options), options.capabilities ?? withTasks)
    peers.push(peer)
    return peer
  }
  const act: Bench["act"] = async (task, ...script) => {
    const isTaken = hand.act(idOf(task), ...script)
    await run(barrier)
    return isTaken
  }
  const advance = (millis: number) => run(TestClock.adjust(millis))
  const turn = () => new Promise<"turn">((resolve) => setImmediate(() => resolve("turn")))
  const hasten = async <A>(promise: Promise<A>): Promise<A> => {
    while (await Promise.race([promise, turn()]) === "turn") await advance(50)
    return promise
  }
  const faults = yield* FaultyTaskStore.FaultyTaskStore
  const bench: Bench = {
    wire,
    hand,
    faults,
    session,
    modern,
    act,
    advance,
    hasten,
    prune: () => run(prune),
    tasks,
    run
  }
  return bench
})
