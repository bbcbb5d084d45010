/** What changed between two versions of a file, counted and shown the way `diff -u` does. */
import { createTwoFilesPatch, structuredPatch } from "diff"

export interface DiffStats {
  readonly added: number
  readonly removed: number
  readonly hunks: number
}

export const diffStats = (before: string, after: string): DiffStats => {
  const { hunks } = structuredPatch("", "", before, after, undefined, undefined, { context: 3 })
  const lines = hunks.flatMap((hunk) => hunk.lines)
  return {
    added: lines.filter((line) => line.startsWith("+")).length,
    removed: lines.filter((line) => line.startsWith("-")).length,
    hunks: hunks.length
  }
}

export const unifiedDiff = (path: string, before: string, after: string): string =>
  createTwoFilesPatch(`a/${path}`, `b/${path}`, before, after, undefined, undefined, { context: 3 })
