/**
 * One stop for the tab key in a long list, and the arrow keys inside of it, also where only a part of the list is drawn.
 */
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from "react"

export interface Roving {
  readonly active: number
  readonly setActive: (index: number) => void
  /** Goes there with the focus. */
  readonly move: (index: number) => void
  readonly onKeyDown: (event: KeyboardEvent) => void
  /** Of every element; the active one takes the focus when the keys have brought it there. */
  readonly refOf: (index: number) => (element: HTMLElement | null) => void
}

const page = 15

const steps: Readonly<Record<string, (index: number, last: number) => number>> = {
  ArrowDown: (index) => index + 1,
  ArrowUp: (index) => index - 1,
  PageDown: (index) => index + page,
  PageUp: (index) => index - page,
  Home: () => 0,
  End: (_, last) => last
}

/** `scrollTo` draws the element of an index. */
export const useRoving = (count: number, scrollTo: (index: number) => void): Roving => {
  const [active, setActive] = useState(0)
  const wanted = useRef(false)
  const elements = useRef(new Map<number, HTMLElement>())
  const last = Math.max(0, count - 1)
  const current = Math.min(active, last)

  const settle = useCallback((index: number) => {
    const element = elements.current.get(index)
    if (!wanted.current || element === undefined) return
    wanted.current = false
    element.focus({ preventScroll: true })
  }, [])
  useEffect(() => settle(current))

  const refOf = useCallback((index: number) => (element: HTMLElement | null) => {
    if (element === null) elements.current.delete(index)
    else elements.current.set(index, element)
  }, [])

  const move = (index: number) => {
    wanted.current = true
    setActive(index)
    scrollTo(index)
    settle(index)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.altKey || event.ctrlKey || event.metaKey ? undefined : steps[event.key]
    if (step === undefined || count === 0) return
    event.preventDefault()
    move(Math.max(0, Math.min(step(current, last), last)))
  }
  return { active: current, setActive, move, onKeyDown, refOf }
}
