/**
 * `coppice dev`: starts the service, and starts it again where it was when it is killed.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

const service = fileURLToPath(new URL("service.ts", import.meta.url))

const args = process.argv.slice(2)
let child: ChildProcess
let port: string | undefined
/** Somebody wants it to end. */
let isEnding = false

const start = (): void => {
  // where it was, whatever the flags say
  const again = port === undefined ? [] : ["--port", port]
  let isReady = false
  // what Node says of its own experiments concerns nobody here
  const flags = ["--disable-warning=ExperimentalWarning"]
  child = spawn(process.execPath, [...flags, service, ...args, ...again], {
    stdio: ["inherit", "inherit", "inherit", "ipc"]
  })
  child.on("message", ({ lines, port: at }: { readonly port: string; readonly lines: ReadonlyArray<string> }) => {
    isReady = true
    process.stdout.write(port === undefined ? `${lines.join("\n")}\n` : "started again\n")
    port = at
  })
  child.once("error", ({ message }) => {
    process.stderr.write(`coppice: the service cannot be started: ${message}\n`)
    process.exit(4)
  })
  child.once("close", (code, signal) => {
    if (signal !== "SIGKILL" || !isReady || isEnding) process.exit(code ?? 128 + constants.signals[signal!])
    start()
  })
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    isEnding = true
    // a terminal sends its Ctrl-C to both
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal)
  })
}

start()
