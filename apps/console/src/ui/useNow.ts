/**
 * One clock for everything that says how long ago something was: it ticks once a second while somebody looks.
 */
import { useSyncExternalStore } from "react"
import * as ServerClock from "../api/ServerClock.ts"

let now = ServerClock.now()
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()

const tick = () => {
  now = ServerClock.now()
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  now = ServerClock.now()
  timer ??= setInterval(tick, 1_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The time at the service, Unix milliseconds, to the second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now)
