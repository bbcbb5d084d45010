/** A Node process with a deadline, which dies with the caller's signal. */
import { spawn } from "node:child_process"
import type { Readable } from "node:stream"

export interface ChildOptions {
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface ChildEnd {
  readonly code: number | null
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  /** What was written to file descriptor 3. */
  readonly answers: string
}

/** Rejects only when the signal aborts; a process that crashes or hangs is an answer. */
export const runNode = async (options: ChildOptions): Promise<ChildEnd> => {
  options.signal?.throwIfAborted()
  const child = spawn(process.execPath, options.args, {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...inherited(), ...options.env, NO_COLOR: "1", FORCE_COLOR: "0" },
    timeout: options.timeoutMs,
    killSignal: "SIGKILL"
  })
  const kill = () => child.kill("SIGKILL")
  options.signal?.addEventListener("abort", kill, { once: true })
  try {
    const [end, stdout, stderr, answers] = await Promise.all([
      new Promise<{ code: number | null; killed: boolean }>((resolve, reject) => {
        child.once("error", reject)
        child.once("close", (code) => resolve({ code, killed: code === null }))
      }),
      ...[child.stdout, child.stderr, child.stdio[3]].map((stream) => textOf(stream as Readable))
    ])
    options.signal?.throwIfAborted()
    return { code: end.code, timedOut: end.killed, stdout: stdout ?? "", stderr: stderr ?? "", answers: answers ?? "" }
  } finally {
    options.signal?.removeEventListener("abort", kill)
  }
}

/** Foreign code sees no more of the environment than it needs. */
const inherited = (): Record<string, string> =>
  Object.fromEntries(["HOME", "LANG", "PATH", "SystemRoot", "TMPDIR", "TZ"].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }))

const textOf = async (stream: Readable): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}
