/** kill -9 between an effect and its record: that step runs again with the same key, the one before it does not. */
import { Agent, Orchestrator, Step } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { appendFileSync, existsSync, readFileSync } from "node:fs"

const file = "witness.txt"
const lines = () => existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []
const life = process.argv[2]

const Invoice = Agent.make("invoice", {
  description: "Reserves, charges, mails",
  input: Schema.Struct({ number: Schema.Int }),
  output: Schema.String
})

/** Stands for the world: it keeps what was done to it, and under which key. */
const act = (what: string) => Effect.map(Step.idempotencyKey, (key) => appendFileSync(file, `${what} ${key}\n`))

// #region handler
const InvoiceLive = Invoice.toLayer(
  Effect.fn("invoice")(function*({ number }) {
    yield* Step.run("reserve", { number }, act("reserved"))
    yield* Step.run(
      "charge",
      { number },
      Effect.gen(function*() {
        yield* act("charged")
        // the effect has happened, its record has not
        if (life === "first") process.kill(process.pid, "SIGKILL")
      })
    )
    yield* Step.run("mail", { number }, act("mailed"))
    return "paid"
  })
)
// #endregion handler

const orchestrator = Orchestrator.make({ agents: [InvoiceLive] })

/** The first life submits the work; the second finds it in the file. */
const live = Effect.gen(function*() {
  if (life === "first") yield* Effect.forkChild(Orchestrator.run("invoice", { number: 7 }))
  while (!lines().some((line) => line.startsWith("mailed"))) yield* Effect.sleep("5 millis")
}).pipe(Effect.provide(Orchestrator.layer(orchestrator, "sqlite:invoice.db")))

const child = (name: string) => spawnSync(process.execPath, [import.meta.filename, name], { stdio: "inherit" })

if (life === undefined) {
  assert.equal(child("first").signal, "SIGKILL")
  assert.equal(child("second").status, 0)
  assert.deepEqual(lines().map((line) => line.split(" ")[0]), ["reserved", "charged", "charged", "mailed"])
  const [first, again] = lines().filter((line) => line.startsWith("charged"))
  assert.equal(first, again)
  console.log(lines().join("\n"))
} else await Effect.runPromise(live)
