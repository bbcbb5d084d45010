/** New variable names for a file: readable, and never one that the file uses already, in any scope. */
import { posix } from "node:path"
import type { Scopes } from "./Scopes.ts"

export interface Names {
  /** May the top of the file declare the name, if only the declaration uses it? */
  readonly isFreeAtTop: (name: string) => boolean
  /** The wanted name, or the nearest free one. */
  readonly fresh: (wanted: string) => string
}

export const namesFor = (scopes: Scopes): Names => {
  const taken = new Set<string>()
  const isFree = (name: string) => !scopes.names.has(name) && !taken.has(name) && !reserved.has(name)
  const fresh = (wanted: string) => {
    let name = wanted
    for (let count = 1; !isFree(name); count++) name = count === 1 ? `${wanted}Module` : `${wanted}Module${count}`
    taken.add(name)
    return name
  }
  const free = new Set(scopes.free.map(({ node }) => node.name))
  const isFreeAtTop = (name: string) =>
    !scopes.top.has(name) && !free.has(name) && !taken.has(name) && !reserved.has(name)
  return { isFreeAtTop, fresh }
}

/** `./lib/parse-options.js` → `parseOptions`, `../` → `parent`, `node:fs` → `fs` */
export const nameOf = (specifier: string): string => {
  const parts = specifier.replace(/^node:/, "").split("/").filter((part) => !/^\.*$/.test(part))
  const last = posix.basename(parts.at(-1) ?? "parent")
  const base = /^index(\.[a-z]+)?$/.test(last) ? parts.at(-2) ?? last : last
  const words = base.replace(/\.(c|m)?js$/, "").split(/[^\p{ID_Continue}$]+/u).filter((word) => word !== "")
  const name = words.map((word, index) => index === 0 ? word : word[0]!.toUpperCase() + word.slice(1)).join("")
  return /^[\p{ID_Start}$_]/u.test(name) ? name : `_${name}`
}

const reserved = new Set(
  ("arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for function if implements import in instanceof interface let new null package private protected " +
    "public return static super switch this throw true try typeof undefined var void while with yield").split(" ")
)
