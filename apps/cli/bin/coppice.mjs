#!/usr/bin/env node
/**
 * The `coppice` command. Inside the repository it becomes the command line's sources under the pinned Node, installed
 * if need be; elsewhere it is the compiled program under the Node that runs it.
 */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const setup = new URL("../../../scripts/setup.mjs", import.meta.url)
const sources = fileURLToPath(new URL("../src/main.ts", import.meta.url))

if (existsSync(setup) && existsSync(new URL("../../../pnpm-workspace.yaml", import.meta.url))) {
  const { become } = await import(setup.href)
  become(sources, process.argv.slice(2), process.cwd())
} else {
  await import(new URL("../dist/src/main.js", import.meta.url).href)
}
