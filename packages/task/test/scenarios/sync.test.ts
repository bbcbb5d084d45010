import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { folder } from "../support/places.ts"

const program = fileURLToPath(new URL("../support/programs/commits.ts", import.meta.url))
const underFaults = fileURLToPath(new URL("../../../sqlite/test/support/DiskFaults.ts", import.meta.url))

/** How often a process synced that made as many commits. */
const syncs = (path: string, commits: number): number => {
  const output = execFileSync(process.execPath, [underFaults, program, path, String(commits)], { encoding: "utf8" })
  assert.include(output, `${commits} commits`)
  return Number(/^(\d+) syncs$/m.exec(output)?.[1])
}

describe("an acknowledged commit (case 4)", () => {
  it.effect("has been synced once", (test) =>
    Effect.gen(function*() {
      if (process.platform !== "linux") return test.skip("counting system calls needs Linux")
      if (spawnSync("cc", ["--version"]).status !== 0) {
        return test.skip("counting system calls needs a C compiler named cc")
      }
      const place = yield* folder
      const few = syncs(join(place, "few.db"), 10)
      const many = syncs(join(place, "many.db"), 60)
      assert.strictEqual(many - few, 50)
    }))
})
