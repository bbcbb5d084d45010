/**
 * The web console for whoever runs the sources: built when it is not there, or older than what it is made of.
 */
import { globSync, statSync } from "node:fs"
import { join } from "node:path"
import { root, run } from "./childProcess.ts"

const folder = join(root, "apps/console")

const changedAt = (path: string): number => statSync(join(folder, path), { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Whether a build would make another console than the one that is there. */
const isStale = (): boolean => {
  const built = changedAt("dist/site/index.html")
  return globSync(["src/**/*.*", "index.html", "vite.config.ts", "package.json"], { cwd: folder })
    .some((path) => changedAt(path) > built)
}

/** Builds the console if need be. Says what went wrong, since a service is of use without it. */
export const buildConsole = async (): Promise<string | undefined> => {
  if (!isStale()) return undefined
  const vite = join(folder, "node_modules/vite/bin/vite.js")
  const { output, trouble } = await run(process.execPath, [vite, "build", "--logLevel", "warn"], { cwd: folder })
  return trouble === undefined ? undefined : `the console could not be built (${trouble}): ${output.trim()}`
}
