/**
 * One child process to its end, with its output either shown or kept, never left behind.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))

export interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Show the output as it comes instead of keeping it. */
  readonly show?: boolean
  readonly timeoutMinutes?: number
}

export interface Ended {
  /** Undefined after exit 0, else "exit 3", "SIGKILL", "timeout" or why it could not start. */
  readonly trouble: string | undefined
  /** Standard output and standard error as they came, empty when shown. */
  readonly output: string
  readonly stdout: string
}

const passSignalsTo = (child: ChildProcess) => {
  const listeners = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const listener = () => child.kill(signal)
    process.on(signal, listener)
    return () => process.off(signal, listener)
  })
  return () => listeners.forEach((remove) => remove())
}

/** Never rejects: how the child ended is the answer. */
export const run = (command: string, args: ReadonlyArray<string>, options: Options = {}) =>
  new Promise<Ended>((resolve) => {
    const pipe = options.show === true ? "inherit" : "pipe"
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.show === true ? {} : { NO_COLOR: "1" }, ...options.env },
      stdio: ["ignore", pipe, pipe]
    })
    let output = ""
    let stdout = ""
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill("SIGKILL")
    }, (options.timeoutMinutes ?? 15) * 60_000)
    const removeListeners = passSignalsTo(child)
    const end = (trouble: string | undefined) => {
      clearTimeout(timer)
      removeListeners()
      resolve({ trouble, output, stdout })
    }
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text
      stdout += text
    })
    child.stderr?.setEncoding("utf8").on("data", (text: string) => output += text)
    child.on("error", (error) => end(error.message))
    child.on("close", (code, signal) => end(timedOut ? "timeout" : signal ?? (code === 0 ? undefined : `exit ${code}`)))
  })
