/**
 * The command as a process.
 */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const bin = fileURLToPath(new URL("../../bin/coppice.mjs", import.meta.url))

/** The agents the tests run. */
export const config = fileURLToPath(new URL("coppice.config.ts", import.meta.url))

/** A started command and what it says; it does not outlive the scope. */
export const start = (
  cwd: string,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {}
) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { HOME, PATH, TMPDIR } = process.env
      const env: NodeJS.ProcessEnv = { PATH, HOME, TMPDIR, ...environment }
      const child = spawn(process.execPath, [bin, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
      const said = { out: "", err: "" }
      child.stdout.on("data", (chunk) => said.out += String(chunk))
      child.stderr.on("data", (chunk) => said.err += String(chunk))
      const closed = once(child, "close").then(([code]) => code as number | null)
      return { child, said, closed }
    }),
    ({ child, closed }) =>
      Effect.promise(async () => {
        child.kill("SIGKILL")
        await closed
      })
  )

/** Runs a command to its end. */
export const run = Effect.fnUntraced(function*(
  cwd: string,
  args: ReadonlyArray<string>,
  environment?: Readonly<Record<string, string>>
) {
  const { closed, said } = yield* start(cwd, args, environment)
  return { code: yield* Effect.promise(() => closed), ...said }
})

/** Waits until the process has said the text. */
export const says = (child: ChildProcess, text: string) =>
  Effect.callback<void>((resume) => {
    const read = (chunk: Buffer) => String(chunk).includes(text) && resume(Effect.void)
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
  })

/** A service in a folder, ready. */
export const serve = Effect.fnUntraced(function*(cwd: string, ...args: ReadonlyArray<string>) {
  const service = yield* start(cwd, ["serve", "--port", "0", "--config", config, ...args])
  yield* says(service.child, "Ready at")
  return service
})
