/**
 * Makes as many commits as it is told, in a store at the path it is given, one acknowledged after the other.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Engine from "../engine.ts"
import { owned } from "../places.ts"

const [path, count] = process.argv.slice(2)

const program = Effect.gen(function*() {
  yield* Engine.work("worker")
  const { log, tasks } = yield* Engine.services
  for (let i = 0; i < Number(count); i++) yield* tasks.submit({ agent: "worker", input: i })
  yield* Console.log(`${log.written.commits} commits`)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Engine.over(owned({ path: path! })))))
