/**
 * A host without a process: what was written is kept, keys and signals come from the test.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { PassThrough, Readable } from "node:stream"
import { run } from "../../src/Cli.ts"
import type { Key } from "../../src/FormPrompt.ts"
import type { Host, Signal, Surface } from "../../src/Host.ts"

export interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** A terminal with a person before it. */
  readonly isTty?: boolean
  readonly stdin?: string
}

interface Waiting {
  readonly text: string
  readonly found: Deferred.Deferred<void>
}

const readers = <A>() => {
  const open = new Set<Queue.Queue<A, Cause.Done>>()
  const read = Effect.acquireRelease(
    Effect.tap(Queue.make<A, Cause.Done>(), (queue) => Effect.sync(() => open.add(queue))),
    (queue) => Effect.sync(() => open.delete(queue))
  )
  const send = (value: A) => {
    for (const queue of open) Queue.offerUnsafe(queue, value)
  }
  return { read, send }
}

export class TestHost {
  out = ""
  err = ""
  private readonly options: Options
  private readonly waiting = new Set<Waiting>()
  private readonly keys = readers<Key>()
  private readonly signals = readers<Signal>()

  constructor(options: Options = {}) {
    this.options = options
  }

  private surface(write: (text: string) => void): Surface {
    const isTty = this.options.isTty === true
    return {
      isTty,
      colors: false,
      columns: () => isTty ? 100 : 1_000,
      rows: () => isTty ? 30 : 1_000,
      write: (text) => {
        write(text)
        // Who is woken here may begin to wait again, for another text than this one.
        const shown = Array.from(this.waiting).filter((wait) => text.includes(wait.text))
        for (const { found } of shown) Deferred.doneUnsafe(found, Effect.void)
      }
    }
  }

  private get host(): Host["Service"] {
    const { cwd = "/", env = {}, isTty = false, stdin = "" } = this.options
    return {
      cwd,
      env,
      out: this.surface((text) => this.out += text),
      err: this.surface((text) => this.err += text),
      canAsk: isTty,
      keys: this.keys.read,
      signals: this.signals.read as never,
      stdin: Effect.succeed(stdin),
      pipe: { input: Readable.from([stdin]), output: new PassThrough() }
    }
  }

  /** Runs a command to its exit code. */
  run(...args: ReadonlyArray<string>): Effect.Effect<number> {
    return run(args, this.host)
  }

  /** Waits until something is written, from now on, that has this text in it. */
  shows(text: string): Effect.Effect<void> {
    return Effect.flatMap(Deferred.make<void>(), (found) => {
      const wait = { text, found }
      this.waiting.add(wait)
      return Effect.ensuring(Deferred.await(found), Effect.sync(() => this.waiting.delete(wait)))
    })
  }

  press(...keys: ReadonlyArray<Key>): void {
    for (const key of keys) this.keys.send(key)
  }

  signal(signal: Signal): void {
    this.signals.send(signal)
  }
}
