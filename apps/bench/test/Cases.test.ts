import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Settings } from "../src/Bed.ts"
import { type Case, cases } from "../src/Cases.ts"
import type { Durability, Row } from "../src/Row.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "coppice-bench-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Every part of a case, so small that it only shows that it works. Each checks its own joins and dies when one fails. */
const rowsOf = Effect.fnUntraced(function*(name: string, durability: Durability) {
  const folder = yield* temporary
  const settings: Settings = { durability, runs: 1, scale: 0.002, tasks: 100_000, folder }
  const { parts }: Case = cases[name]!
  return (yield* Effect.forEach(parts, (part) => part(settings))).flat()
})

const assertWhole = (row: Row, name: string, durability: Durability): void => {
  assert.deepInclude(row, { case: name, durability, repeats: 1 })
  // a handful of parked tasks is less than what the collector leaves behind
  if (row.unit === "bytes") assert.isTrue(Number.isFinite(row.value), row.what)
  else assert.isAbove(row.value, 0, row.what)
  assert.isNotEmpty(row.baseline, row.what)
  assert.isAbove(row.baselineValue, 0, `${row.what}: its raw baseline`)
}

const durabilities: ReadonlyArray<Durability> = ["memory", "FULL"]
const known: ReadonlyArray<readonly [name: string, durability: Durability]> = Object.entries(cases).flatMap(
  ([name, { isDurableOnly }]) =>
    durabilities.filter((durability) => durability === "FULL" || !isDurableOnly).map((durability) =>
      [name, durability] as const
    )
)

describe("a case", () => {
  it.live.each(known)(
    "%s at %s joins everything, beside a raw baseline",
    ([name, durability]) =>
      Effect.gen(function*() {
        const rows = yield* rowsOf(name, durability)
        assert.isNotEmpty(rows)
        for (const row of rows) assertWhole(row, name, durability)
      }),
    60_000
  )
})
