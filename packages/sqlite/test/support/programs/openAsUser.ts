/**
 * `openAsUser.ts FILE write|read|effective`: opens a database as a user to whom permissions apply, and says what became
 * of it. `effective` changes the effective user only, which opening obeys and asking for permission does not.
 */
import * as Effect from "effect/Effect"
import * as Database from "../../../src/Database.ts"

const [path, how] = process.argv.slice(2) as [string, "write" | "read" | "effective"]
if (process.getuid?.() === 0) {
  process.setgid!(65_534)
  if (how === "effective") process.seteuid!(65_534)
  else process.setuid!(65_534)
}
const said = Database.open({ path, readOnly: how === "read" }).pipe(
  Effect.match({ onSuccess: () => "opened", onFailure: (error) => error.reason._tag }),
  Effect.scoped
)
process.stdout.write(`${Effect.runSync(said)}\n`)
