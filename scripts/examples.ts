/**
 * `npm run examples [-- name …]`: runs docs/examples/*.ts and docs/examples/<story>/main.ts, one after another, each in
 * an empty folder of its own. An example asserts what it shows, so exit 0 means that it is still true.
 */
import { globSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root, run } from "./childProcess.ts"

const minutes = 2

const find = (names: ReadonlyArray<string>) =>
  globSync(["docs/examples/*.ts", "docs/examples/*/main.ts"], { cwd: root })
    .filter((path) => names.length === 0 || names.some((name) => path.includes(name)))
    .sort()

const runOne = async (path: string) => {
  const cwd = mkdtempSync(join(tmpdir(), "coppice-example-"))
  const started = performance.now()
  const { output, trouble } = await run(process.execPath, [join(root, path)], {
    cwd,
    env: { COPPICE_PORT: "0" },
    timeoutMinutes: minutes
  })
  rmSync(cwd, { recursive: true, force: true })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${trouble === undefined ? "ok    " : "FAILED"} ${path} ${seconds} s`)
  if (trouble !== undefined) console.log(`${output.trimEnd()}\n(${trouble})`)
  return trouble === undefined
}

const examples = find(process.argv.slice(2))
const good: Array<boolean> = []
for (const path of examples) good.push(await runOne(path))
console.log(`${good.filter(Boolean).length} of ${examples.length} examples ran as they say`)
process.exitCode = examples.length > 0 && good.every(Boolean) ? 0 : 1
