/**
 * The service as a real process, and what can be seen of it: its lines, its exit, its service file.
 */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))
const development = fileURLToPath(new URL("../../src/dev/main.ts", import.meta.url))

/** The agents the tests run. */
export const config = fileURLToPath(new URL("coppice.config.ts", import.meta.url))

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly lines: ReadonlyArray<string>
}

export interface Running {
  readonly pid: number
  readonly ended: Effect.Effect<Ending>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits for the nth line that contains the text; fails the test when the process ends first. */
  readonly line: (text: string, nth?: number) => Effect.Effect<string>
  /** What it has printed so far. */
  readonly lines: ReadonlyArray<string>
}

const watch = (child: ChildProcess): Running => {
  const lines: Array<string> = []
  const waiting = new Set<() => void>()
  let ending: Ending | undefined
  const wake = () => {
    for (const check of waiting) check()
  }
  for (const input of [child.stderr, child.stdout]) {
    if (input === null) continue
    createInterface({ input }).on("line", (line) => {
      lines.push(line)
      wake()
    })
  }
  child.on("close", (code, signal) => {
    ending = { code, signal, lines }
    wake()
  })
  const until = <A>(look: () => A | undefined): Effect.Effect<A> =>
    Effect.callback((resume) => {
      const check = () => {
        const found = look()
        if (found === undefined && ending === undefined) return
        waiting.delete(check)
        resume(
          found === undefined ? Effect.die(new Error(`The process ended: ${lines.join("\n")}`)) : Effect.succeed(found)
        )
      }
      waiting.add(check)
      check()
    })
  return {
    pid: child.pid!,
    lines,
    ended: until(() => ending),
    line: (text, nth = 1) => until(() => lines.filter((line) => line.includes(text))[nth - 1]),
    kill: (signal) => Effect.sync(() => void child.kill(signal))
  }
}

interface Site {
  readonly environment?: Record<string, string> | undefined
  readonly cwd?: string | undefined
  /** How many files and sockets it may have open. */
  readonly descriptors?: number | undefined
  /** Another program than the service's, whose standard output is read, too. */
  readonly program?: string | undefined
}

const launch = (args: ReadonlyArray<string>, { cwd, descriptors, environment, program }: Site) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const env: NodeJS.ProcessEnv = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment }
      const output = program === undefined ? "ignore" : "pipe"
      const options = { env, cwd, stdio: ["ignore", output, "pipe"] } satisfies SpawnOptions
      const child = descriptors === undefined
        ? spawn(process.execPath, [program ?? main, ...args], options)
        : spawn("bash", ["-c", `ulimit -n ${descriptors}; exec "$@"`, "bash", process.execPath, main, ...args], options)
      return { child, running: watch(child) }
    }),
    // one that has a process of its own below it ends that first
    ({ child, running }) =>
      Effect.suspend(() => {
        child.kill(program === undefined ? "SIGKILL" : "SIGTERM")
        return program === undefined ? Effect.void : Effect.asVoid(running.ended)
      })
  ).pipe(Effect.map(({ running }) => running))

/** Starts `main.ts`; the process does not outlive the scope. */
export const start = (args: ReadonlyArray<string>, environment: Record<string, string> = {}, cwd?: string) =>
  launch(args, { environment, cwd })

/** Starts `coppice dev` on a port of its own, without waiting for anything. */
export const startDev = (cwd: string, args: ReadonlyArray<string> = []) =>
  launch(["--port", "0", ...args], { cwd, program: development })

/** The same, ready. */
export const dev = Effect.fnUntraced(function*(cwd: string) {
  const running = yield* startDev(cwd)
  yield* running.line("  traces ")
  return { ...running, ...serviceFile(join(cwd, ".coppice")) }
})

const ready = Effect.fnUntraced(function*(data: string, running: Running) {
  yield* running.line("Ready at")
  return { ...running, ...serviceFile(data) }
})

/** Starts the test agents with so many files and sockets at most, and waits until they are ready. */
export const serveWithin = (descriptors: number, data: string) =>
  Effect.flatMap(
    launch(["--config", config, "--port", "0", "--data", data], { descriptors }),
    (running) => ready(data, running)
  )

/** Starts the test agents on a port of their own and waits until they are ready. */
export const serve = Effect.fnUntraced(function*(
  data: string,
  args: ReadonlyArray<string> = [],
  environment: Record<string, string> = {}
) {
  const running = yield* start(["--config", config, "--port", "0", "--data", data, ...args], environment)
  return yield* ready(data, running)
})

/** Where the service says it is. */
const serviceFile = (data: string): { readonly url: string; readonly token: string } =>
  JSON.parse(readFileSync(join(data, "service.json"), "utf8"))
