/**
 * Reads the process: time, processor, memory, bytes written.
 */
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** Milliseconds of the monotonic clock; a benchmark measures real time, whatever `Clock` says. */
export const now = (): number => performance.now()

/** Milliseconds of the machine's monotonic clock, from no particular time: processes on one machine compare them. */
export const machineTime = (): number => Number(process.hrtime.bigint()) / 1e6

/** What running an effect took: milliseconds on the wall and on the processor, all threads together. */
export interface Took {
  readonly wall: number
  readonly cpu: number
}

export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, Took], E, R> =>
  Effect.suspend(() => {
    const cpu = process.cpuUsage()
    const started = now()
    return Effect.map(effect, (result) => {
      const wall = now() - started
      const { system, user } = process.cpuUsage(cpu)
      return [result, { wall, cpu: (system + user) / 1000 }] as const
    })
  })

const collector = (): () => void => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
}

let collect: (() => void) | undefined

/** Bytes reachable: the JavaScript heap and what hangs on it outside, after a collection. */
export const heap = (): number => {
  collect ??= collector()
  collect()
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** Bytes of the process in memory now, garbage and free pages of the heap included. */
export const resident = (): number => process.memoryUsage.rss()

/** The most bytes the process ever had in memory. */
export const peakResident = (): number => process.resourceUsage().maxRSS * 1024

/** Bytes this process has had written to the disk. */
export const written = (): number => process.resourceUsage().fsWrite * 512
