/**
 * Case 3: whatever happens to the bytes of a store, opening and reading it either tells, or gives back exactly what was
 * acknowledged, without the last commit at most.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Checksum from "../src/Checksum.ts"
import * as Database from "../src/Database.ts"
import * as TempFolder from "./support/TempFolder.ts"

const pageSize = 4096
const frame = 24 + pageSize

/** What the store looks like on disk when its process dies. */
interface Store {
  readonly files: Readonly<Record<string, Buffer>>
  /** After each commit, the rows there were. */
  readonly history: ReadonlyArray<string>
}

const suffixes = ["", "-wal", "-shm"]

const rowsOf = (db: Database.Database): string => {
  const rows = db.prepare<{ seq: number; body: string; sum: number }>("SELECT seq, body, sum FROM log ORDER BY seq")
    .all()
  const wrong = rows.find(({ body, seq, sum }) => Checksum.of(seq, body) !== sum)
  if (wrong !== undefined) throw damaged(db, `row ${wrong.seq} is not what was stored`)
  return rows.map(({ body, seq }) => `${seq} ${body}`).join("\n")
}

const damaged = (db: Database.Database, detail: string) =>
  new Database.DatabaseError({ reason: { _tag: "Corrupt", detail }, path: db.path, operation: "read" })

/** Commits of one to three rows of uneven length; a checkpoint before the last half, or after everything. */
const build = Effect.fnUntraced(function*(checkpoint: "half" | "all") {
  const path = join(yield* TempFolder.make, "coppice.db")
  const db = yield* Database.open({ path })
  db.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, body TEXT, sum INTEGER); CREATE INDEX log_body ON log (body)")
  const insert = db.prepare("INSERT INTO log (seq, body, sum) VALUES (?, ?, ?)")
  const history: Array<string> = [rowsOf(db)]
  let seq = 0
  for (let commit = 0; commit < 24; commit++) {
    if (checkpoint === "half" && commit === 16) db.checkpoint()
    db.transaction(() => {
      for (let i = 0; i <= commit % 3; i++) {
        const body = `${commit * 7919 % 1009}`.repeat(40 + seq * 3)
        insert.run(++seq, body, Checksum.of(seq, body))
      }
    })
    history.push(rowsOf(db))
  }
  if (checkpoint === "all") db.checkpoint()
  const files = Object.fromEntries(suffixes.map((suffix) => [suffix, readFileSync(`${path}${suffix}`)]))
  return { files, history } satisfies Store
}, Effect.scoped)

/** Writes the store somewhere, opens it and reads everything; what was found, or how it was refused. */
const reopen = Effect.fnUntraced(function*(files: Store["files"]) {
  const path = join(yield* TempFolder.make, "coppice.db")
  for (const [suffix, bytes] of Object.entries(files)) writeFileSync(`${path}${suffix}`, bytes)
  const db = yield* Database.open({ path })
  return yield* Database.attempt(() => {
    const wrong = db.integrityCheck()
    if (wrong.length > 0) throw damaged(db, wrong[0]!)
    return rowsOf(db)
  })
}, Effect.scoped)

const Mutation = Schema.Struct({
  kind: Schema.Literals(["flip", "zero", "cut", "garbage"]),
  at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 30 })),
  mask: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 255 }))
})

const mutate = (bytes: Buffer, { at, kind, mask }: typeof Mutation.Type): Buffer => {
  const position = at % bytes.byteLength
  const changed = Buffer.from(bytes)
  if (kind === "flip") changed[position] = changed[position]! ^ mask
  if (kind === "zero") changed.fill(0, position, Math.min(position + 512, changed.length))
  if (kind === "garbage") changed.fill(mask, position, Math.min(position + 64, changed.length))
  return kind === "cut" ? changed.subarray(0, position) : changed
}

/** The last frame of each commit in the log, oldest first; they belong to the last states of the history. */
const commitEnds = (files: Store["files"]): ReadonlyArray<number> => {
  const [index, log] = [files["-shm"]!, files["-wal"]!]
  const committed = index.readUInt32LE(16)
  return Array.from({ length: committed }, (_, n) => n).filter((n) => log.readUInt32BE(32 + n * frame + 4) !== 0)
}

/**
 * What an honest store may look like after a power cut, when only the log itself knows how long it was: without its last
 * commit if that is hurt, and without those before it that the same wound reaches. Two commits look like one when the
 * frame header between them is hurt. A log cut short is an older store.
 */
const allowedAfterPowerCut = ({ files, history }: Store, mutation: typeof Mutation.Type): ReadonlyArray<string> => {
  if (mutation.kind === "cut") return history
  const [before, after] = [files["-wal"]!, mutate(files["-wal"]!, mutation)]
  const ends = commitEnds(files)
  const isHurt = (commit: number) => {
    const [from, to] = [commit === 0 ? 0 : ends[commit - 1]! + 1, ends[commit]! + 1].map((n) => 32 + n * frame)
    return !before.subarray(from, to).equals(after.subarray(from, to))
  }
  const mark = 32 + ends.at(-2)! * frame
  const isMarked = before.subarray(mark, mark + 24).equals(after.subarray(mark, mark + 24))
  let kept = isMarked ? ends.length : ends.length - 1
  while (kept > 0 && isHurt(kept - 1)) kept--
  return history.slice(history.length - 1 - (ends.length - kept))
}

/** Fails unless the store was refused as damaged, or gave back one of the allowed states. */
const assertHonest = Effect.fnUntraced(function*(files: Store["files"], allowed: ReadonlyArray<string>) {
  const found = yield* Effect.result(reopen(files))
  if (Result.isFailure(found)) return assert.strictEqual(found.failure.reason._tag, "Corrupt", found.failure.message)
  assert.isTrue(allowed.includes(found.success), `silently wrong: ${found.success.slice(-80)}`)
})

// the same mutations every time; DAMAGE_RUNS looks for new ones
const wanted = process.env["DAMAGE_RUNS"]
const arbitrary = wanted === undefined ? { runs: 150, seed: 1 } : { runs: Number(wanted) }
const options = { arbitrary, timeout: 600_000 }

const without = (files: Store["files"], ...gone: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(files).filter(([suffix]) => !gone.includes(suffix)))

describe("damage", () => {
  for (const checkpoint of ["half", "all"] as const) {
    const store = Effect.runSync(build(checkpoint))
    const all = store.history.at(-1)!

    it.effect(`none, after a killed process and after a power cut (log copied: ${checkpoint})`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* reopen(store.files), all)
        assert.strictEqual(yield* reopen(without(store.files, "-shm")), all)
      }))

    it.effect.prop(
      `of the file is told (log copied: ${checkpoint})`,
      [Mutation],
      ([mutation]) => assertHonest({ ...store.files, "": mutate(store.files[""]!, mutation) }, [all]),
      options
    )

    it.effect.prop(
      `of the log of a killed process is told (log copied: ${checkpoint})`,
      [Mutation],
      ([mutation]) => assertHonest({ ...store.files, "-wal": mutate(store.files["-wal"]!, mutation) }, [all]),
      options
    )

    it.effect.prop(
      `of the index of the log costs nothing (log copied: ${checkpoint})`,
      [Mutation],
      ([mutation]) => assertHonest({ ...store.files, "-shm": mutate(store.files["-shm"]!, mutation) }, [all]),
      options
    )

    it.effect.prop(`of the log after a power cut is told, or costs the last commit (log copied: ${checkpoint})`, [
      Mutation
    ], ([mutation]) => {
      const allowed = allowedAfterPowerCut(store, mutation)
      return assertHonest({ ...without(store.files, "-shm"), "-wal": mutate(store.files["-wal"]!, mutation) }, allowed)
    }, options)
  }
})

describe("a log", () => {
  const store = Effect.runSync(build("half"))
  const wal = store.files["-wal"]!
  const powerCut = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(wal)
    change(bytes)
    return { ...without(store.files, "-shm"), "-wal": bytes }
  }
  const frames = new DataView(store.files["-shm"]!.buffer, store.files["-shm"]!.byteOffset).getUint32(16, true)

  it.effect("torn in its last commit loses that commit and nothing else", () =>
    Effect.gen(function*() {
      const rows = yield* reopen(
        powerCut((bytes) => bytes.fill(0, 32 + (frames - 1) * frame + 600, 32 + frames * frame))
      )
      assert.strictEqual(rows, store.history.at(-2))
    }))

  it.effect("broken in the middle is refused, with a message that says where", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(reopen(powerCut((bytes) => bytes.writeUInt8(bytes[5000]! ^ 1, 5000))))
      assert.include(
        error.message,
        "damaged (frame 2 of its write-ahead log is broken, and later commits depend on it)"
      )
    }))

  it.effect("with a broken header is refused", () =>
    Effect.gen(function*() {
      for (let at = 0; at < 32; at++) {
        const error = yield* Effect.flip(reopen(powerCut((bytes) => bytes.writeUInt8(bytes[at]! ^ 64, at))))
        assert.include(error.message, "the header of its write-ahead log is broken")
      }
    }))

  it.effect("that a killed process left behind is refused when it is gone or shorter", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.flip(reopen(without(store.files, "-wal")))
      assert.include(gone.message, "its write-ahead log is missing")
      const shorter = yield* Effect.flip(reopen({ ...store.files, "-wal": wal.subarray(0, 32 + (frames - 1) * frame) }))
      assert.match(shorter.message, new RegExp(`its write-ahead log ends at frame \\d+ of ${frames}\\)`))
    }))

  it.effect("is left alone where a commit is not synced, because a tear looks the same", () =>
    Effect.gen(function*() {
      const path = join(yield* TempFolder.make, "coppice.db")
      const files = powerCut((bytes) => bytes.writeUInt8(bytes[5000]! ^ 1, 5000))
      for (const [suffix, bytes] of Object.entries(files)) writeFileSync(`${path}${suffix}`, bytes)
      const db = yield* Database.open({ path, synchronous: "NORMAL" })
      assert.include(store.history, rowsOf(db))
    }))

  it.effect("is not looked at beside a connection of the same process, whose locks that would drop", () =>
    Effect.gen(function*() {
      const path = join(yield* TempFolder.make, "coppice.db")
      const files = powerCut((bytes) => bytes.writeUInt8(bytes[5000]! ^ 1, 5000))
      for (const [suffix, bytes] of Object.entries(files)) writeFileSync(`${path}${suffix}`, bytes)
      const first = yield* Database.open({ path, synchronous: "NORMAL" })
      const second = yield* Database.open({ path })
      assert.strictEqual(rowsOf(second), rowsOf(first))
    }))

  it.effect("of a file that lost everything is not deleted with it", () =>
    Effect.gen(function*() {
      for (const size of [0, 1, 99]) {
        const error = yield* Effect.flip(reopen({ ...store.files, "": store.files[""]!.subarray(0, size) }))
        assert.include(error.message, "it is empty, but its write-ahead log is not")
      }
    }))
})
