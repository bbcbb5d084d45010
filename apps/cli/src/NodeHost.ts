/**
 * The process as a host: Node's standard streams, its keyboard in raw mode while somebody reads keys, its signals.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { createInterface, emitKeypressEvents, type Key as NodeKey } from "node:readline"
import { text } from "node:stream/consumers"
import { isatty, type WriteStream } from "node:tty"
import { badInput } from "./Failure.ts"
import type { Key } from "./FormPrompt.ts"
import type { Host, Signal, Surface } from "./Host.ts"

type Env = Readonly<Record<string, string | undefined>>

const isSet = (value: string | undefined): boolean => value !== undefined && value !== ""

/** `NO_COLOR` wins, then `FORCE_COLOR`, then whether it is a terminal. */
export const wantsColors = (env: Env, isTty: boolean): boolean => {
  if (isSet(env["NO_COLOR"])) return false
  const forced = env["FORCE_COLOR"]
  if (forced !== undefined) return forced !== "0" && forced.toLowerCase() !== "false"
  return isTty
}

const surface = (stream: WriteStream, fd: number, env: Env): Surface => {
  const isTty = isatty(fd) && env["TERM"] !== "dumb"
  const typed = Number.parseInt(env["COLUMNS"] ?? "", 10)
  return {
    isTty,
    colors: wantsColors(env, isTty),
    columns: () => stream.isTTY ? stream.columns || 80 : typed > 0 ? typed : 1_000,
    rows: () => stream.isTTY ? stream.rows || 24 : 1_000,
    write: (text) => stream.write(text)
  }
}

const toKey = (text: string | undefined, key: NodeKey): Key => ({
  name: key.name ?? "",
  ctrl: key.ctrl === true,
  shift: key.shift === true,
  text: key.ctrl === true || key.meta === true ? "" : text ?? ""
})

/** Raw mode lasts as long as somebody reads: a terminal must never be left in it. */
const keys: Host["Service"]["keys"] = Effect.gen(function*() {
  const queue = yield* Queue.make<Key, Cause.Done>()
  const { stdin } = process
  const onKey = (text: string | undefined, key: NodeKey) => Queue.offerUnsafe(queue, toKey(text, key))
  const onEnd = () => Queue.endUnsafe(queue)
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      // Only by way of an interface can the time be set after which an escape is just the key.
      const lines = createInterface({ input: stdin, escapeCodeTimeout: 50 })
      emitKeypressEvents(stdin, lines)
      stdin.setRawMode(true)
      stdin.on("keypress", onKey).on("end", onEnd).resume()
      return lines
    }),
    (lines) =>
      Effect.sync(() => {
        stdin.off("keypress", onKey).off("end", onEnd)
        lines.close()
        stdin.setRawMode(false)
      })
  )
  return queue
})

/** The host, and the way in for the process's signals: `notify` tells whether somebody took it. */
export const make = (): { readonly host: Host["Service"]; readonly notify: (signal: Signal) => boolean } => {
  const readers = new Set<Queue.Queue<Signal>>()
  const { env } = process
  const out = surface(process.stdout, 1, env)
  const err = surface(process.stderr, 2, env)
  const signals = Effect.gen(function*() {
    const queue = yield* Queue.unbounded<Signal>()
    yield* Effect.acquireRelease(
      Effect.sync(() => readers.add(queue)),
      () => Effect.sync(() => readers.delete(queue))
    )
    return queue
  })
  const host: Host["Service"] = {
    cwd: process.cwd(),
    env,
    out,
    err,
    canAsk: isatty(0) && err.isTty,
    keys,
    signals,
    stdin: Effect.tryPromise({
      try: () => text(process.stdin),
      catch: () => badInput("The standard input cannot be read")
    }),
    pipe: { input: process.stdin, output: process.stdout }
  }
  const notify = (signal: Signal) => {
    for (const queue of readers) Queue.offerUnsafe(queue, signal)
    return readers.size > 0
  }
  return { host, notify }
}
