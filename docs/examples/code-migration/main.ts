/** Runs the whole migration inside one process, with a person who says yes, and checks its result. */
import { Orchestrator } from "coppice"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import config from "./coppice.config.ts"

const output = mkdtempSync(join(tmpdir(), "coppice-migrated-"))

const program = Effect.gen(function*() {
  yield* Effect.forkChild(Orchestrator.answerAll(() => ({ approve: true })))
  const { ending } = yield* Orchestrator.run("migrate", { output, checks: 1_000 })
  assert(ending._tag === "Completed", JSON.stringify(ending))
  return ending.result as {
    readonly migrated: number
    readonly compared: number
    readonly equal: number
    readonly failures: []
  }
})

const result = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(config)))
rmSync(output, { recursive: true, force: true })
assert.equal(result.compared, 1_000)
assert.equal(result.equal, 1_000)
assert.deepEqual(result.failures, [])
console.log(`${result.migrated} files migrated, ${result.compared} results equal`)
