/**
 * Tells the service that a question is on the screen of somebody who may answer it: the proof that it was delivered here.
 */
import { useEffect } from "react"
import { send } from "../api/Http.ts"

const told = new Set<string>()

/**
 * Once for each question, as soon as its tab is looked at. Whoever is asked does not wait for it. Without a `task` nothing is
 * told: a link that was opened has said it already.
 */
export const useShown = (task: string | undefined, key: string): void =>
  useEffect(() => {
    if (task === undefined) return
    const name = `${task} ${key}`
    const tell = () => {
      if (document.visibilityState !== "visible" || told.has(name)) return
      told.add(name)
      send("POST", "/inbox/shown", { door: "console", questions: [{ task, key }] }).catch(() => told.delete(name))
    }
    tell()
    document.addEventListener("visibilitychange", tell)
    return () => document.removeEventListener("visibilitychange", tell)
  }, [key, task])
