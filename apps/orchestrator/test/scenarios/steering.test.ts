/**
 * Steered across services: what a task is told reaches whoever does its work, over several hops, once, also when a
 * service was gone meanwhile; and who cannot be told is named.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Steering from "@coppice/agent/Steering"
import * as Workflow from "@coppice/agent/Workflow"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { generations } from "../support/Generations.ts"
import { named, place, portOf, running, serve, type Services, soon, wayTo } from "../support/Services.ts"

const nothing = Schema.Struct({})
const agent = (name: string) =>
  Agent.make(name, { description: "", input: nothing, output: Schema.Void, task: "always" })
const [Leaf, Far, Middle] = [agent("leaf"), agent("far"), agent("middle")]
const Near = Workflow.make("near", { description: "", input: nothing, output: Schema.Void })
const remote = { far: Agent.remote("far", {}), middle: Agent.remote("middle", {}) }
const mcp = { trusted: ["local"] }

/** A service whose agent has a child; both write down what they hear. */
const hearing = (heard: Array<string>, trusts = mcp) => {
  const listen = (name: string) =>
    Effect.forever(Effect.map(Steering.next, ({ by, message }) => heard.push(`${name} ${by}: ${message}`)))
  return Runtime.make({
    agents: [
      Far.toLayer(() => Effect.andThen(Effect.forkChild(Effect.orDie(Leaf.call({}))), listen("far"))),
      Leaf.toLayer(() => listen("leaf"))
    ],
    mcp: trusts
  })
}

const near = (far: Services, isCoppice = true) =>
  Runtime.make({
    agents: [Near.toLayer(() => Effect.asVoid(Effect.orDie(remote.far.call({}))))],
    servers: { there: { ...wayTo(far, isCoppice), agents: [remote.far] } },
    mcp
  })

const facts = (services: Services, task: TaskId) =>
  Effect.map(
    Context.get(services, Tasks).events({ task, since: 0, limit: 100 }),
    (facts) => facts.map(({ event }) => event)
  )

/** What the other service has said to what it was told, as the task keeps it. */
const answers = (services: Services, task: TaskId) =>
  Effect.map(
    facts(services, task),
    (events) =>
      events.flatMap((event) =>
        event._tag === "StepRecorded" && event.key.startsWith("remote:steer:") && event.exit._tag === "Success"
          ? [event.exit.value as { readonly how: string; readonly why?: string; readonly told?: ReadonlyArray<object> }]
          : []
      )
  )

const started = (services: Services) =>
  Effect.gen(function*() {
    const tasks = Context.get(services, Tasks)
    const { id } = yield* tasks.submit({ agent: "near", input: {} })
    return { id, tasks }
  })

describe.each(generations)("steering a tree of several services (%s)", (generation) => {
  it.live(
    "reaches every task of it, and changes its limits there",
    () =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const far = yield* serve(hearing(heard), yield* place, generation)
        const middle = yield* serve(
          Runtime.make({
            agents: [Middle.toLayer(() => Effect.asVoid(Effect.orDie(remote.far.call({}))))],
            servers: { further: { ...wayTo(far.services), agents: [remote.far] } },
            mcp
          }),
          yield* place,
          generation
        )
        const here = yield* serve(
          Runtime.make({
            agents: [Near.toLayer(() => Effect.asVoid(Effect.orDie(remote.middle.call({}))))],
            servers: { there: { ...wayTo(middle.services), agents: [remote.middle] } }
          }),
          yield* place,
          generation
        )
        const { id, tasks } = yield* started(here.services)
        yield* running(far.services, 2)
        const deadline = (yield* Clock.currentTimeMillis) + 600_000
        const steer = { id, by: "ada", message: "enough", priority: 3, deadline, subtree: true }
        const { told } = yield* tasks.steer(steer)
        const stand = (yield* tasks.tree(id))[1]!
        assert.deepStrictEqual(told, [
          { task: id, agent: "near", how: "applied" },
          { task: stand.id, agent: "middle", how: "sent", server: "there" }
        ])
        yield* soon(Effect.sync(() => heard), ({ length }) => length === 2)
        assert.deepStrictEqual(heard.toSorted(), ["far ada: enough", "leaf ada: enough"])
        for (const name of ["far", "leaf"]) {
          const { spec, ...task } = yield* named(far.services, name)
          assert.deepStrictEqual([task.deadline, spec.priority], [deadline, 3], name)
        }
        const [answer] = yield* soon(answers(here.services, stand.id), ({ length }) => length > 0)
        assert.strictEqual(answer!.how, "applied")
        assert.deepStrictEqual(answer!.told!.map((one) => Object.entries(one).filter(([name]) => name !== "task")), [
          [["agent", "middle"], ["how", "applied"]],
          [["agent", "far"], ["how", "sent"], ["server", "there/further"]]
        ])
      }),
    30_000
  )

  it.live(
    "tells a service that was gone once it is back, and once only, whoever was restarted",
    () =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const [there, home] = [yield* place, yield* place]
        const far = yield* serve(hearing(heard), there, generation)
        const calling = near(far.services)
        const here = yield* serve(calling, home, generation)
        const { id, tasks } = yield* started(here.services)
        yield* running(far.services, 2)
        const port = portOf(far.services)
        yield* far.stop
        const { told } = yield* tasks.steer({ id, by: "ada", message: "one", subtree: true })
        assert.deepStrictEqual(told.map(({ how }) => how), ["applied", "sent"])
        yield* tasks.steer({ id, by: "ada", message: "two", subtree: true })
        yield* here.stop
        const again = yield* serve(calling, home, generation)
        const back = yield* serve(hearing(heard), { ...there, port }, generation)
        yield* soon(Effect.sync(() => heard), ({ length }) => length >= 4)
        const stand = yield* named(again.services, "far")
        yield* soon(answers(again.services, stand.id), ({ length }) => length === 2)
        // told, and another life does not tell it again
        yield* again.stop
        const last = yield* serve(calling, home, generation)
        yield* Context.get(last.services, Tasks).steer({ id, by: "ada", message: "three", subtree: true })
        yield* soon(Effect.sync(() => heard), ({ length }) => length >= 6)
        assert.deepStrictEqual(
          heard.filter((line) => line.startsWith("far")),
          ["far ada: one", "far ada: two", "far ada: three"]
        )
        const root = (yield* named(back.services, "far")).id
        const steered = (yield* facts(back.services, root)).filter(({ _tag }) => _tag === "Steered")
        assert.lengthOf(steered, 3)
      }),
    40_000
  )

  it.live(
    "says who cannot be told: a stranger at once, and a service that does not trust this one when it has answered",
    () =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const far = yield* serve(hearing(heard, { trusted: [] }), yield* place, generation)
        const stranger = yield* serve(near(far.services, false), yield* place, generation)
        const first = yield* started(stranger.services)
        yield* running(far.services, 2)
        const steer = {
          by: "ada",
          message: "enough",
          deadline: (yield* Clock.currentTimeMillis) + 600_000,
          subtree: true
        }
        const { told } = yield* first.tasks.steer({ id: first.id, ...steer })
        const stand = (yield* first.tasks.tree(first.id))[1]!
        assert.deepInclude(told[1], { task: stand.id, how: "cannot", server: "there" })
        assert.match(told[1]!.why!, /not known to be a Coppice/)
        // its limits hold here
        assert.strictEqual((yield* first.tasks.get(stand.id)).deadline, steer.deadline)
        const recorded = (yield* facts(stranger.services, stand.id)).find(({ _tag }) => _tag === "Steered")
        assert.deepInclude(recorded, { message: "enough", undeliverable: told[1]!.why })
        const { told: limits } = yield* first.tasks.steer({ id: stand.id, by: "ada", deadline: steer.deadline - 1 })
        assert.deepStrictEqual(limits.map(({ how }) => how), ["applied"])

        const doubtful = yield* serve(near(far.services), yield* place, generation)
        const second = yield* started(doubtful.services)
        yield* running(far.services, 4)
        yield* second.tasks.steer({ id: second.id, ...steer })
        const other = (yield* second.tasks.tree(second.id))[1]!
        const [answer] = yield* soon(answers(doubtful.services, other.id), ({ length }) => length > 0)
        assert.strictEqual(answer!.how, "cannot")
        assert.match(answer!.why!, /has to be trusted there/)
        assert.deepStrictEqual(heard, [])
      }),
    30_000
  )
})
