/**
 * The task everything on the page is about: `?task=…`, or the root.
 */
import { useCallback } from "react"
import { useLocation, useSearch } from "wouter"

export const useSelection = (run: string): readonly [string, (id: string) => void] => {
  const search = useSearch()
  const [path, navigate] = useLocation()
  const selected = new URLSearchParams(search).get("task") ?? run
  const select = useCallback((id: string) => {
    const query = new URLSearchParams(location.search)
    if (id === run) query.delete("task")
    else query.set("task", id)
    const text = query.toString()
    navigate(text === "" ? path : `${path}?${text}`, { replace: true })
  }, [navigate, path, run])
  return [selected, select]
}
