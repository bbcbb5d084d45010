import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import { AgentSupervisor } from "../src/AgentSupervisor.ts"
import * as Supervision from "../src/Supervision.ts"
import { TaskContext } from "../src/TaskContext.ts"
import { inWorld, pause, result, run, submit } from "./support/World.ts"

/** An agent that dies as often as its input says, and any death ends its server. */
const agent = (name: string) => {
  const made = Agent.make(name, { description: name, input: Schema.Int, output: Schema.Int })
  return made.toLayer(
    Effect.fnUntraced(function*(times) {
      const { attempt } = yield* TaskContext
      if (times < 0) yield* Effect.sleep("1 minute")
      return attempt <= times ? yield* Effect.die("boom") : attempt
    }),
    { intensity: 0 }
  )
}

const told = Effect.map(AgentSupervisor, ({ groups, tree }) => [
  ...groups().map(({ group, id, restarts, state }) => `${group ?? ""}/${id} ${state} ${restarts}`),
  ...tree().map(({ group, id, restarts, state }) => `${group ?? ""}/${id} ${state} ${restarts}`)
])

describe("a group", () => {
  const agents = [
    agent("a"),
    Supervision.group("g", { strategy: "one_for_all", intensity: 1, agents: [agent("b"), agent("c")] }),
    agent("d")
  ]

  it.effect("restarts its own agents by its own strategy, and nobody else's", () =>
    inWorld(
      { agents },
      Effect.gen(function*() {
        const waiting = yield* Effect.forEach(["a", "b", "d"], (name) => submit(name, -1))
        yield* pause
        assert.deepStrictEqual(yield* run("c", 1), { _tag: "Completed", result: 2 })
        assert.deepStrictEqual(yield* told, [
          "/g running 0",
          "/a running 0",
          "g/b running 1",
          "g/c running 1",
          "/d running 0"
        ])
        for (const id of waiting) assert.strictEqual((yield* result(id)).ending._tag, "Completed")
      })
    ))

  it.effect("that gives up is one child that died: its parent restarts it as a whole", () =>
    inWorld(
      { agents },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("c", 2), { _tag: "Completed", result: 3 })
        assert.deepStrictEqual(yield* told, [
          "/g running 1",
          "/a running 0",
          "g/b running 0",
          "g/c running 0",
          "/d running 0"
        ])
        const [group] = (yield* AgentSupervisor).groups()
        assert.match(group!.reason!, /"c" was restarted more than 1 times in 30s/)
      })
    ))

  it.effect("takes the service down when its parent has had enough", () =>
    inWorld(
      { agents, supervision: { strategy: "one_for_one", intensity: 0, period: "1 minute" } },
      Effect.gen(function*() {
        yield* submit("c", 2)
        const error = yield* Effect.flip((yield* AgentSupervisor).escalation)
        assert.strictEqual(error.child, "g")
      })
    ))

  it.effect("may stand in another, and be left stopped", () =>
    inWorld(
      {
        agents: [Supervision.group("outer", {
          intensity: 0,
          agents: [agent("a"), Supervision.group("inner", { intensity: 0, restart: "temporary", agents: [agent("b")] })]
        })]
      },
      Effect.gen(function*() {
        yield* submit("b", 1)
        yield* Effect.sleep("1 minute")
        assert.deepStrictEqual(yield* told, [
          "/outer running 0",
          "outer/inner stopped 0",
          "outer/a running 0",
          "inner/b stopped 0"
        ])
      })
    ))

  it.effect("has a name of its own", () =>
    Effect.gen(function*() {
      const twice = { agents: [agent("a"), Supervision.group("a", { agents: [agent("b")] })] }
      const exit = yield* Effect.exit(inWorld(twice, Effect.void))
      assert.include(String(exit), `"a" names two of the agents and groups`)
    }))
})
