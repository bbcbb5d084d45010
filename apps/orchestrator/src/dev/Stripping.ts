/**
 * TypeScript as Node reads it, by Node itself: what `coppice serve` would refuse is refused here, at the same place.
 */
import { stripTypeScriptTypes } from "node:module"
import type { Plugin } from "vite"

/** Where Node found a mistake: it draws the line and a caret below it. */
const placeIn = ({ stack = "" }: Error) => {
  const [, line, caret] = /^[^\n]*:(\d+)\n(?:[^\n]*\n){1,3}?( *)\^/.exec(stack) ?? []
  return line === undefined ? undefined : { line: Number(line), column: caret!.length }
}

const strip = (code: string, id: string): string => {
  try {
    return stripTypeScriptTypes(code)
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    const place = placeIn(error)
    throw Object.assign(
      new Error(error.message, { cause }),
      place === undefined ? { id } : { loc: { file: id, ...place } }
    )
  }
}

/** Takes the types out and leaves every other character where it stands. */
export const stripping: Plugin = {
  name: "coppice:stripping",
  enforce: "pre",
  transform: {
    filter: { id: /\.m?ts$/ },
    handler: (code, id) => ({ code: strip(code, id), map: null })
  }
}
