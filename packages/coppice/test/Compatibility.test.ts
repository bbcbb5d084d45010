import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, Compatibility, Orchestrator } from "../src/index.ts"

const Leaf = Agent.make("leaf", { description: "", input: Schema.Int, output: Schema.Int })
const Root = Agent.make("root", { description: "", input: Schema.Json, output: Schema.Int })
const orchestrator = Orchestrator.make({ agents: [Leaf.toLayer(Effect.succeed), Root.toLayer(() => Leaf.call(1))] })

it.live("reads the contracts of an orchestrator, and who calls whom out of a store", () =>
  Effect.gen(function*() {
    const contracts = yield* Compatibility.contractsOf(orchestrator)
    assert.deepStrictEqual(contracts.map(({ name }) => name), ["leaf", "root"])
    assert.deepStrictEqual(Result.getOrThrow(Compatibility.parse(Compatibility.format(contracts))), contracts)
    assert.deepStrictEqual(Compatibility.compare(contracts, contracts), [])

    const folder = mkdtempSync(join(tmpdir(), "coppice-compat-test-"))
    const url = `sqlite:${join(folder, "coppice.db")}`
    yield* Effect.gen(function*() {
      yield* Orchestrator.run("root", null)
      const callers = yield* Compatibility.callersIn(url)
      assert.deepStrictEqual([...callers].map(([agent, by]) => [agent, ...by]), [["leaf", "root"]])
    }).pipe(Effect.provide(Orchestrator.layer(orchestrator, url)))
    rmSync(folder, { recursive: true })
  }))
