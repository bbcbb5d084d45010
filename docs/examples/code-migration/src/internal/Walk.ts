/** The files of a folder, without what version control and package managers put there. */
import { readdir } from "node:fs/promises"
import { join } from "node:path"

export interface Walked {
  /** Relative, with forward slashes, sorted. */
  readonly paths: ReadonlyArray<string>
  /** Links are not followed: they may lead anywhere. */
  readonly links: ReadonlyArray<string>
}

export const filesBelow = async (root: string, limit: number): Promise<Walked> => {
  const paths: Array<string> = []
  const links: Array<string> = []
  const folders = [""]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`
      if (entry.isSymbolicLink()) links.push(path)
      else if (entry.isFile()) paths.push(path)
      else if (entry.isDirectory() && !ignored.has(entry.name)) folders.push(path)
    }
    if (paths.length > limit) throw new Error(`${root} holds more than ${limit} files`)
  }
  return { paths: paths.sort(), links: links.sort() }
}

export const isTest = (path: string): boolean =>
  /(^|\/)(__tests__|test|tests|spec)\//.test(path) || /\.(test|spec)\.[cm]?js$/.test(path) ||
  path === "test.js"

const ignored = new Set([".git", ".hg", ".svn", "node_modules"])
