/**
 * `commits.ts FILE SYNCHRONOUS COUNT`, under `DiskFaults`: prints how many syncs that many commits made.
 */
import * as Effect from "effect/Effect"
import * as Database from "../../../src/Database.ts"
import * as DiskFaults from "../DiskFaults.ts"

const [path, synchronous, count] = process.argv.slice(2) as [string, "FULL" | "NORMAL", string]
const disk = DiskFaults.control()
const program = Effect.gen(function*() {
  const db = yield* Database.open({ path, synchronous })
  db.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, body TEXT)")
  const insert = db.prepare("INSERT INTO log (body) VALUES (?)")
  const before = disk.syncs()
  for (let i = 0; i < Number(count); i++) db.transaction(() => insert.run("body"))
  process.stdout.write(
    JSON.stringify({ syncs: disk.syncs() - before, stored: db.prepare("SELECT count(*) AS n FROM log").get() })
  )
})
Effect.runSync(Effect.scoped(program))
