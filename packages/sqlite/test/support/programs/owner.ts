/**
 * `owner.ts FILE`: for every line on its input tries to own the file, says what became of it, and keeps what it got.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { createInterface } from "node:readline"
import * as FileOwner from "../../../src/FileOwner.ts"

const path = process.argv[2]!
const scope = Scope.makeUnsafe()
const acquire = FileOwner.acquire(path).pipe(
  Scope.provide(scope),
  Effect.match({
    onSuccess: () => "owner",
    onFailure: ({ reason }) => reason._tag === "Locked" ? `refused by ${reason.pid}` : reason._tag
  })
)
createInterface({ input: process.stdin }).on("line", () => {
  process.stdout.write(`${Effect.runSync(acquire)}\n`)
})
process.stdout.write("ready\n")
