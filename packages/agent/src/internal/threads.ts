/**
 * Worker threads of this process, kept for the next body: as many as there are cores, less the one of the event loop.
 */
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import type { Pulse } from "./Pulse.ts"

/**
 * What runs on the thread: loads the module and answers one message at a time. Signs of life are sent ten times a second at
 * most, so that code may give them in its innermost loop.
 */
const loop = `
const { parentPort } = require("node:worker_threads")
parentPort.on("message", async ({ href, name, input }) => {
  let next = 0
  const heartbeat = (mark) => {
    const now = performance.now()
    if (now < next) return
    next = now + 100
    parentPort.postMessage({ beat: mark === undefined ? null : String(mark) })
  }
  try {
    const module = await import(href)
    if (typeof module[name] !== "function") throw new TypeError(href + " has no function \\"" + name + "\\"")
    const value = (await module[name](input, { heartbeat })) ?? null
    next = Infinity
    parentPort.postMessage({ value })
  } catch (error) {
    next = Infinity
    parentPort.postMessage({ problem: String(error?.message ?? error).slice(0, 1000) })
  }
})`

interface Reply {
  readonly value?: Json
  readonly problem?: string
}

/** A sign of life, and what was said with it. */
interface Beat {
  readonly beat: string | null
}

interface Job {
  readonly href: string
  readonly name: string
  readonly input: Json
  readonly pulse: Pulse | undefined
  readonly done: (reply: Reply | Error) => void
  thread: Worker | undefined
  /** Hears its thread no more. */
  leave: () => void
}

class Threads {
  private readonly most = Math.max(1, availableParallelism() - 1)
  private readonly idle: Array<Worker> = []
  private readonly queue: Array<Job> = []
  private count = 0

  run(job: Job): void {
    this.queue.push(job)
    if (job.pulse !== undefined) job.pulse.queued++
    this.next()
  }

  /** Nobody waits for it any more: what runs is ended with its thread. */
  drop(job: Job): void {
    const at = this.queue.indexOf(job)
    const { thread } = job
    if (at >= 0) this.leftQueue(this.queue.splice(at, 1)[0]!)
    if (thread === undefined) return
    job.leave()
    this.end(thread)
  }

  private next(): void {
    while (this.queue.length > 0) {
      const thread = this.idle.pop() ?? (this.count < this.most ? this.start() : undefined)
      if (thread === undefined) return
      this.give(thread, this.queue.shift()!)
    }
  }

  private leftQueue({ pulse }: Job): void {
    if (pulse === undefined) return
    pulse.queued--
    pulse.beat()
  }

  private start(): Worker {
    this.count++
    return new Worker(loop, { eval: true })
  }

  private give(thread: Worker, job: Job): void {
    job.thread = thread
    this.leftQueue(job)
    // it keeps the process alive only while it works
    thread.ref()
    const over = (reply: Reply | Error, isAlive: boolean) => {
      job.leave()
      if (isAlive) {
        thread.unref()
        this.idle.push(thread)
      } else this.count--
      job.done(reply)
      this.next()
    }
    const heard = (said: Reply | Beat) => "beat" in said ? job.pulse?.beat(said.beat ?? undefined) : over(said, true)
    const broke = (error: unknown) => over(error instanceof Error ? error : new Error(String(error)), false)
    const ended = (code: number) => over(new Error(`the thread ended with code ${code}`), false)
    thread.on("message", heard).on("error", broke).on("exit", ended)
    job.leave = () => {
      job.thread = undefined
      thread.off("message", heard).off("error", broke).off("exit", ended)
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    thread.postMessage({ href: job.href, name: job.name, input: job.input })
  }

  private end(thread: Worker): void {
    // what it says while it ends concerns nobody
    thread.on("error", () => {})
    this.count--
    void thread.terminate()
    this.next()
  }
}

const threads = new Threads()

/** Runs an exported function on a thread. Dies when it throws or its thread ends; interrupting ends the thread. */
export const onThread = (href: string, name: string, input: Json, pulse: Pulse | undefined): Effect.Effect<Json> =>
  Effect.callback((resume) => {
    const done = (reply: Reply | Error) => {
      const problem = reply instanceof Error ? reply.message : reply.problem
      resume(problem === undefined ? Effect.succeed((reply as Reply).value!) : Effect.die(new Error(problem)))
    }
    const job: Job = { href, name, input, pulse, done, thread: undefined, leave: () => {} }
    threads.run(job)
    return Effect.sync(() => threads.drop(job))
  })
