/**
 * `npm run nightly [-- STAGE …]`: what takes too long for every change. Each stage is a root script with the numbers that
 * a release is judged by; the last lines say which of them passed and how long they took.
 */
import { root, run } from "./childProcess.ts"

const stages: Readonly<Record<string, ReadonlyArray<string>>> = {
  conformance: [],
  chaos: ["--kills", "100"],
  simulate: ["--seeds", "5000"],
  limits: [],
  bench: []
}

const stage = async (name: string): Promise<boolean> => {
  const args = stages[name]!
  console.log(`\n=== npm run ${[name, ...args].join(" ")}`)
  const began = performance.now()
  const { trouble } = await run(process.execPath, ["scripts/run.mjs", name, ...args], {
    cwd: root,
    show: true,
    timeoutMinutes: 90
  })
  const seconds = Math.round((performance.now() - began) / 1_000)
  results.push(
    `${trouble === undefined ? "ok    " : "FAILED"} ${name} (${seconds} s)${
      trouble === undefined ? "" : `: ${trouble}`
    }`
  )
  return trouble === undefined
}

const results: Array<string> = []
const chosen = process.argv.slice(2)
const unknown = chosen.find((name) => stages[name] === undefined)
if (unknown !== undefined) {
  console.error(`nightly: no stage "${unknown}"; stages: ${Object.keys(stages).join(", ")}`)
  process.exit(2)
}
let failed = 0
for (const name of chosen.length === 0 ? Object.keys(stages) : chosen) if (!(await stage(name))) failed++
console.log(["", ...results, `${results.length - failed} passed, ${failed} failed`].join("\n"))
process.exitCode = failed === 0 ? 0 : 1
