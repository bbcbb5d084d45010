/**
 * A call of another Coppice that is cancelled after it was sent and before its task had a name here, over a connection that
 * has lost its way back: the task is found again by the call's key, and stopped.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Workflow from "@coppice/agent/Workflow"
import type { CancelReport } from "@coppice/task/CancelReport"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
import { merge } from "../../src/Settings.ts"
import * as FaultyWire from "../support/FaultyWire.ts"
import { type Generation, generations, speaking } from "../support/Generations.ts"
import { folder } from "../support/Service.ts"

type Services = Context.Context<Orchestrator.Services>

const nothing = Schema.Struct({})
const Far = Agent.make("far", { description: "Stays", input: nothing, output: Schema.Void, task: "always" })
const Quick = Agent.make("quick", { description: "Works a moment", input: nothing, output: Schema.Void })
const Near = Workflow.make("near", { description: "Calls far away", input: nothing, output: Schema.Void })
const Soon = Workflow.make("soon", {
  description: "Calls far away, and is answered soon",
  input: nothing,
  output: Schema.Void
})
const RemoteFar = Agent.remote("far", {})
const RemoteQuick = Agent.remote("quick", {})

interface Process {
  readonly services: Services
  readonly stop: Effect.Effect<void>
}

const serve = (orchestrator: Runtime.Orchestrator, data: string, allowedHosts: ReadonlyArray<string> = []) =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const settings = merge({ port: 0, data, store: `sqlite:${data}/coppice.db`, allowedHosts })
    const layer = Orchestrator.layer({ orchestrator }, settings).pipe(Layer.provide(Logging.layer("none")), Layer.fresh)
    const services: Services = yield* Layer.buildWithScope(layer, scope)
    return { services, stop: Scope.close(scope, Exit.void) } satisfies Process
  })

const near = (far: Services, { port }: FaultyWire.FaultyWire) =>
  Runtime.make({
    agents: [
      Near.toLayer(() => Effect.orDie(RemoteFar.call({}))),
      Soon.toLayer(() => Effect.orDie(RemoteQuick.call({})))
    ],
    servers: {
      there: {
        url: `http://127.0.0.1:${port}/mcp`,
        headers: { authorization: `Bearer ${Redacted.value(Context.get(far, Token))}` },
        agents: [RemoteFar, RemoteQuick],
        isCoppice: true,
        timeout: 300
      }
    }
  })

const until = <A>(look: Effect.Effect<A, unknown>, is: (found: A) => boolean) =>
  look.pipe(
    Effect.filterOrFail(is, () => "not yet"),
    Effect.retry(Schedule.spaced("10 millis")),
    Effect.orDie
  )

const all = (services: Services) => Context.get(services, Tasks).list({ limit: 10 })

const reportOf = (services: Services, id: TaskId) => Context.get(services, Tasks).cancelReport(id)

const isOver = ({ converged }: CancelReport) => converged

interface Scene {
  readonly wire: FaultyWire.FaultyWire
  readonly there: Process
  /** Ends the work of `quick`. */
  readonly done: Deferred.Deferred<void>
  /** Begins, or begins again, in the same place. */
  readonly here: Effect.Effect<Process, unknown, Scope.Scope>
}

/** Two services, and a call whose reply is lost on the way. */
const lost = (scene: Scene, here: Process) =>
  Effect.gen(function*() {
    // they have agreed on the revision, and know each other's tools
    yield* scene.wire.set("mute")
    const { id } = yield* Context.get(here.services, Tasks).submit({ agent: "near", input: {} })
    yield* until(all(scene.there.services), (tasks) => tasks.some(({ attempt }) => attempt > 0))
    return id
  })

const story = (
  generation: Generation,
  name: string,
  tell: (scene: Scene) => Effect.Effect<void, unknown, Scope.Scope>
) =>
  it.live(
    name,
    () =>
      Effect.gen(function*() {
        const wire = yield* FaultyWire.make
        const done = Deferred.makeUnsafe<void>()
        const far = Runtime.make({
          agents: [Far.toLayer(() => Effect.never), Quick.toLayer(() => Deferred.await(done))],
          mcp: { trusted: ["local"] }
        })
        const there = yield* serve(far, yield* folder, [`127.0.0.1:${wire.port}`])
        wire.aim(Number(new URL(Context.get(there.services, Listener).url).port))
        const data = yield* folder
        const here = Effect.suspend(() => serve(near(there.services, wire), data))
        yield* tell({ wire, there, here, done })
      }).pipe(Effect.provide(speaking(generation))),
    30_000
  )

describe.each(generations)("a call of %s that is given up while its reply is lost", (generation) => {
  story(generation, "is found again and stopped", (scene) =>
    Effect.gen(function*() {
      const here = yield* scene.here
      const id = yield* lost(scene, here)
      yield* Context.get(here.services, Tasks).cancel({ id, by: "ann" })
      yield* scene.wire.set("none")
      const { nodes } = yield* until(reportOf(here.services, id), isOver)
      assert.deepStrictEqual(nodes.map(({ settlement }) => settlement), ["stopped", "stopped", "stopped"])
      const theirs = yield* all(scene.there.services)
      assert.deepStrictEqual(theirs.map(({ status, settlement }) => [status, settlement]), [["cancelled", "stopped"]])
    }))

  story(
    generation,
    "is found again after a restart, once its server can be reached",
    (scene) =>
      Effect.gen(function*() {
        const first = yield* scene.here
        const id = yield* lost(scene, first)
        yield* scene.wire.set("reset")
        yield* Context.get(first.services, Tasks).cancel({ id, by: "ann" })
        yield* until(reportOf(first.services, id), ({ totals }) => totals.unreachable === 1)
        yield* first.stop
        assert.strictEqual((yield* all(scene.there.services))[0]!.status, "working")
        const second = yield* scene.here
        yield* scene.wire.set("none")
        const { nodes } = yield* until(reportOf(second.services, id), isOver)
        assert.deepStrictEqual(nodes.map(({ settlement }) => settlement), ["stopped", "stopped", "stopped"])
        const theirs = yield* all(scene.there.services)
        assert.deepStrictEqual(theirs.map(({ status }) => status), ["cancelled"])
      })
  )

  story(
    generation,
    "is made again by its key when its connection breaks, and was done once",
    (scene) =>
      Effect.gen(function*() {
        const here = yield* scene.here
        const tasks = Context.get(here.services, Tasks)
        const { id } = yield* tasks.submit({ agent: "soon", input: {} })
        yield* until(all(scene.there.services), (tasks) => tasks.some(({ attempt }) => attempt > 0))
        yield* scene.wire.set("reset")
        yield* scene.wire.set("none")
        const ended = yield* Effect.forkChild(tasks.result(id))
        const known = tasks.watch({ since: 0 }).pipe(
          Stream.filter(({ event }) => event._tag === "StepRecorded" && event.key === "remote:task"),
          Stream.runHead
        )
        yield* Effect.raceFirst(known, Fiber.await(ended))
        yield* Deferred.succeed(scene.done, undefined)
        const { ending } = yield* Fiber.join(ended)
        assert.strictEqual(ending._tag, "Completed", JSON.stringify(ending))
        assert.lengthOf(yield* all(scene.there.services), 1)
      })
  )
})
