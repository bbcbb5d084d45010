/**
 * `node scripts/run.mjs <command> [arguments]`: what every root script is.
 *
 * It sets the clone up if need be, then becomes the command's program. Adding a command is one line in `programs` and
 * one in package.json.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { become, root, setup } from "./setup.mjs"

const programs = {
  start: "scripts/start.ts",
  test: "scripts/test.ts",
  verify: "scripts/verify.ts",
  fix: "scripts/fix.ts",
  build: "scripts/build.ts",
  bench: "apps/bench/src/main.ts",
  chaos: "apps/orchestrator/chaos/main.ts",
  simulate: "apps/orchestrator/simulation/main.ts",
  conformance: "scripts/conformance.ts",
  examples: "scripts/examples.ts",
  nightly: "scripts/nightly.ts",
  limits: "apps/console/limits/main.ts",
  screenshots: "apps/console/screenshots/main.ts",
  "docs:sync": "scripts/docsSync.ts"
}

const stop = (message, code) => {
  console.error(`coppice: ${message}`)
  process.exit(code)
}

const [command, ...args] = process.argv.slice(2)
const program = programs[command]
if (Number.parseInt(process.versions.node, 10) < 20) stop(`needs Node 20 or newer, this is ${process.version}`, 2)
if (command !== "setup" && program === undefined) stop(`commands: setup, ${Object.keys(programs).join(", ")}`, 2)
if (program !== undefined && !existsSync(join(root, program))) stop(`${command} is not here yet: no ${program}`, 2)

try {
  if (program === undefined) setup()
  else become(join(root, program), args, root)
} catch (error) {
  stop(error.message, 1)
}
