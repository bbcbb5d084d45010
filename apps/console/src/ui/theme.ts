/**
 * Dark or light: as the system says, unless this browser was told otherwise.
 */
import { useState } from "react"

export type Theme = "auto" | "light" | "dark"

const key = "coppice-theme"
const order: ReadonlyArray<Theme> = ["auto", "light", "dark"]

const stored = (): Theme => {
  const found = localStorage.getItem(key)
  return order.find((theme) => theme === found) ?? "auto"
}

const show = (theme: Theme): void => {
  if (theme === "auto") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = theme
}

/** Before anything is drawn. */
export const applyTheme = (): void => show(stored())

/** The theme, and what goes on to the next one. */
export const useTheme = (): readonly [Theme, () => void] => {
  const [theme, setTheme] = useState(stored)
  return [theme, () => {
    const next = order[(order.indexOf(theme) + 1) % order.length]!
    localStorage.setItem(key, next)
    show(next)
    setTheme(next)
  }]
}
