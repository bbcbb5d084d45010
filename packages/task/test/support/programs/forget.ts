/**
 * Writes many short runs and a large one to a store at the path it is given, then deletes them all; `COPPICE_FAILPOINTS`
 * kills it on its way.
 */
import * as Effect from "effect/Effect"
import * as Failpoint from "../../../src/Failpoint.ts"
import { TaskStore } from "../../../src/TaskStore.ts"
import { Ledger } from "../../../src/testing/Ledger.ts"
import { owned } from "../places.ts"

const program = Effect.gen(function*() {
  const store = yield* TaskStore
  const ledger = new Ledger(yield* store.open)
  const large = ledger.create()
  for (let i = 0; i < 1_000; i++) ledger.complete(ledger.create({ parent: large }))
  ledger.complete(large)
  for (let i = 0; i < 1_000; i++) ledger.complete(ledger.create())
  yield* store.commit(ledger.take())
  yield* store.deleteRuns(yield* store.expired(ledger.time * 2, 2_000))
})

Failpoint.armFromText(process.env["COPPICE_FAILPOINTS"] ?? "")
await Effect.runPromise(Effect.provide(program, owned({ path: process.argv[2]! })))
