/**
 * `npm test [-- vitest's own arguments]`: vitest over the workspace, then `N passed, N failed, N skipped` alone on the
 * last line, whatever became of vitest.
 *
 * A skip that does not say why counts as failed, unless the caller narrowed the run down: then the rest is just not
 * selected.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "./childProcess.ts"
import { buildConsole } from "./console.ts"
import type { Counts } from "./CountReporter.ts"

/** The last line, and whether the run was good, from what the reporter wrote and how vitest ended. */
export const verdict = (counts: Counts | undefined, ended: string | undefined, narrowed: boolean) => {
  const { failures, passed, skips } = counts ?? { failures: [], passed: 0, skips: [] }
  const silent = narrowed ? [] : skips.filter(({ why }) => why === undefined)
  const failed = [...failures, ...silent.map(({ test }) => `${test}: skipped without saying why`)]
  if (counts === undefined) failed.push(`vitest did not come to its end (${ended ?? "exit 0"})`)
  else if (ended !== undefined && failed.length === 0) failed.push(`vitest ended with ${ended} although no test failed`)
  else if (passed + failed.length === 0) failed.push("no test ran")
  const said = skips.filter(({ why }) => why !== undefined || narrowed)
  return {
    lines: [
      ...said.filter(({ why }) => why !== undefined).map(({ test, why }) => `skipped: ${test}: ${why}`),
      ...failed.map((line) => `failed: ${line}`),
      `${passed} passed, ${failed.length} failed, ${said.length} skipped`
    ],
    good: failed.length === 0
  }
}

const read = (file: string): Counts | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch {
    return undefined
  }
}

const main = async (args: ReadonlyArray<string>) => {
  // the browser tests say so, too, when there is none
  const noConsole = await buildConsole()
  if (noConsole !== undefined) console.error(noConsole)
  const folder = mkdtempSync(join(tmpdir(), "coppice-test-"))
  const file = join(folder, "counts.json")
  const reporters = ["--reporter=default", "--reporter=./scripts/CountReporter.ts"]
  const { trouble } = await run("vitest", ["run", ...reporters, ...args], {
    env: { COPPICE_TEST_COUNTS: file },
    show: true
  })
  const narrowed = args.some((arg) => arg.startsWith("-t") || arg.startsWith("--testNamePattern"))
  const { good, lines } = verdict(read(file), trouble, narrowed)
  rmSync(folder, { recursive: true, force: true })
  for (const line of lines) console.log(line)
  process.exitCode = good ? 0 : 1
}

if (import.meta.main) await main(process.argv.slice(2))
