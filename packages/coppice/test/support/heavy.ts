/** What runs on a worker thread in the tests of `Step.worker`. */
import type { Thread } from "@coppice/agent/Step"
import { threadId } from "node:worker_threads"

export const run = ({ n }: { readonly n: number }): { readonly sum: number; readonly isThread: boolean } => {
  let sum = 0
  for (let i = 1; i <= n; i++) sum += i
  return { sum, isThread: threadId !== 0 }
}

export const twice = async (n: number): Promise<number> => n * 2

export const spin = (): never => {
  for (;;);
}

export const fail = (): never => {
  throw new Error("out of luck")
}

export const exit = (): never => process.exit(7)

/** Keeps its thread busy for so many milliseconds. */
export const busy = (millis: number): number => {
  const end = performance.now() + millis
  while (performance.now() < end);
  return millis
}

/** The same, and says in every turn that it is alive. */
export const beating = (millis: number, { heartbeat }: Thread): number => {
  const end = performance.now() + millis
  while (performance.now() < end) heartbeat(`until ${Math.round(end)}`)
  return millis
}
