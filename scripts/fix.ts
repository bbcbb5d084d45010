/**
 * `npm run fix`: what machines can mend by themselves, the fences of the documentation included.
 */
import { run } from "./childProcess.ts"

const steps: ReadonlyArray<readonly [command: string, ...args: ReadonlyArray<string>]> = [
  ["oxlint", "--fix", "--quiet"],
  ["dprint", "fmt"],
  [process.execPath, "scripts/docsSync.ts"]
]

for (const [command, ...args] of steps) {
  const { trouble } = await run(command, args, { show: true })
  if (trouble !== undefined) process.exitCode = 1
}
