/** Several people and one question, each with their own token (case 47). */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Orchestrator } from "../support/Orchestrator.ts"

/** Runs the command as somebody; without a name as the service's owner. */
const as = Effect.fnUntraced(function*(name: string | undefined, ...args: ReadonlyArray<string>) {
  const host = (yield* Orchestrator).host(
    name === undefined ? {} : { env: { COPPICE_TOKEN: `the-own-token-of-${name}` } }
  )
  const code = yield* host.run(...args)
  return { code, out: host.out, err: host.err }
})

const good = (name: string | undefined, ...args: ReadonlyArray<string>) =>
  Effect.map(as(name, ...args), ({ code, err, out }) => {
    assert.strictEqual(code, 0, err)
    return out
  })

const yes = ["--accept", "{\"approve\":true}"]

layer(Orchestrator.layer, { excludeTestServices: true })("people", (it) => {
  it.effect("agree on an answer, delegate, and are told who was faster", () =>
    Effect.gen(function*() {
      const input = JSON.stringify({ message: "Go?", quorum: 2 })
      const id = (yield* good(undefined, "run", "approve", "--input", input, "--detach")).trim()
      assert.match(yield* good("cy", "inbox"), /may answer: ann, bob · 0 of 2 agreed · reminds in .* · ends in/)
      const refused = yield* as("cy", "answer", id, ...yes)
      assert.strictEqual(refused.code, 2)
      assert.match(refused.err, /"cy" may not answer this question; ann, bob may/)
      assert.match(yield* good("ann", "answer", id, ...yes), /approve: voted, 1 of 2 agreed/)
      assert.match(yield* good("bob", "answer", id, "--delegate", "cy"), /approve: delegated to cy/)
      assert.match(yield* good(undefined, "inbox"), /may answer: ann, cy · 1 of 2 agreed: ann · bob → cy/)
      assert.match(yield* good("cy", "answer", id, ...yes), /approve: answered/)
      const late = yield* as("ann", "answer", id, ...yes)
      assert.strictEqual(late.code, 2)
      assert.match(late.err, /asks nothing now.*; cy answered its last question \(accept\)/)
    }))

  it.effect("do what their rights allow", () =>
    Effect.gen(function*() {
      const started = yield* as("ann", "run", "greet", "--input", "{\"name\":\"A\"}")
      assert.strictEqual(started.code, 2)
      assert.match(started.err, /"ann" may view and approve, and this needs "operate"/)
      assert.match(started.err, /people.ann.may/)
      yield* good("ann", "ps")
      const nobody = yield* as("nobody", "ps")
      assert.match(nobody.err, /token/)
    }))
})
