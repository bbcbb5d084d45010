#!/usr/bin/env node
/**
 * The way in: plain JavaScript for any Node ≥ 20. Inside a clone it goes on under the clone's own Node, elsewhere it
 * asks for one that is new enough.
 */
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import * as nodeModule from "node:module"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const [command] = process.argv.slice(2)

const pinnedNode = () => {
  const manifest = at("../../../node_modules/node/package.json")
  const file = at(`../../../node_modules/node/bin/node${process.platform === "win32" ? ".exe" : ""}`)
  if (!existsSync(manifest) || !existsSync(file)) return undefined
  const { version } = JSON.parse(readFileSync(manifest, "utf8"))
  return { file, version: `v${version}` }
}

const isNewEnough = () => {
  const [major, minor] = process.versions.node.split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 19)
}

/** Becomes the other Node where the system can, else stands before it and passes on what comes. */
const goOn = (node) => {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const env = { ...process.env, COPPICE_REEXECUTED: "1" }
  if (process.execve !== undefined && process.platform !== "win32") process.execve(node, [node, ...args], env)
  const child = spawn(node, args, { stdio: "inherit", env })
  // A terminal sends its Ctrl-C to both; any other signal reached this process alone.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || child.kill(signal))
  }
  child.on("error", (error) => {
    console.error(`✖ Cannot start ${node}: ${error.message}`)
    process.exit(4)
  })
  child.on("close", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

const start = async () => {
  if (command === "--version" || command === "-v") {
    return console.log(`coppice ${JSON.parse(readFileSync(at("../package.json"), "utf8")).version}`)
  }
  const pinned = pinnedNode()
  if (pinned !== undefined && pinned.version !== process.version && process.env.COPPICE_REEXECUTED !== "1") {
    return goOn(pinned.file)
  }
  delete process.env.COPPICE_REEXECUTED
  if (!isNewEnough()) {
    console.error(`✖ coppice needs Node 22.19 or newer; this is ${process.version}`)
    console.error("  → install a newer Node, or run `npm install` in the clone to get its own")
    process.exit(4)
  }
  nodeModule.enableCompileCache?.()
  await import("../src/main.ts")
}

await start()
