/**
 * Keeps an answer fresh that nobody can follow fact by fact.
 */
import { useQueryClient } from "@tanstack/react-query"
import { useEffect, useRef } from "react"
import { useFacts } from "./Live.tsx"
import type { Batch } from "./LiveStore.ts"
import { Pace } from "./Pace.ts"

const every = 2_000

const browser = {
  now: () => performance.now(),
  after: (millis: number, run: () => void) => {
    const timer = setTimeout(run, millis)
    return () => clearTimeout(timer)
  }
}

/** Reads it again after facts that may change it, at most every two seconds. */
export const useFresh = (queryKey: ReadonlyArray<unknown>, concerns: (batch: Batch) => boolean = () => true): void => {
  const client = useQueryClient()
  const name = JSON.stringify(queryKey)
  const pace = useRef<Pace>(undefined)
  useEffect(() => {
    const made = new Pace(every, () => void client.invalidateQueries({ queryKey: JSON.parse(name) }), browser)
    pace.current = made
    return made.stop
  }, [client, name])
  useFacts((batch) => {
    if (batch.all || concerns(batch)) pace.current?.want()
  })
}
