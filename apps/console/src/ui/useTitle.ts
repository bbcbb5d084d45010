import { useEffect } from "react"

/** What the tab of the browser says. */
export const useTitle = (title: string): void => {
  useEffect(() => {
    document.title = title === "" ? "Coppice" : `${title} · Coppice`
  }, [title])
}
