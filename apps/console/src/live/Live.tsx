/**
 * The live feed of the page: opened with the session, closed with it.
 */
import { useQueryClient } from "@tanstack/react-query"
import { createContext, type ReactNode, use, useEffect, useEffectEvent, useState, useSyncExternalStore } from "react"
import { keys } from "../api/Keys.ts"
import * as CacheFeed from "./CacheFeed.ts"
import { browser } from "./EventStream.ts"
import { type Batch, type LiveState, LiveStore } from "./LiveStore.ts"

const LiveContext = createContext<LiveStore | null>(null)

/** Nothing is read before the feed stands, for then nothing has to be read twice; but nobody waits longer for it than this. */
const patience = 700

/** A tab nobody has looked at for so long gives its connection up until somebody does. */
const drowsy = 10 * 60_000

/** Whether the page may begin to read. */
const useStanding = (store: LiveStore): boolean => {
  const isLive = useSyncExternalStore(store.watch, () => store.get().phase !== "connecting")
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), patience)
    return () => clearTimeout(timer)
  }, [])
  const isStanding = isLive || isLate
  useEffect(() => {
    if (isStanding) store.shown()
  }, [isStanding, store])
  return isStanding
}

export const LiveProvider = ({ children }: { readonly children: ReactNode }) => {
  const client = useQueryClient()
  const [store] = useState(() => new LiveStore(browser))
  useEffect(() => {
    const stopReading = store.read((batch) => CacheFeed.apply(client, batch))
    const stopWatching = store.watch(() => {
      // the stream tells no status: perhaps the token is another one by now
      if (store.get().phase === "offline") void client.invalidateQueries({ queryKey: keys.session })
    })
    let timer: ReturnType<typeof setTimeout> | undefined
    const wake = () => {
      clearTimeout(timer)
      if (document.visibilityState === "visible") store.wake()
      else timer = setTimeout(store.sleep, drowsy)
    }
    document.addEventListener("visibilitychange", wake)
    addEventListener("online", wake)
    store.open()
    return () => {
      clearTimeout(timer)
      document.removeEventListener("visibilitychange", wake)
      removeEventListener("online", wake)
      stopReading()
      stopWatching()
      store.close()
    }
  }, [client, store])
  const isStanding = useStanding(store)
  return <LiveContext value={store}>{isStanding ? children : null}</LiveContext>
}

const useStore = (): LiveStore => {
  const store = use(LiveContext)
  if (store === null) throw new Error("there is no LiveProvider above")
  return store
}

/** How the feed stands, and its buttons. */
export const useLive = (): LiveState & Pick<LiveStore, "pause" | "resume" | "wake"> => {
  const { get, pause, resume, wake, watch } = useStore()
  return { ...useSyncExternalStore(watch, get), pause, resume, wake }
}

/** Calls back with every batch of facts, for what a page keeps beside the common caches. */
export const useFacts = (read: (batch: Batch) => void): void => {
  const store = useStore()
  const latest = useEffectEvent(read)
  useEffect(() => store.read((batch) => latest(batch)), [store])
}
