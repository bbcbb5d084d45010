/**
 * Which tasks of a tree are open.
 */
import { useCallback, useState } from "react"
import { opensAtFirst } from "./TreeModel.ts"

export interface Open {
  readonly isOpen: (id: string) => boolean
  readonly toggle: (id: string, to?: boolean) => void
  readonly all: (to: boolean) => void
  /** Opens these, unless they are. */
  readonly reveal: (ids: ReadonlyArray<string>) => void
}

/** `size` is that of the whole tree. */
export const useOpen = (isRoot: (id: string) => boolean, size: number): Open => {
  const [own, setOwn] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [rule, setRule] = useState<boolean | undefined>()
  const isOpen = useCallback(
    (id: string) => own.get(id) ?? rule ?? opensAtFirst(size, isRoot(id)),
    [own, rule, size, isRoot]
  )
  const toggle = (id: string, to = !isOpen(id)) => setOwn(new Map(own).set(id, to))
  const all = (to: boolean) => {
    setRule(to)
    setOwn(new Map())
  }
  const reveal = (ids: ReadonlyArray<string>) => {
    const closed = ids.filter((id) => !isOpen(id))
    if (closed.length > 0) setOwn(new Map([...own, ...closed.map((id) => [id, true] as const)]))
  }
  return { isOpen, toggle, all, reveal }
}
