/**
 * `brokenDisk.ts FILE syncs|writes`, under `DiskFaults`: the disk fails for one commit and works again; prints what the
 * handle made of it.
 */
import * as Effect from "effect/Effect"
import * as Database from "../../../src/Database.ts"
import * as DiskFaults from "../DiskFaults.ts"

const [path, kind] = process.argv.slice(2) as [string, "syncs" | "writes"]
const disk = DiskFaults.control()
const reasonOf = (body: () => unknown) =>
  Effect.runSync(Effect.match(Database.attempt(body), {
    onSuccess: () => "done",
    onFailure: (error) => error.reason._tag
  }))

const program = Effect.gen(function*() {
  const db = yield* Database.open({ path })
  db.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, body TEXT)")
  const insert = db.prepare("INSERT INTO log (body) VALUES (?)")
  const commit = (body: string) => reasonOf(() => db.transaction(() => insert.run(body)))
  const before = commit("before")
  const fail = kind === "syncs" ? disk.failSyncs : disk.failWrites
  fail("EIO")
  const during = commit("during")
  fail(undefined)
  const syncs = disk.syncs()
  const seen = {
    before,
    during,
    after: commit("after"),
    alone: reasonOf(() => insert.run("alone")),
    raw: reasonOf(() => {
      try {
        db.connection.exec("INSERT INTO log (body) VALUES ('raw')")
      } catch (cause) {
        throw db.error(cause, "raw")
      }
    }),
    checkpoint: reasonOf(() => db.checkpoint()),
    failure: db.failure?.reason._tag,
    syncsAfter: disk.syncs() - syncs,
    rows: db.prepare("SELECT body FROM log").all().map((row) => row["body"])
  }
  process.stdout.write(JSON.stringify(seen))
})
Effect.runSync(Effect.scoped(program))
