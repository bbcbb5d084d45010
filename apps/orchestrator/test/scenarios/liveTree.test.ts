/**
 * The live tree of a run over several services: every task of it as it is now, and who does not answer, since when.
 */
import * as Agent from "@coppice/agent/Agent"
import * as Workflow from "@coppice/agent/Workflow"
import * as ApiClient from "@coppice/api/ApiClient"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "coppice/Orchestrator"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Listener } from "../../src/Listener.ts"
import { Token } from "../../src/Security.ts"
import { type Generation, generations } from "../support/Generations.ts"
import { place, portOf, running, serve, type Services, soon, wayTo } from "../support/Services.ts"

const nothing = Schema.Struct({})
const agent = (name: string) =>
  Agent.make(name, { description: "", input: nothing, output: Schema.Void, task: "always" })
const [Leaf, Far, Middle] = [agent("leaf"), agent("far"), agent("middle")]
const Near = Workflow.make("near", { description: "", input: nothing, output: Schema.Void })
const remote = { far: Agent.remote("far", {}), middle: Agent.remote("middle", {}) }

const leafy = (trusted: ReadonlyArray<string> = ["local"]) =>
  Runtime.make({
    agents: [Far.toLayer(() => Effect.orDie(Leaf.call({}))), Leaf.toLayer(() => Effect.never)],
    mcp: { trusted }
  })

const calling = (there: Services) =>
  Runtime.make({
    agents: [Near.toLayer(() => Effect.asVoid(Effect.orDie(remote.middle.call({}))))],
    servers: { there: { ...wayTo(there), agents: [remote.middle] } }
  })

const between = (far: Services) =>
  Runtime.make({
    agents: [Middle.toLayer(() => Effect.asVoid(Effect.orDie(remote.far.call({}))))],
    servers: { further: { ...wayTo(far), agents: [remote.far] } },
    mcp: { trusted: ["local"] }
  })

/** Three services in a row, and the run that reaches the last one. */
const threeHops = Effect.fnUntraced(function*(generation: Generation, trusted?: ReadonlyArray<string>) {
  const there = yield* place
  const far = yield* serve(leafy(trusted), there, generation)
  const middle = yield* serve(between(far.services), yield* place, generation)
  const here = yield* serve(calling(middle.services), yield* place, generation)
  const { id } = yield* Context.get(here.services, Tasks).submit({ agent: "near", input: {} })
  yield* running(far.services, 2)
  const { url } = Context.get(here.services, Listener)
  const token = Redacted.value(Context.get(here.services, Token))
  const client = yield* ApiClient.make({ url, token })
  const look = (query: { readonly elsewhere?: boolean } = {}) => client.tasks.tree({ params: { id }, query })
  return { far, there: { ...there, port: portOf(far.services) }, look }
})

describe.each(generations)("the live tree of several services (%s)", (generation) => {
  it.live(
    "has every task of every service, below the one that stands for it",
    () =>
      Effect.gen(function*() {
        const { look } = yield* threeHops(generation)
        const { elsewhere, tasks } = yield* look()
        const lines = elsewhere!.nodes.map(({ agent, server, status }) => `${agent} ${server} ${status}`)
        assert.deepStrictEqual(lines, [
          "middle there working",
          "far there working",
          "far there/further working",
          "leaf there/further working"
        ])
        const known = new Set<string>([...tasks, ...elsewhere!.nodes].map(({ id }) => id))
        assert.strictEqual(known.size, 6)
        assert.isTrue(elsewhere!.nodes.every(({ parent }) => known.has(parent!)))
        assert.deepStrictEqual(elsewhere!.away, [])
        assert.isUndefined((yield* look({ elsewhere: false })).elsewhere)
      }),
    30_000
  )

  it.live(
    "says which service does not answer, and since when, until it is back",
    () =>
      Effect.gen(function*() {
        const { far, look, there } = yield* threeHops(generation)
        const before = yield* Clock.currentTimeMillis
        yield* far.stop
        const first = yield* soon(look(), ({ elsewhere }) => elsewhere?.away.length === 1)
        const [away] = first.elsewhere!.away
        assert.strictEqual(away!.server, "there/further")
        assert.strictEqual(away!.task, first.elsewhere!.nodes.find(({ agent }) => agent === "far")!.id)
        assert.isAtMost(away!.since, yield* Clock.currentTimeMillis)
        assert.isAbove(away!.since, before - 1)
        // the moment stays, however often it is asked
        assert.strictEqual((yield* look()).elsewhere!.away[0]!.since, away!.since)
        assert.deepStrictEqual(first.elsewhere!.nodes.map(({ agent }) => agent), ["middle", "far"])
        yield* serve(leafy(), there, generation)
        const back = yield* soon(look(), ({ elsewhere }) => elsewhere?.away.length === 0)
        assert.lengthOf(back.elsewhere!.nodes, 4)
      }),
    30_000
  )

  it.live(
    "is told to nobody who is not trusted",
    () =>
      Effect.gen(function*() {
        const { look } = yield* threeHops(generation, [])
        const { away, nodes } = (yield* look()).elsewhere!
        assert.deepStrictEqual(nodes.map(({ agent }) => agent), ["middle", "far"])
        assert.deepStrictEqual(away, [])
      }),
    30_000
  )
})
